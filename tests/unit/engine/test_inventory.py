"""What is remembered of a target's containers while this machine's clock is ahead."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

import pytest
from tests.unit.engine.test_look import Api, Clock, T

from demurrage.engine.inventory import InventoryWatch, remembered
from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container, Sighting
from demurrage.model.listing import Failure, Listing, Region, Stretch
from demurrage.model.rules import Rules
from demurrage.store import SqlStore, open_store

AHEAD = 7200.0
ROW = Container("cntr_1", int(T) - 400, "running", int(T) - 400)
# Deleted a minute ago, and listed as if nothing had happened.
TOMBSTONE = Sighting(ROW, T - 400, T - 60, gone_at=T - 60, deleted_at=T - 60)
HORIZON = InventoryWatch("default", Api(), Rules()).horizon


@dataclass
class Listed(Api):
    """An API that lists one row, `whole` or not at all, and tells the time only where asked to."""

    tells: bool = True
    whole: bool = True
    finished: bool = True
    rows: tuple[Container, ...] = (ROW,)
    asked: list[Region] = field(default_factory=list)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """The row is all there is."""
        self.asked += regions
        if self.tells:
            self.clock.time, self.clock.offset = T, -AHEAD
        if not self.whole:
            return Listing(T + 1, (), 1, Failure(ConditionKind.TIMEOUT, "no answer"))
        ended = self.finished
        tail = Stretch(regions[0], self.rows, finished=ended, reached_end=ended, listed_at=T)
        return Listing(T, (tail,), 1)


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
    api = Listed(Clock(T + AHEAD, offset=None), tells=tells)
    watch = InventoryWatch("default", api, Rules())
    watch.remember(remembered(store, "default", HORIZON, api.clock.now()), bootstrapped=True)
    census = await watch.look()
    assert census.born == ()
    assert not watch.sightings[ROW.id].alive


@pytest.mark.looptime
async def test_when_all_that_lives_was_listed_is_known_of_this_process_alone() -> None:
    """Not from the store, not by a look that fell short, nor by a clock that is not trusted."""
    api = Listed(Clock(T + AHEAD, offset=None))
    watch = InventoryWatch("default", api, Rules())
    watch.remember({ROW.id: TOMBSTONE}, bootstrapped=True)
    assert watch.whole_as_of is None
    await watch.look()
    assert watch.whole_as_of == T
    api.clock.jumped = True
    assert watch.whole_as_of is None
    api.clock.jumped = False
    api.whole = False
    await watch.look()
    assert watch.whole_as_of == T
    api.clock.offset = None
    assert watch.whole_as_of is None
    api.clock.offset = 0.0
    watch.remember({}, bootstrapped=True)
    assert watch.whole_as_of is None


@pytest.mark.looptime
async def test_a_moment_that_a_wrong_clock_told_is_put_right_with_it() -> None:
    """By how long ago it was, for the label that it was given lies in the future."""
    api = Listed(Clock(T))
    watch = InventoryWatch("default", api, Rules())
    await watch.look()
    await asyncio.sleep(600)
    api.clock.time = T - AHEAD + 600
    assert watch.whole_as_of == pytest.approx(T - AHEAD)
    api.clock.time = T + AHEAD
    assert watch.whole_as_of == T


async def test_a_tail_that_was_not_read_to_its_foot_does_not_raise_it(store: SqlStore) -> None:
    """Else what lies between would never be listed, now or after a restart."""
    api = Listed(Clock(T))
    watch = InventoryWatch("default", api, Rules())
    watch.remember({ROW.id: TOMBSTONE}, bootstrapped=True)
    above = Container("cntr_2", int(T) - 5, "running", int(T) - 5)
    api.rows, api.finished = (above, ROW), False
    census = await watch.look()
    assert census.born == ()
    store.save_sightings("default", census.changed)
    assert remembered(store, "default", HORIZON, T).keys() == {ROW.id}
    api.finished = True
    assert (await watch.look()).born == (above.id,)
    assert {each.down_to for each in api.asked} == {ROW.created_at - Rules().watch.overlap}


async def test_a_false_row_from_the_future_hides_no_tombstone(store: SqlStore) -> None:
    """Nobody saw a birth before it happened, so that no such row tells what time it is."""
    false = Container("cntr_9", int(T + 10 * AHEAD), "running", int(T))
    store.save_sightings("default", [Sighting(false, T - 90, T - 90)])
    api = Listed(Clock(T + AHEAD, offset=None), tells=False)
    watch = InventoryWatch("default", api, Rules())
    watch.remember(remembered(store, "default", HORIZON, T + AHEAD), bootstrapped=True)
    await watch.look()
    assert not watch.sightings[ROW.id].alive
    assert api.asked[0].down_to == ROW.created_at - Rules().watch.overlap


async def test_what_went_long_ago_is_let_go_of_though_no_answer_tells_the_time() -> None:
    """Births tell how much of it has passed."""
    old = replace(ROW, id="cntr_0", created_at=ROW.created_at - int(HORIZON) - 9)
    gone = replace(TOMBSTONE, container=old, gone_at=old.created_at + 1.0)
    api = Listed(Clock(T - AHEAD, offset=None), tells=False)
    api.clock.time = T
    watch = InventoryWatch("default", api, Rules())
    watch.remember({old.id: gone}, bootstrapped=True)
    await watch.look()
    assert watch.sightings.keys() == {ROW.id}


@pytest.mark.looptime
async def test_the_living_are_looked_at_again_though_the_clock_was_ahead_at_the_start() -> None:
    """How long ago that was is told by a clock that is never set."""
    api = Listed(Clock(T + AHEAD, offset=None))
    alive = replace(ROW, id="cntr_0", created_at=ROW.created_at - 900)
    watch = InventoryWatch("default", api, Rules())
    known = (replace(TOMBSTONE, gone_at=None, deleted_at=None), Sighting(alive, T, T))
    watch.remember({each.id: each for each in known}, bootstrapped=True)
    asked = []
    for _ in range(3):
        api.asked.clear()
        await watch.look()
        asked.append(len(api.asked))
        await asyncio.sleep(Rules().watch.reconcile_interval / 2 + 1)
    assert [each > 1 for each in asked] == [True, False, True]
