"""Whoever waits is told for what."""

import io
import sys

import pytest

from demurrage.cli.waiting import waiting


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_each_word_is_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On standard error: the answer is for programs."""
    with waiting() as tell:
        tell("listing one")
        tell("listing two")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["demurrage: listing one", "demurrage: listing two"]


def test_on_a_terminal_nothing_of_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown with brackets as they are, a control character is not, and the line is wiped."""
    shown = _Terminal()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    with waiting() as tell:
        tell("listing [one]\x07")
    assert "listing [one]" in shown.getvalue()
    assert "\x07" not in shown.getvalue()
    assert shown.getvalue().endswith("\x1b[2K")
