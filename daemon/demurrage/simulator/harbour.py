"""The harbour as a whole: a port, its faults and its record of calls."""

import asyncio
import time
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from demurrage.simulator.calls import Calls
from demurrage.simulator.clock import HarbourClock
from demurrage.simulator.faults import Faults
from demurrage.simulator.planting import Planting, plant
from demurrage.simulator.port import Port
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.truth import case, totals


class Harbour:
    """A fake API's state; `serve.HarbourServer` puts it on the network.

    Args:
        settings: the knobs it starts with.
        seed: everything random follows from it.
        source: inner time in epoch seconds.
    """

    def __init__(
        self,
        settings: HarbourSettings | None = None,
        *,
        seed: int = 0,
        source: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or HarbourSettings()
        self.clock = HarbourClock(source)
        self.port = Port(settings, self.clock, seed)
        self.port.turn(settings)
        self.faults = Faults(Random(seed + 1))  # noqa: S311 - repeats itself from its seed
        self.calls = Calls()

    async def until(self, moment: float) -> None:
        """Wait for an inner moment and make happen what is due."""
        # The loop's clock and ours may disagree by a hair, hence not just one sleep.
        while (left := moment - self.clock.now()) > 0:  # noqa: ASYNC110 - see above
            await asyncio.sleep(left)
        self.port.advance()

    def change(self, changes: Mapping[str, Any]) -> HarbourSettings:
        """Turn knobs.

        Raises:
            ValueError: a knob is unknown or its value is of the wrong kind.
        """
        self.port.advance()
        changed = self.port.settings.changed(changes)
        self.port.turn(changed)
        return changed

    def seed_rows(self, planting: Planting) -> dict[str, int]:
        """Plant rows with a past; counts by kind."""
        return plant(self.port, planting)

    def truth(self, *, containers: bool = True) -> dict[str, Any]:
        """What really happened: totals, and one case for each container."""
        self.port.advance()
        told: dict[str, Any] = {"totals": totals(self.port)}
        told["totals"]["faults"] = sum(rule.hits for rule in self.faults.rules)
        told |= self.calls.counts()
        if containers:
            told["containers"] = [case(self.port, berth) for berth in self.port.berths]
        return told
