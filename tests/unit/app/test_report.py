"""What a report adds up."""

from dataclasses import replace

import pytest
from tests.unit.store.build import DAY, NOW, sighting

from demurrage.app.report import Births, Report, make_report
from demurrage.eventlog.attempts import Attempt
from demurrage.model.case import ContainerEntry, VerdictRecord
from demurrage.model.rules import BillingRules, Rules
from demurrage.model.verdict import Verdict, VerdictKind

RULES = Rules(billing=BillingRules(unused="charged"))
BORN = NOW - 7_200  # expired by now, were it left alone


def _entry(
    id_: str,
    kind: VerdictKind | None = VerdictKind.ORPHAN,
    *,
    born: float = BORN,
    tier: str | None = "1g",
    maker: str | None = None,
    shadow: VerdictKind | None = None,
    deleted_after: float | None = None,
) -> ContainerEntry:
    seen = sighting(id_, born=born, tier=tier)
    if deleted_after is not None:
        seen = replace(seen, gone_at=born + deleted_after, deleted_at=born + deleted_after)
    if kind is None:
        return ContainerEntry("default", seen)
    verdict = Verdict(id_, kind, (), maker=maker, shadow=shadow)
    return ContainerEntry("default", seen, VerdictRecord(1, born, "running", int(born), verdict))


def _made(*entries: ContainerEntry, makers: tuple[Attempt, ...] = ()) -> Report:
    return make_report("default", entries, makers, RULES, since=NOW - DAY, now=NOW)


def test_an_orphan_costs_what_it_lived_and_saves_the_rest() -> None:
    """Five minutes of twenty, of a container of one gigabyte."""
    total = _made(_entry("a", deleted_after=290), _entry("b")).sums.total
    assert (total.containers, total.orphans, total.deleted, total.before_minimum) == (2, 2, 1, 1)
    assert total.orphans_usd == pytest.approx(0.0075 + 0.03)
    assert total.left_alone_usd == pytest.approx(0.06)
    assert total.saved_usd == pytest.approx(0.0225)


def test_a_delete_after_the_minimum_is_not_before_minimum() -> None:
    """It saves less."""
    total = _made(_entry("a", deleted_after=301)).sums.total
    assert (total.deleted, total.before_minimum) == (1, 0)
    assert total.saved_usd == pytest.approx(0.021)


def test_what_was_used_and_let_go_is_no_orphan_that_was_deleted() -> None:
    """What it saved is told apart, for used containers are charged for certain."""
    total = _made(_entry("a", VerdictKind.RELEASED, deleted_after=290)).sums.total
    assert (total.orphans, total.deleted, total.before_minimum, total.let_go) == (0, 0, 0, 1)
    assert (total.saved_usd, total.left_alone_usd) == (0, 0)
    assert total.let_go_saved_usd == pytest.approx(0.0225)
    assert total.used_usd == pytest.approx(0.0075)


def test_what_lives_has_cost_so_far_only() -> None:
    """Six minutes by now."""
    total = _made(_entry("a", born=NOW - 360)).sums.total
    assert total.orphans_usd == pytest.approx(0.009)


def test_what_expired_long_before_it_was_listed_has_cost_to_its_expiry() -> None:
    """Nobody looked for an hour."""
    seen = replace(_entry("a").sighting, gone_at=NOW)
    assert _made(replace(_entry("a"), sighting=seen)).sums.total.orphans_usd == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("kind", "shadow", "counted"),
    [
        (VerdictKind.REFERENCED, None, "used"),
        (VerdictKind.RELEASED, None, "used"),
        (VerdictKind.EXPLICIT, None, "explicit"),
        (VerdictKind.ORPHAN, None, "orphans"),
        (VerdictKind.UNPROVEN, VerdictKind.ORPHAN, "orphans"),
        (VerdictKind.UNPROVEN, None, "unsettled"),
        (VerdictKind.PENDING, None, "unsettled"),
        (VerdictKind.PROTECTED, None, "unsettled"),
        (None, None, "unsettled"),
    ],
)
def test_a_container_counts_once_by_the_last_that_was_thought_of_it(
    kind: VerdictKind | None, shadow: VerdictKind | None, counted: str
) -> None:
    """Under partial coverage by what complete coverage would have said."""
    total = _made(_entry("a", kind, shadow=shadow)).sums.total
    sums = {name: getattr(total, name) for name in ("used", "explicit", "orphans", "unsettled")}
    assert sums == dict.fromkeys(sums, 0) | {counted: 1}
    assert total.foretold == (shadow is VerdictKind.ORPHAN)


def test_days_and_tiers_are_told_apart_in_their_order() -> None:
    """A day by UTC; a tier without a price costs nothing, and says so by its name."""
    made = _made(
        _entry("a", tier="64g"),
        _entry("b", born=BORN - DAY),
        _entry("c", tier=None),
    )
    assert list(made.sums.by_tier) == ["unknown", "1g", "64g"]
    assert list(made.sums.by_day) == ["2027-01-14", "2027-01-15"]
    assert made.sums.by_tier["unknown"].orphans_usd == 0
    assert made.sums.total.orphans == 3


def test_orphans_are_blamed_on_what_their_makers_have_in_common() -> None:
    """By model and by each label, the dearest first; used ones are nobody's fault."""
    makers = (
        Attempt("default", "1", "app/1", model="gpt-5", labels=(("team", "a"),)),
        Attempt("default", "2", "app/1", model="gpt-4.1"),
        Attempt("elsewhere", "3", "app/2", model="gpt-9"),
    )
    made = _made(
        _entry("a", maker="1"),
        _entry("b", maker="2", tier="64g"),
        _entry("c", maker="3"),
        _entry("d", VerdictKind.REFERENCED, maker="1"),
        makers=makers,
    )
    assert [(each.trait, each.value, each.orphans) for each in made.blame] == [
        ("model", "gpt-4.1", 1),
        ("model", "gpt-5", 1),
        ("model", "unknown", 1),
        ("team", "a", 1),
    ]
    assert made.blame[0].usd == pytest.approx(1.92)


def test_births_are_measured_where_the_maker_named_its_container() -> None:
    """Only likely makers tell nothing; the second in which a birth lies is allowed for."""
    makers = tuple(
        Attempt("default", call, "app/1", created_at=BORN - late, named=frozenset(names))
        for call, late, names in (("1", 2.0, "a"), ("2", 6.5, "b"), ("3", 50.0, ""))
    )
    entries = [
        _entry(each, VerdictKind.REFERENCED, maker=str(n)) for n, each in enumerate("abc", 1)
    ]
    assert _made(*entries, makers=makers).births == Births(2, 6.0, 8.0)
    assert _made(*entries).births is None
