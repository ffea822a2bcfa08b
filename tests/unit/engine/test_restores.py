"""A restore is asked about once, of every target."""

from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path

import pytest
from tests.integration.engine.hooks import Recorded

from demurrage.engine.restores import Restores
from demurrage.engine.resuming import resume
from demurrage.model.plan import Rail
from demurrage.store import SqlStore, open_store

KNOWN = ("default", "gone", "other")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store that was restored, and knows a target that the settings do not have."""
    path = tmp_path / "store.db"
    with open_store(f"sqlite:///{path}", clock=lambda: 100.0) as before:
        before.note_listed_whole("gone")
        before.backup(tmp_path / "copy.db")
    (tmp_path / "copy.db").replace(path)
    with open_store(f"sqlite:///{path}", clock=lambda: 200.0) as restored:
        yield restored


def asked(store: SqlStore) -> list[tuple[str, Rail]]:
    """What a person has to answer, by target."""
    return [(name, hold.rail) for name in KNOWN for hold in store.holds(name)]


def answer(store: SqlStore, now: float) -> None:
    """A person resumes everything."""
    for name in KNOWN:
        look(store, name, now)
        for hold in store.holds(name):
            resume(store, hold, now=now, until=now + 60, by="ann")


def look(store: SqlStore, name: str, at: float, offset: float | None = 0.0) -> None:
    """A cycle of a target has ended."""
    store.save_status(name, at, {"clock": {"offset": offset, "jumped": False}})


async def test_a_restored_store_holds_every_target_that_is_known_once(store: SqlStore) -> None:
    """Those of the settings, and those that only the store remembers."""
    restores = Restores(["default", "other"], [], store, Recorded())
    await restores.of_store(300.0)
    assert asked(store) == [(name, Rail.STORE_RESTORED) for name in KNOWN]
    assert not store.restored
    answer(store, 310.0)
    await restores.of_store(320.0)
    assert asked(store) == []


@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("opened_at", [200.0, 300.0, 9e9])
async def test_a_restore_is_answered_for_after_a_look_that_came_since_and_knew_the_time(
    store: SqlStore,
    opened_at: float,
    told: bool,  # noqa: FBT001 - by name
) -> None:
    """Births stay beyond proof up to that moment, and a clock that is behind would shorten it.

    What the copy knows of a look is from before, however the clocks stand to each other.
    """
    look(store, "default", 295.0)
    await Restores(["default"], [], store, Recorded()).of_store(opened_at)
    (hold,) = store.holds("default")
    if told:
        look(store, "default", 304.0, offset=None)
    with pytest.raises(ValueError, match="default has not told the time"):
        resume(store, hold, now=310.0, until=370.0, by="ann")
    assert store.facts("default", 310.0).distrust_before == inf
    look(store, "default", 305.0)
    resume(store, hold, now=302.0, until=370.0, by="ann")
    assert store.facts("default", 310.0).distrust_before == 305.0


async def test_who_falls_over_while_holding_for_a_restored_store_holds_the_rest_later(
    store: SqlStore,
) -> None:
    """The store remembers its restore until all are held; nobody is asked twice."""

    class Falls(Recorded):
        """Lets one be held."""

        def held(self, target: str, *_: object) -> None:
            """Fall over."""
            raise OSError(target)

    with suppress(OSError):
        await Restores(["default"], [], store, Falls()).of_store(300.0)
    assert asked(store) == [("default", Rail.STORE_RESTORED)]
    assert store.restored
    await Restores(["default"], [], store, Recorded()).of_store(310.0)
    assert asked(store) == [(name, Rail.STORE_RESTORED) for name in ("default", "gone")]


async def test_a_log_that_went_back_holds_every_target_once_for_each_time(store: SqlStore) -> None:
    """The same time told by another target's cycle is no new question."""
    restores = Restores(["default", "other"], [], store, Recorded())
    await restores.of_log(1, 300.0)
    assert asked(store) == [(name, Rail.LOG_RESTORED) for name in KNOWN]
    answer(store, 310.0)
    await restores.of_log(1, 320.0)
    assert asked(store) == []
    await restores.of_log(2, 330.0)
    assert len(asked(store)) == len(KNOWN)
