"""Lines that say how grave they are, where systemd's journal reads them."""

import logging
import os
from pathlib import Path

import pytest

from demurrage.observe.journal import Prioritised, leads_to_journal


def test_only_the_stream_that_systemd_names_is_the_journals(tmp_path: Path) -> None:
    """A stream that was redirected to a file keeps its lines as they are."""
    with (tmp_path / "named").open("w") as named, (tmp_path / "other").open("w") as other:
        found = os.fstat(named.fileno())
        environ = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert leads_to_journal(named, environ)
        assert not leads_to_journal(other, environ)
        assert not leads_to_journal(named, {})


@pytest.mark.parametrize(
    ("level", "prefix"),
    [
        (logging.DEBUG, "<7>"),
        (logging.INFO, "<6>"),
        (logging.WARNING, "<4>"),
        (logging.ERROR, "<3>"),
        (logging.CRITICAL, "<2>"),
    ],
)
def test_each_level_has_its_priority(level: int, prefix: str) -> None:
    """`journalctl -p err` finds errors and nothing less."""
    record = logging.LogRecord("x", level, __file__, 1, "said", None, None)
    assert Prioritised(logging.Formatter("%(message)s")).format(record) == f"{prefix}said"
