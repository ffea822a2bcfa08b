"""Whatever is said to be wrong, a person is told what to do about it."""

import pytest

from demurrage.model.advice import NEXT_STEP, runbook_of
from demurrage.model.condition import ConditionKind


@pytest.mark.parametrize("kind", ConditionKind)
def test_every_kind_has_a_next_step_and_a_runbook(kind: ConditionKind) -> None:
    """The step is whole sentences, the page has the kind's name."""
    assert NEXT_STEP[kind].endswith(".")
    assert runbook_of(kind) == f"docs/runbooks/{kind}.md"
    for url in ("https://wiki.example/pages", "https://wiki.example/pages/"):
        assert runbook_of(kind, url) == f"https://wiki.example/pages/{kind}.md"
