"""`demurrage demo`: the real daemon at work in a simulated harbour, with no key and no cost."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from demurrage.simulator import demo_words as words
from demurrage.simulator.demo_daemon import DaemonDiedError, DemoDaemon, shorten
from demurrage.simulator.demo_display import LiveDisplay, PlainDisplay, display, say
from demurrage.simulator.demo_news import News, Reporter
from demurrage.simulator.demo_stage import Stage
from demurrage.simulator.demo_times import rules, settings_text
from demurrage.simulator.demo_view import Screen

# The paid five minutes take 25 seconds, so three minutes show a container's whole life.
SPEED = 12.0
# Real seconds between two pictures.
_PACE = 0.5
# Births are whole seconds: the first must not fall into that of the first cycle, from which on
# coverage counts.
_AFTER_FIRST_CYCLE = 1.2
_LOG_LINES = 6


@dataclass(frozen=True, slots=True)
class Ended:
    """How the demo came out; `asked`: it ran as long as it was told to. `harm` is the truth."""

    news: News | None
    asked: bool
    harm: int

    @property
    def idle(self) -> bool:
        """True when nobody cut it short, and it has swept no orphan all the same."""
        swept = self.news is not None and any(each.true_swept for each in self.news.standings)
        return self.asked and not swept

    @property
    def code(self) -> int:
        """The exit code: 0 if no delete did harm and, unless cut short, orphans were swept."""
        return 1 if self.harm or self.idle else 0


def main(
    seconds: float | None = None,
    *,
    seed: int = 7,
    leak: bool = False,
    plain: bool = False,
    speed: float = SPEED,
) -> int:
    """Run the demo until Ctrl-C, or for so long; returns the exit code.

    Args:
        seconds: real seconds of work after the start, None for no end.
        seed: which conversations are held.
        leak: the models hardly ever use the tool that they are offered, until SIGUSR1, or Enter on
            a terminal, turns that.
        plain: print lines instead of the live screen, as is done off a terminal anyway.
        speed: how many times faster than life; above 20, whole seconds get in the way.
    """
    return asyncio.run(_demo(seconds, display(plain=plain), seed=seed, leak=leak, speed=speed))


async def _demo(
    seconds: float | None,
    shown: LiveDisplay | PlainDisplay,
    *,
    seed: int,
    leak: bool,
    speed: float,
) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with TemporaryDirectory(prefix="demurrage-demo-") as folder:
        stage = Stage(Path(folder), speed=speed, seed=seed, leak=leak)
        stage.place.config.write_text(settings_text(stage.place, speed))
        loop.add_signal_handler(signal.SIGUSR1, stage.turn)
        enter = _hear_enter(loop, stage)
        with stage:
            try:
                ended = await _Performance(stage, shown, stop, speed, enter=enter).give(seconds)
            except DaemonDiedError as error:
                say(f"demurrage: {error}; its last lines:", *error.lines, to=sys.stderr)
                return 1
    if ended.news is not None:
        say(*words.summary(ended.news))
    if ended.idle:
        say(f"demurrage: {_too_short(speed)}", to=sys.stderr)
    return ended.code


def _hear_enter(loop: asyncio.AbstractEventLoop, stage: Stage) -> bool:
    """Let Enter on a terminal turn the leak on and off; False where there is no terminal."""
    if sys.stdin is None or not sys.stdin.isatty():
        return False
    terminal = sys.stdin.fileno()

    def entered() -> None:
        # What is typed while the demo is in the background is meant for somebody else.
        if os.tcgetpgrp(terminal) != os.getpgrp():
            return
        if os.read(terminal, 1024):
            stage.turn()
        else:  # the end of what is typed: Ctrl-D
            loop.remove_reader(terminal)

    loop.add_reader(terminal, entered)
    return True


def _too_short(speed: float) -> str:
    """Why nothing was swept, and how long it takes."""
    scaled = rules(speed)
    due = scaled.billing.minimum - scaled.policy.sweep_lead
    return (
        f"no orphan was swept; none falls due sooner than {due:.0f} seconds after its birth, so "
        f"let the demo run for at least {2 * due:.0f}"
    )


class _Performance:
    """Raises the daemon, holds conversations, shows what happens, and takes it all down."""

    def __init__(
        self,
        stage: Stage,
        shown: LiveDisplay | PlainDisplay,
        stop: asyncio.Event,
        speed: float,
        *,
        enter: bool,
    ) -> None:
        self._stage = stage
        self._shown = shown
        self._stop = stop
        self._speed = speed
        self._enter = enter
        self._daemon = DemoDaemon(stage.place)
        self._reporter = Reporter(stage)
        self._began = time.monotonic()

    async def give(self, seconds: float | None) -> Ended:
        """All of it, from the daemon's start to its end.

        Raises:
            DaemonDiedError: the daemon ended by itself.
        """
        self._daemon.start()
        try:
            with self._shown:
                self._show(None)
                await self._daemon.ready(self._stop)
                await self._pause(_AFTER_FIRST_CYCLE)
                news = await self._watch(seconds)
        finally:
            await asyncio.to_thread(self._daemon.stop)
        harm = await asyncio.to_thread(self._reporter.harm)
        return Ended(news, asked=not self._stop.is_set(), harm=harm)

    async def _watch(self, seconds: float | None) -> News | None:
        """Show the news until it is time to end; returns the last."""
        curtain = asyncio.Event()
        playing = asyncio.create_task(self._stage.play(curtain))
        self._began = time.monotonic()
        end = float("inf") if seconds is None else self._began + seconds
        news = None
        try:
            while not (self._stop.is_set() or playing.done() or time.monotonic() >= end):
                self._daemon.check()
                news = await self._reporter.ask() or news
                self._show(news)
                await self._pause(_PACE)
        finally:
            curtain.set()
            await playing
        return await self._reporter.ask() or news

    def _show(self, news: News | None) -> None:
        elapsed = time.monotonic() - self._began
        log = tuple(map(shorten, self._daemon.last_lines(_LOG_LINES)))
        switch = words.switch(leaking=self._stage.leaking) if self._enter else ""
        place = self._stage.place
        self._shown.show(
            Screen(news, elapsed, self._speed, place.url, str(place.config), log, switch)
        )

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
