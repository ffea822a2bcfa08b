"""The check of the check: by what moment a delete is judged."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from tests.simulation.daemon import Place
from tests.simulation.faults import Dice
from tests.simulation.logbook import Office
from tests.simulation.loop import Agenda
from tests.simulation.shape import Shape
from tests.simulation.telling import Post
from tests.simulation.truth import TARGETS, Made, Story
from tests.simulation.watch import Watch

from demurrage.engine.ports import ContainersApi
from demurrage.model.condition import ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.verdict import VerdictKind

_ID = "cntr_1"
_SHORT = Failure(ConditionKind.TIMEOUT, "no answer in time")
_Hindrance = Callable[[], Failure | None]


class _Api:
    """Lists as told, and tells which deletes leave; none arrives by itself."""

    def __init__(self, left: Callable[[str], None]) -> None:
        self.failure: Failure | None = None
        self.asks = True
        self.waits: Callable[[], None] = lambda: None
        self._left = left

    async def read(self, regions: Sequence[Region]) -> Listing:
        return Listing(0.0, (), 1, self.failure)

    async def delete(self, container_id: str, hindrance: _Hindrance) -> DeleteAnswer:
        if self.asks and (hindered := hindrance()) is not None:
            return DeleteAnswer(container_id, DeleteOutcome.FAILED, hindered)
        self.waits()
        self._left(container_id)
        return DeleteAnswer(container_id, DeleteOutcome.UNCERTAIN, _SHORT)


@pytest.fixture
def agenda() -> Agenda:
    """What the time is."""
    return Agenda()


@pytest.fixture
def watch(tmp_path: Path, agenda: Agenda) -> Watch:
    """One container, taken for an orphan; its store knows of no intent."""
    shape = Shape(seed=1)
    office = Office(Post(), Dice(1, frozenset()), agenda, agenda.now)
    story = Story(made={_ID: Made(_ID, 0.0, "1g", None)})
    watch = Watch(shape, story, office, agenda, Place(tmp_path).store)
    watch.verdicts[_ID] = VerdictKind.ORPHAN
    watch.started("daemon-1")
    return watch


@pytest.fixture
def api(watch: Watch) -> _Api:
    """The API beneath."""
    return _Api(watch.sending)


@pytest.fixture
def heard(watch: Watch, api: _Api) -> ContainersApi:
    """The API as the daemon has it, with the watch listening in."""
    return watch.listening("daemon-1", TARGETS[0], api)  # type: ignore[arg-type] # as much of one as is asked


async def _list(heard: ContainersApi, api: _Api, failure: Failure | None) -> None:
    api.failure = failure
    await heard.read(())


def _broken(watch: Watch) -> set[str]:
    return {each.name for each in watch.broken}


async def _send(heard: ContainersApi, hindered: Failure | None = None) -> None:
    await heard.delete(_ID, lambda: hindered)


async def test_a_delete_is_judged_by_the_listing_before_it_left(
    watch: Watch, heard: ContainersApi, api: _Api
) -> None:
    """It may arrive when the next listing has fallen short, and be none the worse."""
    await _list(heard, api, None)
    await _send(heard)
    await _list(heard, api, _SHORT)
    watch.deleting(_ID)
    assert "whole_inventory" not in _broken(watch)


async def test_a_later_whole_listing_excuses_nothing(
    watch: Watch, heard: ContainersApi, api: _Api
) -> None:
    """What left after a listing that fell short is caught, whenever it arrives."""
    await _list(heard, api, _SHORT)
    await _send(heard)
    await _list(heard, api, None)
    watch.deleting(_ID)
    assert "whole_inventory" in _broken(watch)


async def test_a_later_verdict_and_hold_do_not_count_either(
    watch: Watch, heard: ContainersApi, api: _Api
) -> None:
    """Nor does what the daemon came to know since."""
    await _list(heard, api, None)
    await _send(heard)
    watch.verdicts[_ID] = VerdictKind.REFERENCED
    watch.standing["h1"] = TARGETS[0]
    watch.deleting(_ID)
    assert _broken(watch).isdisjoint({"verdict_allows", "caps_hold"})


async def test_a_delete_that_was_kept_back_is_not_judged(
    watch: Watch, heard: ContainersApi, api: _Api
) -> None:
    """It never left."""
    await _list(heard, api, _SHORT)
    await _send(heard, _SHORT)
    assert not watch.broken


async def test_a_delete_that_nobody_saw_leave_is_a_breach(
    watch: Watch, heard: ContainersApi, api: _Api
) -> None:
    """Or one that leaves without the last look would not be judged at all."""
    api.asks = False
    await _list(heard, api, None)
    await _send(heard)
    assert _broken(watch) == {"written_first"}


async def test_a_look_serves_for_the_delete_right_after_it_alone(
    watch: Watch, heard: ContainersApi, api: _Api, agenda: Agenda
) -> None:
    """What changes while a delete waits to leave would be seen by nobody."""

    def wait() -> None:
        agenda.now += 30.0

    await _list(heard, api, None)
    await _send(heard)
    looked = len(watch.broken)
    api.waits = wait
    await _send(heard)
    assert "last look" in watch.broken[-1].detail
    api.asks, api.waits = False, lambda: None
    await _send(heard)
    assert len([each for each in watch.broken[looked:] if "last look" in each.detail]) == 2
