"""What is remembered of a target's containers while this machine's clock is ahead."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

import pytest
from tests.unit.engine.test_look import Api, Clock, T

from demurrage.engine.inventory import InventoryWatch, remembered
from demurrage.model.container import Container, Sighting
from demurrage.model.listing import Listing, Region, Stretch
from demurrage.model.rules import Rules
from demurrage.store import SqlStore, open_store

AHEAD = 7200.0
ROW = Container("cntr_1", int(T) - 400, "running", int(T) - 400)
# Deleted a minute ago, and listed as if nothing had happened.
TOMBSTONE = Sighting(ROW, T - 400, T - 60, gone_at=T - 60, deleted_at=T - 60)
HORIZON = InventoryWatch("default", Api(), Rules()).horizon


@dataclass
class Listed(Api):
    """An API that lists one row, and tells the time only where asked to."""

    tells: bool = True

    async def read(self, regions: Sequence[Region]) -> Listing:
        """The row is all there is."""
        if self.tells:
            self.clock.time, self.clock.offset = T, -AHEAD
        whole = Stretch(regions[0], (ROW,), finished=True, reached_end=True, listed_at=T)
        return Listing(T, (whole,), 1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store that holds a tombstone."""
    with open_store(f"sqlite:///{tmp_path}/store.db") as opened:
        opened.save_sightings("default", [TOMBSTONE])
        yield opened


@pytest.mark.parametrize("now", [T, T + AHEAD, T - AHEAD, inf])
def test_what_went_lately_is_remembered_whatever_the_machines_clock_says(
    store: SqlStore, now: float
) -> None:
    """Else a tombstone that is still listed would pass for a new container."""
    assert remembered(store, "default", HORIZON, now) == {ROW.id: TOMBSTONE}
    assert remembered(store, "elsewhere", HORIZON, now) == {}


def test_what_went_long_before_the_last_birth_is_not_remembered(store: SqlStore) -> None:
    """A daemon that comes back takes over what may still matter, not all that ever was."""
    born = Container("cntr_2", int(T + HORIZON), "running", int(T + HORIZON))
    newborn = Sighting(born, T + HORIZON, T + HORIZON)
    store.save_sightings("default", [newborn])
    assert remembered(store, "default", HORIZON, T + HORIZON) == {born.id: newborn}


@pytest.mark.parametrize("tells", [True, False])
async def test_a_tombstone_outlives_a_start_on_a_clock_that_is_ahead(
    store: SqlStore, *, tells: bool
) -> None:
    """Nothing is forgotten before an answer has told the time, nor is the list read less often."""
    api = Listed(Clock(T + AHEAD, offset=None), tells)
    watch = InventoryWatch("default", api, Rules())
    watch.remember(remembered(store, "default", HORIZON, api.clock.now()), bootstrapped=True)
    census = await watch.look()
    assert census.born == ()
    assert not watch.sightings[ROW.id].alive


@pytest.mark.looptime
async def test_the_living_are_looked_at_again_though_the_clock_was_ahead_at_the_start() -> None:
    """How long ago that was is told by a clock that is never set."""
    asked: list[int] = []

    @dataclass
    class Asked(Listed):
        async def read(self, regions: Sequence[Region]) -> Listing:
            asked.append(len(regions))
            return await super().read(regions)

    alive = replace(ROW, id="cntr_0", created_at=ROW.created_at - 900)
    watch = InventoryWatch("default", Asked(Clock(T + AHEAD, offset=None)), Rules())
    known = (replace(TOMBSTONE, gone_at=None, deleted_at=None), Sighting(alive, T, T))
    watch.remember({each.id: each for each in known}, bootstrapped=True)
    for _ in range(3):
        await watch.look()
        await asyncio.sleep(Rules().watch.reconcile_interval / 2 + 1)
    assert [each > 1 for each in asked] == [True, False, True]
