"""A target as a whole and its labels: who tells, what it says, and whose fault it is."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.decide.streams import DAY, HOUR, RULES, USD, births, warm

from demurrage.decide.spike import SpikeWatch, begin, watch
from demurrage.decide.spike_words import conditions
from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import WHOLE, Alarm, Scope, Settlement, Traits

CHAT = Traits("app-1", "gpt-5", "conversation", (("app", "chat"),))
BATCH = Traits("app-2", "gpt-5-mini", "previous response", (("app", "batch"), ("team", "blue")))


def known(share: float = 0.05, *, chats: int = 80) -> SpikeWatch:
    """A target with two labels, and a past of each."""
    whole, chat = warm(share, per_hour=chats + 20), warm(share, per_hour=chats)
    batch = warm(share, per_hour=20)
    return SpikeWatch({WHOLE: whole, "app=chat": chat, "app=batch": batch})


def lived(
    before: SpikeWatch, stream: Sequence[Settlement], seconds: float, rules: SpikeRules = RULES
) -> list[SpikeWatch]:
    """The watch after each minute."""
    stream = sorted(stream, key=lambda each: each.born_at)
    found, place, now = [], 0, before.until
    for minute in range(1, int(seconds / 60) + 1):
        until = now + 60 * minute
        upto = place
        while upto < len(stream) and stream[upto].born_at < until:
            upto += 1
        before = watch(before, stream[place:upto], until, rules, usd_each=USD).watch
        place = upto
        found.append(before)
    return found


def raised(states: Sequence[SpikeWatch], rules: SpikeRules = RULES) -> list[Condition]:
    """The first condition of each kind and scope, as it was told then."""
    found: dict[tuple[ConditionKind, str], Condition] = {}
    for each in states:
        for condition in conditions("t", each, rules, USD):
            found.setdefault((condition.kind, condition.scope), condition)
    return list(found.values())


def test_a_leak_of_all_is_told_of_the_target_alone() -> None:
    """With its causes, and none of its labels beside it."""
    before, rng = known(), random.Random(8)
    end = before.until + HOUR
    stream = [
        *births(rng, 0.9, before.until, end, per_hour=80, traits=CHAT),
        *births(rng, 0.9, before.until, end, per_hour=20, traits=BATCH),
    ]
    states = lived(before, stream, HOUR)
    assert [(each.kind, each.scope) for each in raised(states)] == [
        (ConditionKind.ORPHAN_RATE_FAST, WHOLE)
    ]
    (last,) = conditions("t", states[-1], RULES, USD)
    assert last.severity is Severity.PAGE
    assert last.usd_per_hour == pytest.approx(90 * USD["1g"], rel=0.5)
    causes = {(each.dimension, each.value): each for each in last.causes}
    assert causes["writer", "app-1"].share > 0.6
    assert causes["label", "app=chat"].orphans == causes["writer", "app-1"].orphans
    assert causes["model", "gpt-5"].share + causes["model", "gpt-5-mini"].share == 1.0
    assert causes["context", "conversation"].share == causes["writer", "app-1"].share


def test_a_leak_of_one_label_is_found_where_the_whole_hides_it() -> None:
    """A small part of the traffic: its share jumps, that of the target hardly moves."""
    before, rng = known(chats=1000), random.Random(2)
    end = before.until + 3 * HOUR
    stream = [
        *births(rng, 0.05, before.until, end, per_hour=1000, traits=CHAT),
        *births(rng, 0.95, before.until, end, per_hour=40, traits=BATCH),
    ]
    told = raised(lived(before, stream, 3 * HOUR))
    (found,) = (each for each in told if each.kind is ConditionKind.ORPHAN_RATE_FAST)
    assert found.scope == "app=batch"
    assert {each.value for each in found.causes if each.dimension == "writer"} == {"app-2"}
    assert "app=batch" in found.summary


def test_that_it_always_leaks_is_told_once_with_its_cost() -> None:
    """Of the target, as a notice."""
    before, rng = known(0.5), random.Random(3)
    stream = births(rng, 0.5, before.until, before.until + HOUR, traits=CHAT)
    (found,) = raised(lived(before, stream, HOUR))
    assert (found.kind, found.severity) == (ConditionKind.STANDING_LEAK, Severity.NOTICE)
    assert found.usd_per_hour == pytest.approx(50 * USD["1g"], rel=0.05)


def test_dollars_escalate() -> None:
    """A warning from the first line on, a page from the second."""
    before, rng = known(0.5), random.Random(4)
    stream = births(rng, 0.5, before.until, before.until + HOUR, per_hour=800, traits=CHAT)
    told = [
        each.severity
        for state in lived(before, stream, HOUR)
        for each in conditions("t", state, RULES, USD)
        if each.kind is ConditionKind.ORPHAN_COST
    ]
    assert told[-1] is Severity.PAGE
    cheap = replace(RULES, cost_page_usd_per_hour=100.0)
    warned = raised(lived(before, stream, HOUR, cheap), cheap)
    assert {each.severity for each in warned} == {Severity.NOTICE, Severity.WARNING}


def test_a_new_target_begins_with_nothing() -> None:
    """A label is watched from its first birth on."""
    fresh = begin(100.0)
    stream = births(random.Random(5), 1.0, 100.0, 100.0 + HOUR, traits=BATCH)
    last = lived(fresh, stream, HOUR)[-1]
    assert set(last.scopes) == {WHOLE, "app=batch", "team=blue"}
    assert not conditions("t", last, RULES, USD)
    assert last.scopes["team=blue"].since < 100.0 + HOUR


def test_labels_without_number_take_no_room_from_those_that_are_known() -> None:
    """A request id for a label must not fill the store; one that is gone for long makes room."""
    rules = replace(RULES, max_labels=3)
    many = [
        Settlement(f"c{n}", 100 + n, "1g", orphan=True, traits=Traits(labels=(("id", str(n)),)))
        for n in range(50)
    ]
    seen = watch(begin(100.0), many, 200.0, rules, usd_each=USD)
    assert len(seen.watch.scopes) == 4
    later = 200.0 + 8 * DAY
    new = Settlement("new", int(later - 60), "1g", orphan=True, traits=CHAT)
    again = watch(seen.watch, [new], later, rules, usd_each=USD)
    assert set(again.watch.scopes) == {WHOLE, "app=chat"}
    assert again.gone == set(seen.watch.scopes) - {WHOLE}


def test_a_time_without_looks_is_left_out_everywhere() -> None:
    """In each scope, so that none takes it for quiet."""
    before = known()
    gap = before.until, before.until + DAY
    seen = watch(before, (), gap[1] + 60, RULES, usd_each=USD, unwatched=gap)
    assert {each.skips for each in seen.watch.scopes.values()} == {(gap,)}


def test_causes_are_few_and_dearest_first() -> None:
    """A dear tier weighs more than many cheap ones."""
    before, rng = known(), random.Random(6)
    end = before.until + HOUR
    stream = [
        *births(rng, 1.0, before.until, end, per_hour=60, traits=BATCH, tier="64g"),
        *births(rng, 1.0, before.until, end, per_hour=200, traits=CHAT),
    ]
    last = lived(before, stream, HOUR)[-1]
    (found,) = conditions("t", last, RULES, USD)
    writers = [each for each in found.causes if each.dimension == "writer"]
    assert [each.value for each in writers] == ["app-2", "app-1"]
    assert isinstance(writers[0], Cause)
    assert writers[0].orphans < writers[1].orphans


def test_a_look_changes_what_it_has_births_of_and_what_stands() -> None:
    """A quiet label stays as it is, however late it gets, until it is gone."""
    before = known()
    alarm = {ConditionKind.ORPHAN_RATE_SLOW: Alarm(before.until - HOUR, before.until)}
    scopes = dict(before.scopes)
    scopes["app=batch"] = replace(scopes["app=batch"], alarms=alarm)
    until = before.until + 60.0
    seen = watch(replace(before, scopes=scopes), (), until, RULES, usd_each=USD)
    assert seen.changed == {WHOLE, "app=batch"}
    assert {name for name, each in seen.watch.scopes.items() if each.until == until} == seen.changed
    assert seen.gone == frozenset()


@pytest.mark.parametrize(("later", "goes"), [(7 * DAY, False), (7 * DAY + 1, True)])
def test_a_label_that_is_not_seen_for_a_week_goes(later: float, *, goes: bool) -> None:
    """To the second."""
    seen = watch(known(), (), known().until + later, RULES, usd_each=USD)
    assert seen.gone == ({"app=chat", "app=batch"} if goes else set())
    assert set(seen.watch.scopes) == {WHOLE, "app=chat", "app=batch"} - seen.gone


def test_where_there_is_no_room_no_label_is_taken() -> None:
    """Nor where the setting has been lowered since."""
    before = known()
    new = Settlement("c", int(before.until), "1g", orphan=True, traits=Traits(labels=(("a", "b"),)))
    for room, taken in ((1, False), (2, False), (3, True)):
        rules = replace(RULES, max_labels=room)
        seen = watch(before, [new], before.until + 60, rules, usd_each=USD)
        assert ("a=b" in seen.watch.scopes) is taken


def test_a_label_may_be_told_of_by_the_first_look_that_sees_it() -> None:
    """Where that one has days to catch up with; but not that it always leaks."""
    unknown = Scope(0.0, 0.0, skips=((0.0, 9 * DAY),))
    rng, flood = random.Random(9), 3 * DAY - 6 * HOUR
    stream = [
        *births(rng, 0.5, 0.0, flood, traits=CHAT),
        *births(rng, 0.5, flood, 3 * DAY, per_hour=2000, traits=CHAT),
    ]
    seen = watch(SpikeWatch({WHOLE: unknown}), stream, 3 * DAY, RULES, usd_each=USD).watch
    assert not seen.scopes[WHOLE].alarms
    assert set(seen.scopes["app=chat"].alarms) == {ConditionKind.ORPHAN_COST}


@pytest.mark.parametrize(("oldest", "kept"), [(0, [0, 1, 2, 3]), (-1, [2, 3])])
def test_orphans_that_no_window_holds_go_together(oldest: int, kept: list[int]) -> None:
    """Once the first of them is an hour older than the slow window."""
    before = known()
    until = before.until + 60.0
    since = int(until - RULES.slow_window)
    some = [
        Settlement(str(number), at, "1g", orphan=number != 4)
        for number, at in enumerate((since - 3600 + oldest, since - 1, since, since + 1, since + 2))
    ]
    held = replace(before, orphans=tuple(some[:2]))
    seen = watch(held, some[2:], until, RULES, usd_each=USD).watch
    assert [each.container_id for each in seen.orphans] == [str(number) for number in kept]
