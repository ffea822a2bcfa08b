"""Incidents live through cycles, restarts and failures of the store."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from tests.integration.engine.conftest import AT_ONCE, Bench
from tests.integration.engine.hooks import Recorded

from demurrage.decide import reaping
from demurrage.engine import outlook
from demurrage.engine.outlook import Outlook
from demurrage.engine.standing import IN_CYCLE, Sight, Standing
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.error import StoreFailedError
from demurrage.model.incident import Incident
from demurrage.model.rules import IncidentRules
from demurrage.store import SqlStore, open_store

LIST = "GET /v1/containers"
FOREIGN = Condition(ConditionKind.FOREIGN_CONTAINERS, "t", "Three are foreign.")
FULL = Condition(ConditionKind.DISK_FULL, "t", "No room.", Severity.PAGE)
RULES = IncidentRules(patience=180.0, quiet=300.0)


async def test_a_restart_opens_nothing_twice(bench: Bench) -> None:
    """The same fault before and after is one incident, and told once."""
    bench.admin.fault("html", LIST)
    async with bench.engine() as running:
        await running.turn()
        before = _one(running.store, ConditionKind.NOT_JSON)
    async with bench.engine() as running:
        await running.turn()
        after = _one(running.store, ConditionKind.NOT_JSON)
        assert (after.id, after.opened_at) == (before.id, before.opened_at)
        assert bench.hooks.opened == [ConditionKind.NOT_JSON]
        bench.admin.clear_faults()
        await running.turn_until(lambda: ConditionKind.NOT_JSON not in running.kept_open())
    assert bench.hooks.resolved == [ConditionKind.NOT_JSON]


def _one(store: SqlStore, kind: ConditionKind) -> Incident:
    (found,) = (each for each in store.open_incidents() if each.condition.kind is kind)
    return found


async def test_cycles_are_watched_from_outside(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none is complete for long an incident opens, and a complete one ends it."""
    monkeypatch.setattr(outlook, "STALE", 0.0)
    monkeypatch.setattr(outlook, "_INTERVALS", 1)
    bench.rules = replace(bench.rules, watch=replace(bench.rules.watch, interval=1.0))
    bench.admin.fault("html", LIST)
    stale = ConditionKind.CYCLE_STALE
    async with bench.engine() as running:
        watch = Outlook(running.engine)

        async def seen() -> set[str]:
            await watch.look()
            return running.kept_open()

        assert stale not in await seen()
        await running.turn_for(1.5)
        assert stale in await seen()
        await running.turn()
        assert {stale, ConditionKind.NOT_JSON} <= running.open_kinds()
        assert stale in running.kept_open()
        bench.admin.clear_faults()
        await running.turn_until(lambda: running.engine.statuses["default"]["cycle"]["complete"])
        assert stale not in await seen()
        assert stale not in running.open_kinds()


async def test_a_reaper_that_never_reaps_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deletes that are due and always fail open an incident; the first that succeeds ends it."""
    monkeypatch.setattr(reaping, "OVERDUE", 1.0)
    bench.rules = AT_ONCE
    kind = ConditionKind.REAPER_NEVER_REAPS
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        bench.admin.fault("server_error", "DELETE *")
        await app.leak(1)
        await running.turn_until(lambda: kind in running.kept_open())
        bench.admin.clear_faults()
        await running.turn_until(lambda: bench.totals()["deleted"] == 1)
        await running.turn_until(lambda: kind not in running.kept_open())


async def test_what_nobody_watches_any_more_is_over(bench: Bench) -> None:
    """An incident of a target that has left the settings does not stand for ever."""
    async with bench.engine() as running:
        running.store.save_incidents([Incident(0, FOREIGN, 1.0, 1.0, 1.0)])
        await running.turn()
        await running.engine.housekeep()
        (over,) = running.store.past_incidents("t")
    assert over.revision == 2


@dataclass
class Flaky:
    """A store that can be broken."""

    store: SqlStore
    broken: bool = False
    saved: list[Incident] = field(default_factory=list)

    def standing_incidents(self, target: str) -> tuple[Incident, ...]:
        """See Store."""
        if self.broken:
            raise StoreFailedError("no room", disk_full=True)
        return self.store.standing_incidents(target)

    def save_incidents(self, some: Iterable[Incident]) -> Sequence[Incident]:
        """See Store."""
        return self.store.save_incidents(some)


async def test_memory_stands_in_for_a_store_that_fails(bench: Bench) -> None:
    """What begins while nothing can be kept is told once, and kept as soon as that is possible."""
    hooks = Recorded()
    with open_store(bench.store_url) as store:
        flaky = Flaky(store)
        standing = Standing(flaky, hooks, RULES)  # type: ignore[arg-type]
        await standing.tell("t", Sight((FOREIGN,), IN_CYCLE, IN_CYCLE), 0.0)
        flaky.broken = True
        failure = Sight((FULL,), {FULL.kind}, frozenset())
        with pytest.raises(StoreFailedError):
            await standing.tell("t", failure, 1.0)
        await standing.tell("t", failure, 2.0, whatever=True)
        assert standing.seen("t") == (FOREIGN, FULL)
        grave = replace(FOREIGN, severity=Severity.PAGE)
        await standing.tell("t", Sight((grave, FULL), IN_CYCLE, frozenset()), 3.0, whatever=True)
        (known,) = store.open_incidents()
        store.silence(known.id, 99.0, 3.5, "ann")
        flaky.broken = False
        await standing.tell("t", Sight((grave,), IN_CYCLE, IN_CYCLE), 4.0)
        foreign, full = store.open_incidents()
        await standing.tell("t", Sight((), IN_CYCLE, IN_CYCLE), 304.0)
    assert hooks.opened == [FOREIGN.kind, FULL.kind]
    assert (foreign.id, foreign.condition.severity) == (known.id, Severity.PAGE)
    assert foreign.silenced_until == 99.0
    assert (full.opened_at, full.revision) == (2.0, 1)
    assert hooks.resolved == [FULL.kind]
