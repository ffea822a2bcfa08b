"""When the daemon calls itself started and alive."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from demurrage.app.reporting import report, words
from demurrage.model.plan import Mode
from demurrage.model.rules import Rules
from demurrage.web.service import Service


@dataclass
class Wheel:
    """Cycles as they are told of."""

    statuses: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    turned_at: dict[str, float] = field(default_factory=dict)

    def provider_time(self, target: str) -> float | None:
        """See Wheel."""
        raise NotImplementedError

    def miss(self) -> None:
        """Nothing is told of it."""


@dataclass
class Told:
    """A manager that remembers, with moments of the loop."""

    beat_every: float | None = 10.0
    said: list[tuple[float, str]] = field(default_factory=list)

    def _note(self, what: str) -> None:
        self.said.append((round(asyncio.get_running_loop().time(), 1), what))

    def ready(self) -> None:
        """See Manager."""
        self._note("ready")

    def beat(self) -> None:
        """See Manager."""
        self._note("beat")

    def status(self, line: str) -> None:
        """See Manager."""
        if not self.said or self.said[-1][1] != line:
            self._note(line)

    def moments(self, what: str) -> list[float]:
        """When something was said."""
        return [at for at, said in self.said if said == what]


def service(wheel: Wheel, targets: tuple[str, ...] = ("default",)) -> Service:
    """A daemon of which only the cycles are looked at."""
    nothing = cast("Any", None)
    return Service(
        engine=wheel,
        store=nothing,
        log=nothing,
        rules=dict.fromkeys(targets, Rules()),
        mode=Mode.OBSERVE,
        version="0",
        started_at=asyncio.get_running_loop().time(),
        clock=lambda: 0.0,
        budget=nothing,
        exposition=nothing,
        on_webhook=nothing,
    )


async def _run(wheel: Wheel, told: Told, seconds: float, targets: tuple[str, ...]) -> None:
    task = asyncio.create_task(report(service(wheel, targets), cast("Any", told)))
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


pytestmark = pytest.mark.looptime


async def test_ready_comes_with_the_first_cycle_of_every_target() -> None:
    """A cycle that failed counts, since it was tried; one target's does not stand for another's."""
    wheel, told = Wheel(), Told()
    loop = asyncio.get_running_loop()
    loop.call_later(3, lambda: wheel.turned_at.update(one=loop.time()))
    loop.call_later(7, lambda: wheel.turned_at.update(two=loop.time()))
    await _run(wheel, told, 20, ("one", "two"))
    (at,) = told.moments("ready")
    assert 7 <= at <= 7.2


async def test_a_cycle_that_hangs_starves_the_watchdog() -> None:
    """The loop still turns, and that alone must not feed it."""
    wheel, told = Wheel(), Told()
    wheel.turned_at["default"] = 0.0
    await _run(wheel, told, 300, ("default",))
    patience = 60
    assert told.moments("beat")
    assert max(told.moments("beat")) <= patience
    assert any("the last cycle ended" in what for _, what in told.said)


async def test_the_watchdog_is_fed_while_cycles_end() -> None:
    """Beats come at the pace that was asked for."""
    wheel, told = Wheel(), Told(beat_every=2.0)

    async def turn() -> None:
        while True:
            wheel.turned_at["default"] = asyncio.get_running_loop().time()
            await asyncio.sleep(30)

    turning = asyncio.create_task(turn())
    await _run(wheel, told, 120, ("default",))
    turning.cancel()
    assert len(told.moments("beat")) > 50


async def test_a_first_cycle_that_hangs_is_no_start() -> None:
    """Nothing was tried yet, so neither ready nor, after its patience, alive."""
    told = Told()
    await _run(Wheel(), told, 200, ("default",))
    assert not told.moments("ready")
    assert max(told.moments("beat")) <= 61


async def test_the_words_name_mode_counts_and_trouble() -> None:
    """A person who reads `systemctl status` sees what matters in one line."""
    loop = asyncio.get_running_loop()
    wheel = Wheel()
    wheel.turned_at["default"] = loop.time()
    wheel.statuses["default"] = {
        "effective_mode": "enforce",
        "verdicts": {"orphan": 2, "referenced": 3, "pending": 0},
        "cycle": {"complete": False},
        "conditions": [{"kind": "unreachable"}],
    }
    line = words(service(wheel))
    assert line.startswith("enforce; containers: 2 orphan, 3 referenced; ")
    assert "unreachable" in line
