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
from demurrage.model.spike import WHOLE, Settlement, Traits

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
