"""Kills a daemon again and again, at random and at the moments that hurt most."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.integration.process.daemon import Daemon
from tests.proof.witness import Trap, Witness

from demurrage.simulator.delivery import CloudEvent, Send, over_http
from demurrage.store import open_store

# What each kill aims at, and its share. What does not come about in time becomes a kill at random.
AIMS = {
    "at random": 0.35,
    "while it starts": 0.15,
    "an intent was written, its DELETE perhaps not sent": 0.2,
    Trap.ARRIVED.value: 0.1,
    Trap.CARRIED_OUT.value: 0.1,
    "while events are appended": 0.1,
}
_PATIENCE = 30.0
# Far more than a start takes; a machine may have other work.
_READY = 180.0
_LOOK = 0.001
_PERSON = "a person between two kills"


class Courier:
    """Takes batches to the daemon, and keeps what was acknowledged."""

    def __init__(self, daemon: Daemon) -> None:
        self.acknowledged: Counter[tuple[str, int]] = Counter()
        self.posting = asyncio.Event()
        self._send: Send = over_http(daemon.url, daemon.token)

    async def send(self, events: Sequence[CloudEvent]) -> None:
        """Deliver a batch, or raise OSError."""
        self.posting.set()
        try:
            await self._send(events)
        finally:
            self.posting.clear()
        for event in events:
            self.acknowledged[event["source"], event["sequence"]] += 1


@dataclass(slots=True)
class Marksman:
    """`kill -9`, as often as asked.

    `kills` counts them by what they met; `open_unsent` and `open_sent` count the intents that
    they left without an outcome, by whether the harbour has seen a DELETE of that container.
    `confirmed` counts how often coverage had to be confirmed, which a busy machine makes late
    starts break.
    """

    daemon: Daemon
    witness: Witness
    courier: Courier
    rng: Random
    kills: Counter[str] = field(default_factory=Counter)
    open_unsent: int = 0
    open_sent: int = 0
    confirmed: int = 0

    async def shoot(self, times: int) -> None:
        """Start the daemon and kill it, so many times; it is left dead."""
        for _ in range(times):
            self.daemon.start()
            aim = self.rng.choices(list(AIMS), list(AIMS.values()))[0]
            met = await self._aimed(aim)
            await asyncio.to_thread(self.daemon.kill)
            self.kills[aim if met else "at random"] += 1
            await asyncio.to_thread(self._look_around)

    def _look_around(self) -> None:
        if not self.daemon.database.exists():
            return
        for each in set(self.witness.open_intents()):
            if self.witness.deletes[each]:
                self.open_sent += 1
            else:
                self.open_unsent += 1
        with open_store(self.daemon.database_url) as store:
            now = time.time()
            if store.facts("default", now).breaks:
                self.confirmed += 1
                store.confirm_coverage("default", now, _PERSON)

    async def _aimed(self, aim: str) -> bool:
        """Wait for the moment of an aim; False where it did not come."""
        if aim == "while it starts":
            await asyncio.sleep(self.rng.uniform(0.0, 1.5))
            return True
        if aim in {Trap.ARRIVED.value, Trap.CARRIED_OUT.value}:
            return await self._trapped(Trap(aim))
        if aim not in {"at random", "while events are appended"}:
            return await asyncio.to_thread(self._intended)
        await asyncio.to_thread(self.daemon.wait_until_ready, _READY)
        await asyncio.sleep(self.rng.uniform(0.0, 3.0))
        return aim == "at random" or await self._appending()

    async def _trapped(self, trap: Trap) -> bool:
        assert self.daemon.process is not None
        self.witness.set(trap, self.daemon.process.kill)
        end = time.monotonic() + _PATIENCE
        while (  # noqa: ASYNC110 - a process has no event
            self.daemon.process.poll() is None and time.monotonic() < end
        ):
            await asyncio.sleep(0.02)
        return not self.witness.disarm()

    async def _appending(self) -> bool:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self.courier.posting.wait()
        except TimeoutError:
            return False
        await asyncio.sleep(self.rng.uniform(0.0, 0.01))
        return True

    def _intended(self) -> bool:
        """Wait for an intent that was not there, and kill within moments."""
        assert self.daemon.process is not None
        before = self.witness.newest_intent()
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if self.witness.newest_intent() > before:
                self.daemon.process.kill()
                return True
            time.sleep(_LOOK)
        return False
