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
INTERVAL = Rules().watch.interval


@dataclass
class Listed(Api):
    """An API that lists one row, `whole` or not at all, and tells the time only where asked to."""

    tells: bool = True
    whole: bool = True
    finished: bool = True
    keeps_time: bool = False
    rows: tuple[Container, ...] = (ROW,)
    asked: list[Region] = field(default_factory=list)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """The row is all there is."""
        self.asked += regions
        if self.keeps_time:
            self.clock.time = T + asyncio.get_running_loop().time()
        elif self.tells:
            self.clock.time, self.clock.offset = T, -AHEAD
        if not self.whole:
            return Listing(T + 1, (), 1, Failure(ConditionKind.TIMEOUT, "no answer"))
        ended = self.finished
        now = self.clock.time if self.keeps_time else T
        tail = Stretch(regions[0], self.rows, finished=ended, reached_end=ended, listed_at=now)
        return Listing(now, (tail,), 1)


async def look_at(watch: InventoryWatch, after: float) -> None:
    """Look, so many seconds later."""
    await asyncio.sleep(after)
    await watch.look()


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
    watch.remember(
        remembered(store, "default", HORIZON, api.clock.now()),
        bootstrapped=True,
        foot=ROW.created_at,
    )
    census = await watch.look()
    assert census.born == ()
    assert not watch.sightings[ROW.id].alive


@pytest.mark.looptime
async def test_when_all_that_lives_was_listed_is_known_of_this_process_alone() -> None:
    """Not from the store, not by looks that fell short, nor by a clock that is not trusted."""
    api = Listed(Clock(T + AHEAD, offset=None))
    watch = InventoryWatch("default", api, Rules())
    watch.remember({ROW.id: TOMBSTONE}, bootstrapped=True, foot=ROW.created_at)
    await look_at(watch, 0)
    assert watch.whole_as_of is None
    await look_at(watch, INTERVAL)
    assert watch.whole_as_of == T - INTERVAL
    api.clock.jumped = True
    assert watch.whole_as_of is None
    api.clock.jumped = False
    api.whole = False
    await look_at(watch, INTERVAL)
    assert watch.whole_as_of == T - 2 * INTERVAL
    api.clock.offset = None
    assert watch.whole_as_of is None
    api.clock.offset = 0.0
    watch.remember({}, bootstrapped=True, foot=None)
    assert watch.whole_as_of is None


@pytest.mark.looptime
async def test_one_look_alone_is_not_believed_to_show_all_that_lives() -> None:
    """A page may lose a row. What two looks have both read is as of the earlier one's moment."""
    api = Listed(Clock(T), keeps_time=True)
    watch = InventoryWatch("default", api, Rules())
    whole = []
    for seconds in (0, INTERVAL / 2, INTERVAL / 2, INTERVAL, 0, INTERVAL):
        await look_at(watch, seconds)
        whole.append(watch.whole_as_of)
    assert whole == [None, None, T, T + INTERVAL, T + INTERVAL, T + 2 * INTERVAL]


@pytest.mark.looptime
async def test_what_one_look_alone_has_read_is_read_once_more() -> None:
    """Else a row that it lost would never be listed: the next one reads from its foot on."""
    lost = Container("cntr_2", int(T) - 300, "running", int(T) - 300)
    newest = Container("cntr_3", int(T) - 5, "running", int(T) - 5)
    api = Listed(Clock(T), rows=(newest, ROW), keeps_time=True)
    watch = InventoryWatch("default", api, Rules())
    watch.remember({ROW.id: TOMBSTONE}, bootstrapped=True, foot=ROW.created_at)
    await look_at(watch, 0)
    assert watch.sightings.keys() == {ROW.id, newest.id}
    api.rows = (newest, lost, ROW)
    await look_at(watch, INTERVAL)
    assert lost.id in watch.sightings
    assert watch.whole_as_of == T
    await look_at(watch, INTERVAL)
    overlap = Rules().watch.overlap
    feet = [each.down_to for each in api.asked if each.after is None]
    assert feet == [ROW.created_at - overlap] * 2 + [newest.created_at - overlap]


@pytest.mark.looptime
async def test_the_whole_list_is_read_twice_before_its_end_is_not_asked_for_any_more() -> None:
    """At the first start of all nothing is known that could stand below what a page lost."""
    api = Listed(Clock(T), keeps_time=True)
    watch = InventoryWatch("default", api, Rules())
    for seconds in (0, INTERVAL, INTERVAL):
        await look_at(watch, seconds)
    foot = ROW.created_at - Rules().watch.overlap
    assert [each.down_to for each in api.asked] == [None, None, foot]


async def test_what_the_last_look_of_an_earlier_process_alone_had_read_is_read_again(
    store: SqlStore,
) -> None:
    """Nobody is left who knows whether it lost a row. What went long ago counts like the living."""
    api = Listed(Clock(T))
    watch = InventoryWatch("default", api, Rules())
    late = Container("cntr_2", int(T) - 200, "running", int(T) - 200)
    known = (TOMBSTONE, Sighting(late, T - 20, T - 20 + INTERVAL))
    store.save_sightings("default", known)
    foot = store.newest_birth("default", Rules().watch.freshness)
    watch.remember({}, bootstrapped=True, foot=foot)
    await watch.look()
    assert api.asked[0].down_to == ROW.created_at - Rules().watch.overlap


@pytest.mark.looptime
async def test_a_moment_that_a_wrong_clock_told_is_put_right_with_it() -> None:
    """By how long ago it was, for the label that it was given lies in the future."""
    api = Listed(Clock(T))
    watch = InventoryWatch("default", api, Rules())
    for seconds in (0, INTERVAL):
        await look_at(watch, seconds)
    await asyncio.sleep(600 - INTERVAL)
    api.clock.time = T - AHEAD + 600
    assert watch.whole_as_of == pytest.approx(T - AHEAD)
    api.clock.time = T + AHEAD
    assert watch.whole_as_of == T


async def test_a_tail_that_was_not_read_to_its_foot_does_not_raise_it(store: SqlStore) -> None:
    """Else what lies between would never be listed, now or after a restart."""
    api = Listed(Clock(T))
    watch = InventoryWatch("default", api, Rules())
    watch.remember({ROW.id: TOMBSTONE}, bootstrapped=True, foot=ROW.created_at)
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
    watch.remember(
        remembered(store, "default", HORIZON, T + AHEAD), bootstrapped=True, foot=ROW.created_at
    )
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
    watch.remember({old.id: gone}, bootstrapped=True, foot=ROW.created_at)
    await watch.look()
    assert watch.sightings.keys() == {ROW.id}


@pytest.mark.looptime
async def test_the_living_are_looked_at_again_though_the_clock_was_ahead_at_the_start() -> None:
    """How long ago that was is told by a clock that is never set."""
    api = Listed(Clock(T + AHEAD, offset=None))
    alive = replace(ROW, id="cntr_0", created_at=ROW.created_at - 900)
    watch = InventoryWatch("default", api, Rules())
    known = (replace(TOMBSTONE, gone_at=None, deleted_at=None), Sighting(alive, T, T))
    watch.remember({each.id: each for each in known}, bootstrapped=True, foot=ROW.created_at)
    asked = []
    for _ in range(3):
        api.asked.clear()
        await watch.look()
        asked.append(len(api.asked))
        await asyncio.sleep(Rules().watch.reconcile_interval / 2 + 1)
    assert [each > 1 for each in asked] == [True, False, True]
