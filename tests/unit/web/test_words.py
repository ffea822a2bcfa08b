"""The few words for each reason."""

import pytest

from demurrage.model.verdict import Code
from demurrage.web.words import why


@pytest.mark.parametrize("code", Code)
def test_every_code_has_words_of_its_own(code: Code) -> None:
    """Where people read, no bare code shows."""
    assert why("pending", code) not in (code, code.replace("_", " "))


def test_an_end_that_is_not_proven_yet_reads_otherwise() -> None:
    """The container is still held."""
    for code in (Code.LINEAGES_ENDED, Code.RELEASED_BY_APPLICATION):
        assert why("referenced", code) != why("released", code)
