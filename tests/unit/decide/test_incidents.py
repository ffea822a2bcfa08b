from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.incidents import PATIENT, SETTLED, advance
from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.incident import Incident, IncidentChanges
from demurrage.model.rules import IncidentRules

NOW = 1_800_000_000.0
RULES = IncidentRules(patience=180.0, quiet=300.0)
ALL = frozenset(ConditionKind)
NOTHING: frozenset[ConditionKind] = frozenset()

FOREIGN = Condition(ConditionKind.FOREIGN_CONTAINERS, "t", "Three are foreign.")
LIMITED = Condition(ConditionKind.RATE_LIMITED, "t", "Too many calls.")
SEVERITIES = list(Severity)


@dataclass
class Life:
    """Looks at one target, one after another, and what was told of them."""

    standing: tuple[Incident, ...] = ()
    told: list[tuple[str, Incident]] = field(default_factory=list)

    def look(
        self,
        after: float,
        *conditions: Condition,
        looked_at: frozenset[ConditionKind] = ALL,
    ) -> IncidentChanges:
        """What a look so many seconds after NOW changes."""
        made = advance(self.standing, conditions, looked_at=looked_at, rules=RULES, now=NOW + after)
        self.standing = tuple(each for each in made.incidents if each.resolved_at is None)
        changes = made.changes
        self.told += [("opened", each) for each in changes.opened]
        self.told += [("escalated", each) for each in changes.escalated]
        self.told += [("resolved", each) for each in changes.resolved]
        assert set(changes.standing) == {each for each in self.standing if each.open}
        return changes

    @property
    def events(self) -> list[str]:
        """What was told, by name."""
        return [what for what, _ in self.told]


def test_a_fault_opens_an_incident_at_once() -> None:
    """What does not go away by itself is told by the first look that sees it."""
    life = Life()
    (opened,) = life.look(0, FOREIGN).opened
    assert (opened.opened_at, opened.revision, opened.open) == (NOW, 1, True)
    assert life.look(10, FOREIGN).standing == (replace(opened, last_seen_at=NOW + 10),)
    assert life.events == ["opened"]


def test_a_passing_fault_opens_none_until_it_has_lasted() -> None:
    """A rate limit is told once it has been seen on and off for the patience, not before."""
    life = Life()
    for after in range(0, 180, 60):
        assert life.look(after, LIMITED) == IncidentChanges()
        assert life.look(after + 30) == IncidentChanges()
    (opened,) = life.look(180, LIMITED).opened
    assert (opened.opened_at, opened.changed_at) == (NOW, NOW + 180)


def test_a_fault_that_broods_is_as_it_was_seen_last() -> None:
    """It has changed nothing for anybody since it began."""
    life = Life()
    life.look(0, LIMITED)
    worse = replace(LIMITED, summary="Far too many calls.")
    life.look(60, worse)
    (brooding,) = life.standing
    assert brooding.condition == worse
    assert (brooding.opened_at, brooding.changed_at) == (NOW, NOW)
    assert brooding.last_seen_at == NOW + 60


def test_a_fault_that_passes_begins_anew() -> None:
    """After a pause longer than the patience the fault has to last from its return on."""
    life = Life()
    life.look(0, LIMITED)
    life.look(181, LIMITED)
    assert life.look(360, LIMITED) == IncidentChanges()
    (opened,) = life.look(361, LIMITED).opened
    assert opened.opened_at == NOW + 181


def test_it_ends_after_its_quiet_time() -> None:
    """It resolves with the first look that finds it absent for long enough."""
    life = Life()
    life.look(0, FOREIGN)
    life.look(10)
    assert life.look(309).resolved == ()
    (over,) = life.look(310).resolved
    assert (over.resolved_at, over.revision) == (NOW + 310, 2)
    assert life.standing == ()


def test_one_that_comes_back_in_time_is_the_same() -> None:
    """Nobody is told of a pause, however often there is one."""
    life = Life()
    for after in range(0, 3_000, 290):
        life.look(after, FOREIGN)
        life.look(after + 5)
    assert life.events == ["opened"]
    (still,) = life.standing
    assert still.opened_at == NOW


