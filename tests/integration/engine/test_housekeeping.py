"""Letting go waits until it is known what lives."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.integration.engine.conftest import AT_ONCE, Bench
from tests.integration.engine.passing import Passing

from demurrage.engine.engine import Engine
from demurrage.engine.inventory import InventoryWatch
from demurrage.engine.look import Target
from demurrage.engine.ports import ContainersApi
from demurrage.eventlog.log import EventLog
from demurrage.model.listing import Listing, Region
from demurrage.model.plan import Mode
from demurrage.model.rules import RetentionRules
from demurrage.provider.budget import CallBudget
from demurrage.simulator.serve import HarbourServer
from demurrage.store import open_store

HOURS_AGO = 2 * 3600.0


def told(
    sequence: int, kind: str, *, ago: float = HOURS_AGO, source: str = "app-1", **data: Any
) -> dict[str, Any]:
    """An event of a turn of two hours ago, unless told otherwise."""
    at = datetime.fromtimestamp(time.time() - ago + sequence, UTC)
    return {
        "specversion": "1.0",
        "id": str(sequence),
        "source": source,
        "sequence": sequence,
        "type": f"demurrage.{kind}",
        "time": at.isoformat(),
        "data": {"target": "default"} | data,
    }


def turn_of(container: str) -> tuple[dict[str, Any], ...]:
    """A turn that names a container, with all that its writer had to say."""
    return (
        told(1, "response.started", call_id="c1", slots=[]),
        told(2, "response.finished", call_id="c1", status="completed", containers=[container]),
        told(3, "writer.heartbeat", complete_through=time.time(), last_sequence=2, clock_offset=0),
    )


async def turn_twice(engine: Engine, *names: str) -> None:
    """Two cycles of each target, an interval apart: then it is known what lives."""
    for pause in (0.0, AT_ONCE.watch.interval):
        await asyncio.sleep(pause)
        for name in names:
            await engine.turn(name)


async def test_evidence_is_kept_while_nobody_knows_what_lives(bench: Bench) -> None:
    """Before the first whole listing any container may be the living one that it names."""
    bench.retention = RetentionRules(events=1.0)
    turn = turn_of("cntr_1")
    bench.admin.fault("html", "GET *")
    async with bench.engine() as running:
        running.log.append(turn, appended_at=time.time() - HOURS_AGO)
        await running.turn()
        await running.engine.housekeep()
        assert "cntr_1" in running.engine.evidence.ledger.book("default").mentions
        assert len(running.log.recent(10)) == len(turn)
        bench.admin.clear_faults()
        await running.turn_until(lambda: not running.shown("not_json"))
        await turn_twice(running.engine, "default")
        await running.engine.housekeep()
        assert len(running.log.recent(10)) < len(turn)


async def test_what_was_said_while_nobody_listed_is_kept(bench: Bench) -> None:
    """A daemon comes back while the API is away: what was born meanwhile was never listed."""
    bench.retention = RetentionRules(events=1.0)
    async with bench.engine() as running:
        await running.turn()
    bench.admin.seed(live=1, used_share=1.0)
    (born,) = bench.cases()
    turn = turn_of(born)
    bench.admin.fault("html", "GET *")
    async with bench.engine() as running:
        running.log.append(turn, appended_at=time.time() - HOURS_AGO)
        await running.turn()
        await running.engine.housekeep()
        assert born in running.engine.evidence.ledger.book("default").mentions
        bench.admin.clear_faults()
        await running.turn_until(lambda: not running.shown("not_json"))
        await turn_twice(running.engine, "default")
        await running.engine.housekeep()
        assert born in running.engine.evidence.ledger.book("default").mentions
        assert len(running.log.recent(10)) == len(turn)


@dataclass
class Losing(Passing):
    """The API with something before it that loses a row."""

    lost: str = ""

    async def read(self, regions: Sequence[Region]) -> Listing:
        """All but one."""
        listing = await self.api.read(regions)
        return replace(
            listing,
            stretches=tuple(
                replace(each, rows=tuple(row for row in each.rows if row.id != self.lost))
                for each in listing.stretches
            ),
        )


async def test_what_names_a_container_that_a_page_has_lost_is_kept(bench: Bench) -> None:
    """One look is not believed to show all that lives, and the next one finds it."""
    bench.retention = RetentionRules(events=1.0)
    bench.admin.seed(live=1, used_share=1.0)
    (born,) = bench.cases()
    apis: list[Losing] = []

    def losing(api: ContainersApi) -> ContainersApi:
        apis.append(Losing(api, lost=born))
        return apis[-1]

    bench.api = losing
    async with bench.engine() as running:
        running.log.append(turn_of(born), appended_at=time.time() - HOURS_AGO)
        assert (await running.turn()).complete
        await running.engine.housekeep()
        apis[-1].lost = ""
        await turn_twice(running.engine, "default")
        await running.engine.housekeep()
        assert born in running.engine.evidence.ledger.book("default").mentions
        assert born in running.store.sightings("default", alive_or_born_after=time.time())


@pytest.mark.parametrize("listed_ago", [None, 2 * HOURS_AGO, HOURS_AGO - 3.0])
async def test_what_was_said_after_the_last_whole_listing_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, listed_ago: float | None
) -> None:
    """However old it has grown: it may name what was never listed."""
    bench.retention = RetentionRules(events=1.0)
    turn = (
        told(1, "response.started", call_id="c1", slots=[]),
        told(2, "response.finished", call_id="c1", status="completed", containers=["cntr_1"]),
    )
    async with bench.engine() as running:
        running.log.append(turn, appended_at=time.time() - HOURS_AGO)
        await turn_twice(running.engine, "default")
        with monkeypatch.context() as patched:
            listed_at = None if listed_ago is None else time.time() - listed_ago
            patched.setattr(InventoryWatch, "whole_as_of", listed_at)
            await running.engine.housekeep()
        assert "cntr_1" in running.engine.evidence.ledger.book("default").mentions
        await running.engine.housekeep()
        assert "cntr_1" not in running.engine.evidence.ledger.book("default").mentions


def beat(sequence: int, *, final: bool = False, **more: Any) -> dict[str, Any]:
    """A heartbeat after all that was said before it."""
    return told(
        sequence,
        "writer.heartbeat",
        complete_through=time.time() - HOURS_AGO,
        last_sequence=sequence - 1,
        clock_offset=0,
        final=final,
        **more,
    )


async def test_of_a_process_that_said_goodbye_long_ago_nothing_is_kept(bench: Bench) -> None:
    """Processes come and go for years. One that fell silent stays, and is waited for."""
    bench.retention = RetentionRules(events=1.0)
    gone = (
        told(1, "response.started", call_id="c1", slots=[]),
        told(2, "response.finished", call_id="c1", status="completed", containers=[]),
        beat(3, final=True),
    )
    async with bench.engine() as running:
        for events in (gone, [beat(1, source="silent")]):
            running.log.append(events, appended_at=time.time() - HOURS_AGO)
        running.log.append([beat(1, source="here", ago=1.0)], appended_at=time.time())
        await turn_twice(running.engine, "default")
        assert set(running.engine.evidence.ledger.sources) == {"app-1", "silent", "here"}
        await running.engine.housekeep()
        assert set(running.engine.evidence.ledger.sources) == {"silent", "here"}
        assert len(running.log.recent(10)) == 2
    async with bench.engine() as running:
        await turn_twice(running.engine, "default")
        assert set(running.engine.evidence.ledger.sources) == {"silent", "here"}
        waited = {
            each["source"] for each in running.engine.statuses["default"]["evidence"]["writers"]
        }
        assert waited == {"silent", "here"}


async def test_the_word_on_a_retired_process_goes_with_all_that_it_said(bench: Bench) -> None:
    """Of one that left a call open it stays, for without it the daemon would wait for that one."""
    bench.retention = RetentionRules(events=1.0)
    done = (
        told(1, "response.started", source="done", call_id="c1", slots=[]),
        told(2, "response.finished", source="done", call_id="c1", status="completed"),
        beat(3, source="done"),
    )
    open_ = (
        told(1, "response.started", source="open", call_id="c2", slots=[]),
        beat(2, source="open"),
    )
    async with bench.engine() as running:
        for events in (done, open_):
            running.log.append(events, appended_at=time.time() - HOURS_AGO)
        for name in ("done", "open"):
            running.store.retire_writer(name, time.time() - HOURS_AGO / 2, "ann")
        await turn_twice(running.engine, "default")
        await running.engine.housekeep()
        assert running.store.facts("default", time.time()).retired.keys() == {"open"}
    async with bench.engine() as running:
        await turn_twice(running.engine, "default")
        assert running.engine.statuses["default"]["evidence"]["writers"] == []


async def test_what_another_target_lists_is_needed_in_every_log(
    bench: Bench, harbours: Callable[[], HarbourServer]
) -> None:
    """Two names for one project: that the other log names it keeps a container for as long."""
    other = harbours()
    bench.admin.seed(live=1, used_share=1.0)
    elsewhere = Bench(other, other.admin, bench.folder, AT_ONCE, hooks=bench.hooks)
    targets = [
        Target("default", bench.connect(CallBudget(10_000)), AT_ONCE, Mode.OBSERVE),
        Target("other", elsewhere.connect(CallBudget(10_000)), AT_ONCE, Mode.OBSERVE),
    ]
    with (
        closing(open_store(f"sqlite:///{bench.store_file}")) as store,
        closing(EventLog.open(f"sqlite:///{bench.log_file}", clock=time.time)) as log,
    ):
        engine = Engine(targets, log, store, bench.hooks, RetentionRules(events=1.0))
        try:
            await engine.turn("default")
            (living,) = store.sightings("default", alive_or_born_after=time.time())
            turn = (
                told(1, "response.started", target="other", call_id="c1", slots=[]),
                told(
                    2,
                    "response.finished",
                    target="other",
                    call_id="c1",
                    status="completed",
                    containers=[living],
                ),
            )
            log.append(turn, appended_at=time.time() - HOURS_AGO)
            await turn_twice(engine, *engine.targets)
            await engine.housekeep()
            assert engine.evidence.ledger.named_elsewhere("default", [living]) == {living: "other"}
        finally:
            await engine.stop()


async def test_what_names_anything_is_kept_while_one_target_is_not_seen(
    bench: Bench, harbours: Callable[[], HarbourServer]
) -> None:
    """It may name what that one would list. What names nothing bears on nothing there."""
    other = harbours()
    other.admin.fault("html", "GET *")
    elsewhere = Bench(other, other.admin, bench.folder, AT_ONCE, hooks=bench.hooks)
    targets = [
        Target("default", bench.connect(CallBudget(10_000)), AT_ONCE, Mode.OBSERVE),
        Target("other", elsewhere.connect(CallBudget(10_000)), AT_ONCE, Mode.OBSERVE),
    ]
    turns = (
        told(1, "response.started", call_id="c1", slots=[]),
        told(2, "response.finished", call_id="c1", status="completed", containers=["cntr_1"]),
        told(3, "response.started", call_id="c2", slots=[]),
        told(4, "response.finished", call_id="c2", status="completed"),
        told(5, "response.started", call_id="c3", slots=[], opaque=True),
        told(6, "response.finished", call_id="c3", status="completed"),
    )
    with (
        closing(open_store(f"sqlite:///{bench.store_file}")) as store,
        closing(EventLog.open(f"sqlite:///{bench.log_file}", clock=time.time)) as log,
    ):
        engine = Engine(targets, log, store, bench.hooks, RetentionRules(events=1.0))
        log.append(turns, appended_at=time.time() - HOURS_AGO)
        try:
            for names in (["default"], ["default", "other"]):
                await turn_twice(engine, *names)
                await engine.housekeep()
                assert engine.evidence.ledger.book("default").responses.keys() == {"c1", "c3"}
            other.admin.clear_faults()
            await turn_twice(engine, "other")
            await engine.housekeep()
            assert not engine.evidence.ledger.book("default").responses
        finally:
            await engine.stop()


async def test_what_may_have_the_oldest_in_its_context_is_kept(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names nothing, so that only the oldest birth tells how long it is needed."""
    bench.retention = RetentionRules(events=1.0)
    turn = (
        told(1, "response.started", call_id="c1", slots=[], opaque=True),
        told(2, "response.finished", call_id="c1", status="completed"),
    )
    async with bench.engine() as running:
        running.log.append(turn, appended_at=time.time() - HOURS_AGO)
        await turn_twice(running.engine, "default")
        with monkeypatch.context() as patched:
            patched.setattr(InventoryWatch, "oldest", time.time() - 2 * HOURS_AGO)
            await running.engine.housekeep()
        assert running.engine.evidence.ledger.book("default").opaque == {"c1"}
        await running.engine.housekeep()
        assert running.engine.evidence.ledger.book("default").opaque == set()
