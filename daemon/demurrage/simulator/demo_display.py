"""Where the demo shows itself: a live screen on a terminal, plain lines anywhere else."""

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live

from demurrage.simulator.demo_view import Screen
from demurrage.simulator.demo_words import opening, status_line

# Seconds between two plain lines.
_PACE = 5.0


class LiveDisplay:
    """The whole terminal; what was on it before comes back at the end."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, screen: Screen) -> None:
        """Draw the picture."""
        self._live.update(screen, refresh=True)


class PlainDisplay:
    """A line every few seconds, without colours, after one that says where to look closer."""

    def __init__(self) -> None:
        self._due = 0.0
        self._opened = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave what was printed."""

    def show(self, screen: Screen) -> None:
        """Print the line if it is time for one."""
        if screen.news is not None and time.monotonic() >= self._due:
            self._due = time.monotonic() + _PACE
            if not self._opened:
                self._opened = True
                say(opening(screen.url, screen.settings, screen.speed))
            say(status_line(screen.news, screen.elapsed))


def display(*, plain: bool) -> LiveDisplay | PlainDisplay:
    """The display that fits where the output goes."""
    console = Console()
    if plain or not console.is_terminal or console.is_dumb_terminal:
        return PlainDisplay()
    return LiveDisplay(console)


def say(*lines: str, to: TextIO | None = None) -> None:
    """Write lines, to standard output if nowhere else, and at once."""
    stream = to or sys.stdout
    stream.write("".join(f"{line}\n" for line in lines))
    stream.flush()
