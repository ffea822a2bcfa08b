from dataclasses import replace

from tests.unit.store.build import DAY, NOW

from demurrage.model.condition import ConditionKind
from demurrage.model.rules import RetentionRules
from demurrage.model.spike import (
    Alarm,
    Rate,
    Scope,
    Settlement,
    SpikeMemory,
    SpikeNews,
    Tally,
    Traits,
    Usual,
)
from demurrage.store import SqlStore

TRAITS = Traits("app", "gpt-5", "conversation", (("team", "blue"), ("app", "chat")))
BIRTHS = (
    Settlement("a", int(NOW), "1g", orphan=True, traits=TRAITS),
    Settlement("b", int(NOW) + 1, "unknown", orphan=False),
)
SCOPE = Scope(
    since=NOW - DAY,
    until=NOW + 0.25,
    bins={7: Tally(10, {"1g": 2}), 8: Tally(1)},
    binned=540,
    skips=((NOW - 60, NOW - 30),),
    fast=1.5,
    slow=2.5,
    rates={"1g": 0.125},
    alarms={ConditionKind.ORPHAN_RATE_FAST: Alarm(NOW - 9, NOW - 3, NOW)},
    usual=Usual(0.05, 1.5, {"1g": Rate(5.0, 2.0)}, Tally(900, {"1g": 45}), 24.0),
    usual_at=9,
)
NEWS = SpikeNews(BIRTHS, {"": SCOPE}, {"": SCOPE.bins}, frozenset(), NOW - DAY, 0)


def recalled(store: SqlStore, *, after: float = 0.0, width: float = 3600.0) -> SpikeMemory:
    """What the store holds."""
    return store.spike_memory("t", born_after=after, grain=60.0, width=width)


def keep(store: SqlStore, news: SpikeNews, *, width: float = 3600.0) -> None:
    """Have it hold more."""
    store.save_spikes("t", news, grain=60.0, width=width)


def test_what_is_kept_comes_back(store: SqlStore) -> None:
    """All of it, in the order of birth."""
    assert recalled(store) == SpikeMemory({}, ())
    keep(store, NEWS)
    assert recalled(store) == SpikeMemory({"": SCOPE}, BIRTHS)
    assert recalled(store, after=NOW + 1).births == BIRTHS[1:]
    assert store.spike_memory("u", born_after=0.0, grain=60.0, width=3600.0).scopes == {}


def test_only_what_has_changed_is_written(store: SqlStore) -> None:
    """A bin is replaced, others stay; a birth that comes twice is one."""
    keep(store, NEWS)
    later = replace(SCOPE, until=NOW + 60, usual=None, bins={9: Tally(3, {"4g": 1})})
    keep(store, replace(NEWS, scopes={"": later, "app=chat": later}, bins={"": later.bins}))
    memory = recalled(store)
    assert memory.scopes[""] == replace(later, bins={**SCOPE.bins, **later.bins})
    assert memory.scopes["app=chat"].bins == {}
    assert memory.births == BIRTHS


def test_what_is_too_old_goes(store: SqlStore) -> None:
    """Births and bins of the target, and scopes that are no more."""
    keep(store, replace(NEWS, scopes={"": SCOPE, "id=1": SCOPE}, bins={"id=1": SCOPE.bins}))
    keep(store, replace(NEWS, births_after=NOW + 1, bins_from=8, gone=frozenset({"id=1"})))
    memory = recalled(store)
    assert memory.births == BIRTHS[1:]
    assert set(memory.scopes) == {""}
    assert memory.scopes[""].bins == {8: Tally(1)}


def test_other_widths_are_another_past(store: SqlStore) -> None:
    """The number of an hour must not be read as that of a minute."""
    keep(store, NEWS)
    assert recalled(store, width=60.0) == SpikeMemory({}, BIRTHS)
    keep(store, replace(NEWS, births=(), bins={}), width=60.0)
    assert recalled(store).scopes == {}
    assert recalled(store, width=60.0).scopes[""].bins == {}


def test_births_of_a_target_that_is_watched_no_more_go(store: SqlStore) -> None:
    """With the verdicts."""
    keep(store, NEWS)
    assert store.prune(NOW + 30 * DAY, RetentionRules())["settled_births"] == 2
