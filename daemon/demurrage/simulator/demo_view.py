"""The demo's screen: the latest containers above, what came of them all below."""

from dataclasses import dataclass

from rich.box import ROUNDED
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demurrage.simulator import demo_words as words
from demurrage.simulator.demo_news import News, Row, Standing
from demurrage.web.words import why as reason_of

_STYLES = {
    "orphan": "red",
    "released": "yellow",
    "referenced": "green",
    "explicit": "green",
    "pending": "cyan",
    "unproven": "magenta",
}
_HEADER = 3
# Lines of a target's panel, its frame included.
_PANEL = 14
_KEPT = 4
_LOG = 4
# What a panel needs beside another, and a table that also says why; narrower ones show less.
_PANEL_WIDTH = 46
_WITH_WHY = 80
# What the table keeps where panels stand below each other.
_ROWS = 5
# The share of the table that is kept for containers that are gone.
_ENDED = 0.4
# From this height on there is room for the daemon's log as well.
_TALL = 42


@dataclass(frozen=True, slots=True)
class Screen:
    """One picture of it all, fitted to whatever terminal it is drawn on.

    `elapsed` is in real seconds; `log` has the daemon's last lines, shortened; `switch` says what
    Enter does, empty where nobody listens for it. `settings` is the daemon's settings file.
    """

    news: News | None
    elapsed: float
    speed: float
    url: str
    settings: str
    log: tuple[str, ...]
    switch: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it in exactly the terminal's height."""
        height = options.height or console.size.height
        yield self._header()
        if self.news is None:
            yield Text("\nThe daemon is starting …", style="dim")
            return
        wide, count = options.max_width, len(self.news.standings)
        stacked = wide < count * _PANEL_WIDTH and height > _HEADER + count * _PANEL + _ROWS
        panels = count * _PANEL if stacked else _PANEL
        log = _LOG + 1 if height - panels >= _TALL - _PANEL else 0
        rows = max(3, height - _HEADER - panels - log - 1)
        yield self._table(self.news, rows, why=wide >= _WITH_WHY)
        yield self._panels(self.news, stacked=stacked)
        if log:
            yield self._log()

    def _header(self) -> RenderableType:
        first = Text(no_wrap=True, overflow="ellipsis")
        first.append("Demurrage", style="bold")
        first.append(f"  the real daemon in a simulated harbour · {self.url} · dollars estimated")
        second = Text(no_wrap=True, overflow="ellipsis", style="dim")
        # What a narrow terminal cuts off stands last.
        keys = "Ctrl-C ends it" + (f", {self.switch}" if self.switch else "")
        second.append(f"{words.clock(self.elapsed)} · {keys} · {self.speed:g} times ")
        second.append("faster than life; times are told as in life")
        return Group(first, second, Text())

    def _table(self, news: News, rows: int, *, why: bool) -> RenderableType:
        table = Table(box=None, padding=(0, 1, 0, 0), expand=True, header_style="bold dim")
        for name, width in (("container", 9), ("target", 7), ("tier", 4)):
            table.add_column(name, width=width, no_wrap=True)
        table.add_column("age", width=5, no_wrap=True, justify="right")
        table.add_column("verdict", width=10, no_wrap=True)
        if why:
            table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
            table.add_column("response", width=8, no_wrap=True)
        table.add_column("what becomes of it", width=18, no_wrap=True)
        for row in _chosen(news.rows, rows):
            table.add_row(*self._cells(row, news.at, why=why))
        for _ in range(rows - len(news.rows)):
            table.add_row()
        return table

    def _cells(self, row: Row, now: float, *, why: bool) -> list[Text]:
        gone = row.gone_at is not None
        style = "dim" if gone else ""
        verdict = _STYLES.get(row.verdict, "")
        fate = words.fate(row, now, self.speed)
        ending = "bold green" if row.swept_at else style or ("red" if row.due_at else "")
        reason = [reason_of(row.verdict, row.code), words.short(row.response)] if why else []
        return [
            Text(words.short(row.id), style=style),
            Text(row.target, style=style),
            Text(row.tier, style=style),
            Text(words.age(row, now, self.speed), style=style),
            Text(row.verdict, style=f"dim {verdict}" if gone else verdict),
            *(Text(each, style=style) for each in reason),
            Text(fate, style=ending),
        ]

    def _panels(self, news: News, *, stacked: bool) -> RenderableType:
        if stacked:
            return Group(*map(_panel, news.standings))
        grid = Table.grid(expand=True, padding=0)
        for _ in news.standings:
            grid.add_column(ratio=1)
        grid.add_row(*(_panel(each) for each in news.standings))
        return grid

    def _log(self) -> RenderableType:
        lines = [Text("the daemon's log", style="bold dim")]
        lines += [
            Text(line, style="dim", no_wrap=True, overflow="ellipsis") for line in self.log[-_LOG:]
        ]
        return Group(*lines)


def _chosen(rows: tuple[Row, ...], count: int) -> list[Row]:
    """Newborns above, and below them those that went last, so that both ends of a life show."""
    newborn = rows[: count - int(count * _ENDED)]
    older = [each for each in rows[len(newborn) :] if each.gone_at is not None]
    ended = sorted(older, key=lambda each: each.gone_at or 0.0, reverse=True)
    return [*newborn, *ended[: count - len(newborn)]]


def _panel(standing: Standing) -> RenderableType:
    """One target: its running totals."""
    complete = standing.coverage == "complete"
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=12, style="dim", no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    grid.add_row("created", f"{standing.created}, {standing.live} alive")
    grid.add_row("referenced", str(standing.referenced))
    orphans = f"{standing.orphans} proven"
    if complete:
        orphans += f", {standing.true_swept} swept, {standing.true_in_time} in time"
    else:
        orphans += f", {standing.true_orphans} in truth"
    grid.add_row("orphans", orphans)
    grid.add_row("swept", f"{standing.swept} in all, {standing.before_floor} before the floor")
    if complete:
        grid.add_row("saved", f"{standing.saved} by those, est.")
    else:
        grid.add_row("score", words.score(standing))
    grid.add_row(
        "orphans cost",
        f"{words.usd(standing.cost_usd)} of {words.usd(standing.left_usd)} if left, est.",
    )
    grid.add_row("harm", _harm(standing))
    grid.add_row("incidents", _incidents(standing))
    reasons = list(words.kept(standing))[:_KEPT]
    for place in range(_KEPT):
        count, why = reasons[place] if place < len(reasons) else ("", "")
        grid.add_row("" if place else "kept, why", f"{count} {why}")
    says = "every maker logs" if complete else "not every maker logs"
    title = Text.assemble((standing.target, "bold"), f" · {says}")
    return Panel(grid, title=title, title_align="left", box=ROUNDED, height=_PANEL)


def _harm(standing: Standing) -> Text:
    style = "bold red" if standing.harm else "bold green"
    return Text.assemble(
        (f"{standing.harm} deletes did harm", style), f", {standing.retrieves} retrieves"
    )


def _incidents(standing: Standing) -> Text:
    if standing.holds:
        return Text(f"HELD: {', '.join(standing.holds)}", style="bold red")
    # What stands here is about containers; without the word two of them fit beside each other.
    shown = (each.removesuffix("_containers").replace("_", " ") for each in standing.incidents)
    named = ", ".join(shown)
    return Text(named or "none", style="yellow" if named else "")
