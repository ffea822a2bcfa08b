"""Deletes begin only while what they stand on is fresh, whatever happens to the process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.integration.engine.hooks import Recorded
from tests.unit.engine.test_look import Clock, T

from demurrage.engine.sweep import CHUNK, OPEN, Sweep
from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container, Sighting
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.plan import Judgement, PlannedDelete
from demurrage.model.record import Conclusion, Intent, Ruling
from demurrage.model.resolution import Resolution
from demurrage.model.rules import Rules
from demurrage.model.verdict import Verdict, VerdictKind
from demurrage.store import SqlStore, open_store


@dataclass
class Api:
    """An API during whose first delete something happens to the process."""

    clock: Clock
    happens: Callable[[Clock], None]
    grants: int
    asked: list[str] = field(default_factory=list)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """Not asked for here."""
        raise NotImplementedError

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """Delete it, unless hindered; the first call takes as long as whatever happens."""
        if (failure := hindrance()) is not None:
            return DeleteAnswer(container_id, DeleteOutcome.FAILED, failure)
        self.asked.append(container_id)
        if len(self.asked) == 1:
            self.happens(self.clock)
        await asyncio.sleep(0)
        return DeleteAnswer(container_id, DeleteOutcome.DELETED)

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """Not asked for here."""
        raise NotImplementedError

    def affordable(self, seconds: float) -> int:
        """As many as the test grants."""
        return self.grants if seconds > 0 else 0

    async def close(self) -> None:
        """Nothing is open."""


def stopped(clock: Clock) -> None:
    """The process was stopped for an hour, and goes on."""
    clock.time += 3600.0


def asleep(clock: Clock) -> None:
    """The machine slept; its clocks do not tell for how long."""
    clock.jumped = True


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """A store."""
    with open_store(f"sqlite:///{tmp_path}/store.db") as opened:
        yield opened


async def swept(
    store: SqlStore, api: Api, count: int = 3, stop: asyncio.Event | None = None
) -> list[tuple[Deletion, Conclusion]]:
    """Sweep so many orphans, each with its recorded verdict."""
    rows = [
        Container(f"cntr_{each}", int(T) - 300, "running", int(T) - 300) for each in range(count)
    ]
    verdicts = [Verdict(each.id, VerdictKind.ORPHAN, (), due_at=T, proven_at=T) for each in rows]
    ids = store.record_verdicts(
        "default", [Ruling(row, verdict, T) for row, verdict in zip(rows, verdicts, strict=True)]
    )
    planned = tuple(
        PlannedDelete(row.id, verdict, row.created_at, "1g", 0.02, T)
        for row, verdict in zip(rows, verdicts, strict=True)
    )
    sightings = {row.id: Sighting(row, T, T) for row in rows}
    sweep = Sweep("default", api, store, Recorded(), Rules())
    return await sweep.execute(Judgement(planned), ids, sightings, T, stop or asyncio.Event())


@pytest.mark.parametrize("happens", [stopped, asleep])
@pytest.mark.parametrize("grants", [1, 250])
async def test_nothing_more_is_deleted_on_what_grew_old_in_between(
    store: SqlStore, happens: Callable[[Clock], None], grants: int
) -> None:
    """Neither in the same portion nor in the next: an hour is enough for a use to come."""
    api = Api(Clock(), happens, grants)
    pairs = await swept(store, api)
    assert api.asked == ["cntr_0"]
    assert [pair[1].outcome for pair in pairs][:1] == [DeleteOutcome.DELETED]
    assert {pair[1].outcome for pair in pairs[1:]} <= {DeleteOutcome.FAILED}
    assert all(ConditionKind.EVIDENCE_STALE in pair[1].detail for pair in pairs[1:])
    assert store.unfinished("default") == ()


async def test_what_a_person_protects_meanwhile_stays(store: SqlStore) -> None:
    """The command said that it is protected; a plan from before must not belie it."""
    api = Api(Clock(), lambda _: store.protect("default", "cntr_1", None, "ann"), 1)
    await swept(store, api)
    assert api.asked == ["cntr_0", "cntr_2"]


class Watched:
    """A store that tells how much is written down, and when the end of a portion is."""

    def __init__(self, inner: SqlStore, ended: Callable[[], None]) -> None:
        self._inner = inner
        self._ended = ended
        self.intended = 0

    def intend(self, target: str, intents: Sequence[Intent], at: float) -> tuple[Deletion, ...]:
        """Write down, and count."""
        written = self._inner.intend(target, intents, at)
        self.intended += len(written)
        return written

    def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        """Write down, and tell."""
        self._inner.conclude(conclusions)
        self._ended()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's own."""
        return getattr(self._inner, name)


@dataclass
class Slow(Api):
    """An API that answers once as many portions are written down as may be open."""

    intended: Callable[[], int] = lambda: 0

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """Delete it, late."""
        while self.intended() < OPEN * CHUNK:  # noqa: ASYNC110 - another thread counts
            await asyncio.sleep(0.001)
        return await Api.delete(self, container_id, hindrance)


async def test_what_is_protected_while_portions_are_under_way_stays(store: SqlStore) -> None:
    """A portion that waits for its turn is looked at when that has come, not before."""
    last = f"cntr_{(OPEN + 1) * CHUNK - 1}"
    watched = Watched(store, lambda: store.protect("default", last, None, "ann"))
    api = Slow(Clock(), lambda _: None, 10_000, intended=lambda: watched.intended)
    await swept(cast("SqlStore", watched), api, (OPEN + 1) * CHUNK)
    assert len(api.asked) == (OPEN + 1) * CHUNK - 1
    assert last not in api.asked


async def test_a_stop_begins_no_portion_that_waits_for_its_turn(store: SqlStore) -> None:
    """What is written down ends; nothing is written down after the stop."""
    stop = asyncio.Event()
    watched = Watched(store, lambda: None)
    api = Slow(Clock(), lambda _: stop.set(), 10_000, intended=lambda: watched.intended)
    await swept(cast("SqlStore", watched), api, (OPEN + 1) * CHUNK, stop)
    assert watched.intended == len(api.asked) == OPEN * CHUNK


class Losing:
    """A store that another process takes over as soon as the test says so."""

    def __init__(self, inner: SqlStore) -> None:
        self._inner = inner
        self.held = True

    def __getattr__(self, name: str) -> Any:
        """Everything else is the store's own."""
        return getattr(self._inner, name)


async def test_nothing_more_is_deleted_once_the_store_may_be_anothers(store: SqlStore) -> None:
    """Of a portion under way, what has not left yet does not leave; the audit says so."""
    losing = Losing(store)

    def lost(_: Clock) -> None:
        losing.held = False

    api = Api(Clock(), lost, 250)
    pairs = await swept(cast("SqlStore", losing), api)
    assert api.asked == ["cntr_0"]
    assert [pair[1].outcome for pair in pairs] == [
        DeleteOutcome.DELETED,
        DeleteOutcome.FAILED,
        DeleteOutcome.FAILED,
    ]
    assert store.unfinished("default") == ()


async def test_what_stays_fresh_goes(store: SqlStore) -> None:
    """Where nothing happens, all of it."""
    api = Api(Clock(), lambda _: None, 250)
    await swept(store, api, 40)
    assert len(api.asked) == 40
