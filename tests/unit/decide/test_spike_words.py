"""What is said of an alarm: whose it is, how grave, what it costs, and what it comes of."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.unit.decide.streams import HOUR, RULES, USD

from demurrage.decide.spike import SpikeWatch
from demurrage.decide.spike_scope import COST, FAST, SLOW, STANDING
from demurrage.decide.spike_words import conditions
from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import WHOLE, Alarm, Rate, Scope, Settlement, Tally, Traits, Usual

NOW = 100 * HOUR
USUAL = Usual(0.07, 1.0, {"1g": Rate(5.0)}, Tally(1000, {"1g": 230}), 10.0)
MINUTES = {5999: Tally(50, {"1g": 20, "64g": 3}), 5900: Tally(50, {"64g": 9})}
CHAT = Traits("app-1", "gpt-5", "conversation", (("app", "chat"),))


def scope(*kinds: ConditionKind, grains: dict[int, Tally] = MINUTES) -> Scope:
    """One in which these alarms stand, with the same latest past."""
    alarms = dict.fromkeys(kinds, Alarm(NOW - 60, NOW))
    return Scope(0.0, NOW, grains=grains, alarms=alarms, usual=USUAL)


def told(
    *kinds: ConditionKind, orphans: Sequence[Settlement] = (), rules: SpikeRules = RULES
) -> tuple[Condition, ...]:
    """The conditions of a target in which these alarms stand."""
    return conditions("t", SpikeWatch({WHOLE: scope(*kinds)}, tuple(orphans)), rules, USD)


def orphan(ago: float = 60, traits: Traits = CHAT, tier: str = "1g") -> Settlement:
    """One that was born so many seconds before now."""
    return Settlement("c", int(NOW - ago), tier, orphan=True, traits=traits)


FAST_USD = (20 * USD["1g"] + 3 * USD["64g"]) / 0.25
SLOW_USD = (20 * USD["1g"] + 12 * USD["64g"]) / 6
STANDING_USD = 230 * USD["1g"] / 10


@pytest.mark.parametrize(
    ("kind", "usd", "severity", "figures"),
    [
        (FAST, FAST_USD, Severity.PAGE, ("46%", "23 of 50", "7%", "15 minutes", "$25.44")),
        (SLOW, SLOW_USD, Severity.WARNING, ("32%", "32 of 100", "7%", "6 hours", "$3.94")),
        (COST, FAST_USD, Severity.PAGE, ("$25.44", "$0.15", "20 of 1g, 3 of 64g", "15 minutes")),
        (STANDING, STANDING_USD, Severity.NOTICE, ("23%", "$0.69")),
    ],
)
def test_each_alarm_is_told_with_its_figures(
    kind: ConditionKind, usd: float, severity: Severity, figures: tuple[str, ...]
) -> None:
    """Those that it stands on, and what they cost an hour."""
    (found,) = told(kind)
    assert (found.kind, found.target, found.scope) == (kind, "t", WHOLE)
    assert found.severity is severity
    assert found.usd_per_hour == pytest.approx(usd)
    assert found.causes == ()
    assert [each for each in (*figures, " (estimated)") if each not in found.summary] == []


@pytest.mark.parametrize(
    ("orphans", "mix"),
    [({"1g": 1, "4g": 2, "64g": 3}, "3 of 64g, 2 of 4g, 1 of 1g"), ({}, "none")],
)
def test_dear_orphans_are_told_by_their_tier(orphans: dict[str, int], mix: str) -> None:
    """The most frequent first."""
    one = scope(COST, grains={5999: Tally(50, orphans)})
    (found,) = conditions("t", SpikeWatch({WHOLE: one}), RULES, USD)
    assert f" {mix} " in found.summary


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(5400.0, "90 minutes"), (7200.0, " 2 hours"), (7255.0, "2.02 hours"), (21_600.0, " 6 hours")],
)
def test_a_window_is_told_in_hours_from_two_on(seconds: float, span: str) -> None:
    """To three figures."""
    (found,) = told(SLOW, rules=replace(RULES, slow_window=seconds))
    assert span in found.summary


@pytest.mark.parametrize("kind", [SLOW, COST])
def test_money_makes_it_a_page(kind: ConditionKind) -> None:
    """From the line itself on."""
    (found,) = told(kind)
    assert found.usd_per_hour is not None
    for line, severity in (
        (found.usd_per_hour, Severity.PAGE),
        (found.usd_per_hour + 0.01, Severity.WARNING),
    ):
        (again,) = told(kind, rules=replace(RULES, cost_page_usd_per_hour=line))
        assert again.severity is severity


def test_nothing_is_told_of_a_scope_that_knows_no_usual() -> None:
    """And of each other every alarm, of a label by its name."""
    young = replace(scope(FAST), usual=None)
    watch = SpikeWatch({WHOLE: young, "app=chat": scope(FAST, STANDING), "app=b": scope(SLOW)})
    found = conditions("t", watch, RULES, USD)
    assert [(each.scope, each.kind) for each in found] == [
        ("app=chat", FAST),
        ("app=chat", STANDING),
        ("app=b", SLOW),
    ]
    assert all(each.scope in each.summary for each in found)


@pytest.mark.parametrize(
    ("kind", "window"),
    [
        (FAST, RULES.fast_window),
        (COST, RULES.fast_window),
        (SLOW, RULES.slow_window),
        (STANDING, RULES.slow_window),
    ],
)
def test_causes_are_those_of_the_window(kind: ConditionKind, window: float) -> None:
    """To the second."""
    (found,) = told(kind, orphans=[orphan(window), orphan(window + 1)])
    assert set(found.causes) == {
        Cause("writer", "app-1", 1, 1.0),
        Cause("model", "gpt-5", 1, 1.0),
        Cause("context", "conversation", 1, 1.0),
        Cause("label", "app=chat", 1, 1.0),
    }


def test_causes_of_a_label_are_those_within_it() -> None:
    """Of whom nothing is known, that is said."""
    nobody = orphan(traits=Traits(labels=(("app", "b"),)))
    watch = SpikeWatch({"app=b": scope(FAST)}, (nobody, orphan()))
    (found,) = conditions("t", watch, RULES, USD)
    assert {(each.dimension, each.value, each.orphans, each.share) for each in found.causes} == {
        ("writer", "unknown", 1, 1.0),
        ("model", "unknown", 1, 1.0),
        ("context", "unknown", 1, 1.0),
        ("label", "app=b", 1, 1.0),
    }


def test_of_each_dimension_the_three_dearest_causes_are_told() -> None:
    """By their money, then by their number, and none of less than a twentieth."""
    counts = {"a": (5, "1g"), "b": (1, "64g"), "c": (6, "1g"), "d": (4, "unpriced"), "e": (4, "1g")}
    some = [
        orphan(traits=Traits(writer), tier=tier)
        for writer, (count, tier) in counts.items()
        for _ in range(count)
    ]
    (found,) = told(FAST, orphans=some)
    writers = [each for each in found.causes if each.dimension == "writer"]
    assert [each.value for each in writers] == ["b", "c", "a"]
    assert [each.orphans for each in writers] == [1, 6, 5]
    assert writers[0].share == 0.05
    (found,) = told(FAST, orphans=[*some, orphan(traits=Traits("d"), tier="unpriced")])
    writers = [each for each in found.causes if each.dimension == "writer"]
    assert [each.value for each in writers] == ["c", "a"]
    some = [orphan(traits=Traits(writer), tier="unpriced") for writer in "fgg"]
    (found,) = told(FAST, orphans=some)
    assert [each.value for each in found.causes if each.dimension == "writer"] == ["g", "f"]