def test_one_that_comes_back_later_is_another() -> None:
    """After its end the same fault opens a new incident."""
    life = Life()
    life.look(0, FOREIGN)
    life.look(10)
    life.look(310)
    (opened,) = life.look(320, FOREIGN).opened
    assert (opened.id, opened.opened_at) == (0, NOW + 320)


def test_a_higher_severity_is_told_and_a_lower_one_is_not() -> None:
    """It only rises, which takes an acknowledgement back: that was given for less."""
    life = Life()
    life.look(0, FOREIGN)
    (one,) = life.standing
    life.standing = (replace(one, id=7, acknowledged_at=NOW + 1, acknowledged_by="ann"),)
    life.look(10, replace(FOREIGN, severity=Severity.NOTICE))
    (same,) = life.standing
    assert (same.condition.severity, same.acknowledged_by) == (Severity.WARNING, "ann")
    (more,) = life.look(20, replace(FOREIGN, severity=Severity.PAGE)).escalated
    assert (more.id, more.revision, more.changed_at) == (7, 2, NOW + 20)
    assert (more.acknowledged_at, more.acknowledged_by) == (None, "")
    life.look(30, FOREIGN)
    life.look(40, replace(FOREIGN, severity=Severity.PAGE))
    assert life.events == ["opened", "escalated"]


def test_words_causes_and_money_follow_and_nobody_is_told() -> None:
    """The record is as fresh as the last look, at the same revision."""
    life = Life()
    life.look(0, FOREIGN)
    fresh = replace(
        FOREIGN,
        summary="Nine are foreign.",
        causes=(Cause("writer", "web-1", 9, 1.0),),
        usd_per_hour=3.0,
    )
    (same,) = life.look(10, fresh).standing
    assert (same.condition, same.revision) == (fresh, 1)
    assert life.events == ["opened"]


def test_a_look_that_failed_ends_nothing() -> None:
    """However long nothing can be seen, what stood before still stands."""
    life = Life()
    life.look(0, FOREIGN)
    for after in range(10, 5_000, 100):
        life.look(after, looked_at=NOTHING)
    assert life.events == ["opened"]
    assert life.look(5_000).resolved == ()
    assert len(life.look(5_300).resolved) == 1


def test_scopes_have_lives_of_their_own() -> None:
    """One label's incident ends while another's goes on."""
    life = Life()
    one, other = (replace(FOREIGN, scope=f"team={each}") for each in "ab")
    life.look(0, one, other)
    life.look(10, other)
    (over,) = life.look(310, other).resolved
    assert over.condition.scope == "team=a"
    assert [each.condition.scope for each in life.standing] == ["team=b"]


@pytest.mark.parametrize("order", list(permutations(SEVERITIES)))
def test_of_several_with_one_key_the_gravest_counts(order: Sequence[Severity]) -> None:
    """And of the equally grave the first."""
    life = Life()
    life.look(0, *(replace(FOREIGN, severity=each) for each in order), FOREIGN)
    (one,) = life.standing
    assert one.condition.severity is Severity.PAGE
    (same,) = life.look(10, replace(FOREIGN, summary="First."), FOREIGN).standing
    assert same.condition.summary == "First."


@pytest.mark.parametrize("kind", sorted(SETTLED))
def test_what_says_itself_when_it_is_over_ends_at_once(kind: ConditionKind) -> None:
    """With the first look that does not see it."""
    life = Life()
    life.look(0, replace(FOREIGN, kind=kind))
    (over,) = life.look(10).resolved
    assert (over.quiet_since, over.resolved_at) == (NOW + 10, NOW + 10)


@pytest.mark.parametrize(("patience", "opens"), [(0.0, True), (0.5, False)])
def test_a_passing_fault_opens_at_once_where_there_is_no_patience(
    patience: float, *, opens: bool
) -> None:
    """However little there is, it is waited for."""
    rules = replace(RULES, patience=patience)
    made = advance((), [LIMITED], looked_at=ALL, rules=rules, now=NOW)
    assert bool(made.changes.opened) is opens


