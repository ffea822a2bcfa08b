import io

import pytest
from rich.console import Console

from demurrage.simulator.demo_display import PlainDisplay, display
from demurrage.simulator.demo_news import News, Row, Standing
from demurrage.simulator.demo_view import Screen

URL = "http://127.0.0.1:54321"
NOW = 1_790_000_000.0
ROWS = tuple(
    Row(
        id=f"cntr_{number:048x}",
        target=("default", "legacy")[number % 2],
        tier="64g",
        created_at=int(NOW) - number,
        gone_at=NOW - 1 if number > 20 else None,
        swept_at=NOW - 1 if number > 20 and number % 2 == 0 else None,
        verdict=("orphan", "pending", "referenced", "unproven", "released")[number % 5],
        code=("no_reference", "log_not_complete", "named_by_response", "suspect", "unheard")[
            number % 5
        ],
        due_at=NOW + 5 if number % 5 == 0 else None,
        response=f"resp_{number:048x}",
    )
    for number in range(80)
)
STANDING = Standing(
    target="default",
    coverage="complete",
    created=12_345,
    referenced=2_345,
    orphans=10_000,
    swept=10_000,
    before_floor=9_999,
    predicted=3,
    refuted=1,
    saved="$0 to $12,345.67",
    kept={("referenced", f"reason_number_{number}"): number for number in range(9)},
    incidents=("unlogged_makers", "foreign_containers", "coverage_broken", "silent_writer"),
    holds=(),
    live=345,
    true_orphans=10_001,
    true_swept=10_000,
    true_in_time=9_999,
    left_usd=12_345.67,
    cost_usd=3_086.42,
    harm=0,
    retrieves=0,
)
NEWS = News(NOW, ROWS, (STANDING, STANDING))


def _drawn(news: News | None, width: int, height: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=False)
    console.print(Screen(news, 61.0, 12.0, URL, "/demo.toml", ("a line " * 40,) * 6))
    written = console.file
    assert isinstance(written, io.StringIO)
    return written.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "height"), [(60, 24), (60, 45), (80, 24), (100, 35), (140, 45), (200, 60)]
)
@pytest.mark.parametrize("news", [None, News(NOW, (), (STANDING, STANDING)), NEWS])
def test_the_screen_fits_the_terminal(news: News | None, width: int, height: int) -> None:
    """No picture is wider or higher than the terminal, however much there is to show."""
    lines = _drawn(news, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width
    assert "Ctrl-C ends it" in lines[1]


def test_a_narrow_terminal_shows_figures_whole() -> None:
    """Targets stand below each other where there is the height, and fates are not cut."""
    text = "\n".join(_drawn(NEWS, 60, 45))
    assert text.count("10000 proven, 10000 swept, 9999 in time") == 2
    assert text.count("0 deletes did harm, 0 retrieves") == 2
    assert "what becomes of it" in text


def test_both_ends_of_a_life_show() -> None:
    """The newest container is in the table, and so is one that was swept."""
    text = "\n".join(_drawn(NEWS, 100, 35))
    assert ROWS[0].id[-6:] in text
    assert any(row.id[-6:] in text for row in ROWS if row.swept_at is not None)


def test_plain_lines_are_printed_off_a_terminal() -> None:
    """Where nobody looks at a screen there are lines, and no control codes."""
    assert isinstance(display(plain=False), PlainDisplay)


def test_plain_lines_hold_no_colour_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe gets text alone, one line at a time, and first of all where to look closer."""
    with PlainDisplay() as shown:
        for _ in range(3):
            shown.show(Screen(NEWS, 61.0, 12.0, URL, "/demo.toml", ()))
    written = capsys.readouterr().out
    opening, line = written.splitlines()
    assert URL in opening
    assert "--config /demo.toml" in opening
    assert (opening + line).isprintable()
