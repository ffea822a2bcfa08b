"""What must not wear out with time: cursors that die, tombstones that stay, evidence pruned."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench, Running

from demurrage.engine import inventory
from demurrage.engine.ports import ContainersApi
from demurrage.model.condition import ConditionKind
from demurrage.model.listing import Failure, Listing, Region
from demurrage.model.plan import Mode
from demurrage.model.rules import RetentionRules
from demurrage.model.verdict import Code, VerdictKind

# Nominal seconds: nothing expires by itself, however busy the machine is.
UNHURRIED = 12_000.0
PROVEN = {VerdictKind.REFERENCED, VerdictKind.EXPLICIT, VerdictKind.ORPHAN}


@dataclass
class ForgetsCursors:
    """An API that no longer knows the first cursors that it is asked to go on from."""

    inner: ContainersApi
    dead: set[str] = field(default_factory=set)

    def __getattr__(self, name: str) -> Any:
        """All but reading is the true API's."""
        return getattr(self.inner, name)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """A 404 for the whole listing where a dead cursor is used."""
        listing = await self.inner.read(regions)
        cursors = {each.after for each in regions if each.after is not None}
        if len(self.dead) < 2:
            self.dead |= cursors
        if not cursors & self.dead:
            return listing
        cut = tuple(
            replace(each, rows=(), finished=False) if each.region.after in self.dead else each
            for each in listing.stretches
        )
        failure = Failure(ConditionKind.UNEXPECTED_ANSWER, "refused", 404)
        return replace(listing, stretches=cut, failure=failure)


async def test_a_dead_cursor_is_not_used_for_ever(bench: Bench) -> None:
    """A listing that fails because of its cursor is planned anew without it."""
    bench.rules = replace(
        AT_ONCE, watch=replace(AT_ONCE.watch, overlap=1.0, reconcile_interval=0.5)
    )
    bench.admin.seed(expired=350, expired_age=[25.0, 45.0])
    bench.admin.seed(live=3, live_age=[60.0, 70.0], used_share=1.0)
    forgetful: list[ForgetsCursors] = []

    def wrap(api: ContainersApi) -> ContainersApi:
        forgetful.append(ForgetsCursors(api))
        return forgetful[0]

    def completed() -> list[bool]:
        return [report.complete for report in bench.hooks.reports]

    bench.api = wrap
    async with bench.engine() as running:
        await running.turn()
        await running.turn_until(lambda: len(forgetful[0].dead) >= 2)
        await running.turn_until(lambda: all(completed()[-3:]))
        assert not all(completed())


async def test_a_log_that_waits_for_nobody_is_not_behind(bench: Bench) -> None:
    """Once all writers have said goodbye the watermark is now, not where the last one left it."""
    async with bench.engine() as running:
        async with running.application():
            await running.turn()
        await running.turn_until(lambda: bench.hooks.reports[-1].events == 0)
        last = bench.hooks.reports[-1]
        assert last.watermark == last.ended_at


async def test_a_tombstone_is_no_new_container_however_old_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A released container from before all that is remembered is deleted once, and counted once."""
    monkeypatch.setattr(inventory, "horizon", lambda billing: max(3.0, 3 * billing.idle_expiry))
    bench.rules = replace(AT_ONCE, billing=replace(AT_ONCE.billing, idle_expiry=0.5))
    bench.admin.settings(idle_expiry=UNHURRIED)
    bench.admin.fault("deleted_still_listed", "DELETE *")
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        await running.turn_for(4.2)
        app.writer.note("conversation.ended", conversation=conversation)
        await running.turn_until(lambda: bench.called().get(DELETED, 0) == 1)
        await running.turn_for(0.8)
    async with bench.engine() as running:
        await running.turn_for(0.3)
        tally = running.store.totals("default", 3.0).all
        assert (tally.created, tally.swept) == (1, 1)
    assert bench.called()[DELETED] == 1


async def test_forgetting_and_pruning_change_no_verdict(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart on a pruned log says of every living container what was said before."""
    monkeypatch.setattr(inventory, "horizon", lambda billing: max(4.0, 3 * billing.idle_expiry))
    bench.rules = replace(AT_ONCE, billing=replace(AT_ONCE.billing, idle_expiry=1.0))
    # Shorter than what living containers need: they come first.
    bench.mode, bench.retention = Mode.OBSERVE, RetentionRules(events=0.5)
    bench.admin.settings(idle_expiry=UNHURRIED)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        released = await app.converse()
        own = await app.client.containers.create(name="own")
        app.writer.note("container.created", container_id=own.id)
        await app.ask(logged=False)
        app.writer.note("conversation.ended", conversation=released)
        # A whole lineage that is over, with a container that is gone: the one thing to forget.
        used = await app.ask(use_tool=True)
        (gone,) = [key for key, each in bench.cases().items() if used["id"] in each["used_by"]]
        await app.client.containers.delete(gone)
        await running.turn_for(3.0)
        await app.ask(use_tool=True, conversation=conversation)
        await app.leak(2)
        await running.turn_until(lambda: is_settled(running))
        before = verdicts(running)
        events = count(bench)
        await running.engine.housekeep()
        assert count(bench) < events
        await running.turn()
        assert verdicts(running) == before
    async with bench.engine() as running:
        await running.turn()
        # Once the log has been watched for a while, as proof asks.
        await running.turn_until(lambda: verdicts(running) == before)


def verdicts(running: Running) -> Mapping[str, tuple[VerdictKind, tuple[Code, ...]]]:
    """The recorded verdicts on what lives."""
    current = running.store.current_verdicts("default")
    return {key: (verdict.kind, verdict.codes) for key, (_, verdict) in current.items()}


def is_settled(running: Running) -> bool:
    """True once all is proven that will be."""
    kinds = {kind for kind, _ in verdicts(running).values()}
    return kinds >= PROVEN and VerdictKind.PENDING not in kinds


def count(bench: Bench) -> int:
    """How many events the log holds."""
    with closing(sqlite3.connect(bench.log_file)) as log:
        return int(log.execute("SELECT count(*) FROM event_log").fetchone()[0])
