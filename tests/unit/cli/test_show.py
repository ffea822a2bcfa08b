"""What a person sees on a terminal, however narrow it is."""

import pytest

from demurrage.cli import show

ID = "cntr_" + "0123456789abcdef" * 3
HEADERS = ("container", "tier", "age", "verdict", "why", "due", "saves")
WHY = (
    "no response, conversation or pin names it; every response that can have made it is done; "
    "the logged slots account for every container"
)
ROWS = [(ID, "16g", "1m 22s", "orphan", WHY, "in 3m 8s", "$0.0225"), (ID, *"------")]
WIDTHS = [40, 60, 80, 100, 120, 130, 160, 200]


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A terminal of some width."""
    monkeypatch.setattr(show, "on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def test_a_table_cuts_nothing_and_breaks_no_word(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every id, tier and word is there whole, on lines that fit unless an id alone does not."""
    show.table(HEADERS, ROWS, right=("age", "saves"))
    out = capsys.readouterr().out
    words = set(out.split())
    assert {*ROWS[0][1].split(), *WHY.split(), "16g", "orphan", "$0.0225"} <= words
    assert out.split().count(ID) == len(ROWS)
    for line in out.splitlines():
        assert "1m 22s" in line or "22s" not in line
        assert len(line.rstrip()) <= max(width, len(ID))


def test_a_wide_terminal_shows_one_row_beside_its_header(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The columns stand under their names where there is room."""
    monkeypatch.setattr(show, "on_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "250")
    show.table(HEADERS, ROWS[:1], right=("age", "saves"))
    header, _, row = (line for line in capsys.readouterr().out.splitlines() if line.strip())
    assert header.split() == list(HEADERS)
    assert row.index("orphan") == header.index("verdict")


def test_lines_break_between_words_and_commands_stay_whole(
    width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """No word is lost or halved, and a command can be copied."""
    command = "`demurrage writers retire my-app/4711`"
    line = f"Events         held by my-app/4711: no heartbeat; if it is gone for good, {command}."
    show.say(line)
    out = capsys.readouterr().out
    assert out.split() == line.split()
    assert command in out
    assert all(len(each) <= width or command in each for each in out.splitlines())


def test_a_pipe_gets_one_row_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Off a terminal nothing is wrapped, so that grep and awk can read it."""
    show.table(HEADERS, ROWS)
    show.say(WHY)
    header, first, _, line = capsys.readouterr().out.splitlines()
    assert header.split() == [each.upper() for each in HEADERS]
    assert WHY in first
    assert line == WHY