def test_a_clock_set_back_makes_nothing_wait_for_ever() -> None:
    """After a step back, patience and quiet count from the new time on."""
    life = Life()
    life.look(86_400, FOREIGN)
    life.look(86_410)
    life.look(0)
    assert len(life.look(300).resolved) == 1
    life.look(86_400, LIMITED)
    life.look(400, LIMITED)
    assert len(life.look(580, LIMITED).opened) == 1


kinds = st.sampled_from(
    [ConditionKind.FOREIGN_CONTAINERS, ConditionKind.RATE_LIMITED, ConditionKind.ORPHAN_COST]
)
conditions = st.lists(
    st.builds(
        Condition,
        kind=kinds,
        target=st.just("t"),
        summary=st.sampled_from(["So.", "And so."]),
        severity=st.sampled_from(Severity),
        scope=st.sampled_from(["", "team=a"]),
    ),
    max_size=4,
)
Look = tuple[float, list[Condition], bool]
looks = st.lists(
    st.tuples(st.sampled_from([0.0, 10.0, 100.0, 170.0, 299.0, 300.0]), conditions, st.booleans()),
    max_size=30,
)


def lived(history: Sequence[Look]) -> Life:
    """The life through all these looks, a failed one among them now and then."""
    life, after = Life(), 0.0
    for pause, seen, whole in history:
        after += pause
        life.look(after, *seen, looked_at=ALL if whole else NOTHING)
    return life


@given(looks)
def test_never_two_of_a_key_and_each_change_once(history: Sequence[Look]) -> None:
    """By key: opened, then ever higher, then resolved, and only then opened again."""
    life = lived(history)
    keys = [each.key for each in life.standing]
    assert len(keys) == len(set(keys))
    for key in {each.key for _, each in life.told}:
        told = [(what, each) for what, each in life.told if each.key == key]
        for (before, old), (what, new) in zip([("resolved", None), *told], told, strict=False):
            assert (what == "opened") is (before == "resolved")
            assert old is None or what == "opened" or new.revision == old.revision + 1
            if what == "escalated" and old is not None:
                rise = [SEVERITIES.index(each.condition.severity) for each in (old, new)]
                assert rise[0] < rise[1]


@given(looks)
def test_it_never_flaps(history: Sequence[Look]) -> None:
    """Between the last sight and the end lies the whole quiet time; nothing opens unseen."""
    for what, each in lived(history).told:
        own = each.condition.kind is ConditionKind.ORPHAN_COST
        if what == "resolved":
            assert each.changed_at - each.last_seen_at >= (0.0 if own else RULES.quiet)
        else:
            assert each.changed_at == each.last_seen_at
        if what == "opened" and each.condition.kind in PATIENT:
            assert each.changed_at - each.opened_at >= RULES.patience


@given(looks, st.integers(0, 30))
def test_a_restart_changes_nothing(history: Sequence[Look], stop: int) -> None:
    """All that bears on what comes next is in the incidents themselves."""
    whole = lived(history)
    before = lived(history[:stop])
    after = Life(before.standing)
    moment = sum(pause for pause, _, _ in history[:stop])
    for pause, seen, complete in history[stop:]:
        moment += pause
        after.look(moment, *seen, looked_at=ALL if complete else NOTHING)
    assert before.told + after.told == whole.told


@given(looks, conditions)
def test_the_order_of_conditions_does_not_matter(
    history: Sequence[Look], seen: list[Condition]
) -> None:
    """Of several with one key the gravest counts, whichever comes first."""
    some, others = lived(history), lived(history)
    some.look(99_000, *seen)
    others.look(99_000, *reversed(seen))
    gravity = [
        {each.key: (each.condition.severity, each.revision) for each in life.standing}
        for life in (some, others)
    ]
    assert gravity[0] == gravity[1]
