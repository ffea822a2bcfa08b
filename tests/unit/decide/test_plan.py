"""Which containers are due, and in which order they go."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.plan import ForbiddenDeleteError, any_due, make_plan, stale_due
from demurrage.model.container import Container, Sighting
from demurrage.model.plan import Plan
from demurrage.model.rules import PolicyRules, Rules
from demurrage.model.verdict import Verdict, VerdictKind

NOW = 1_800_000_000.0
BORN = int(NOW) - 270
RULES = Rules()


def _sighting(
    key: str,
    *,
    tier: str | None = "1g",
    born: int = BORN,
    listed_at: float = NOW,
    status: str = "running",
) -> Sighting:
    return Sighting(Container(key, born, status, born, tier), listed_at, listed_at)


def _verdict(
    key: str, kind: VerdictKind = VerdictKind.ORPHAN, due_at: float | None = NOW
) -> Verdict:
    return Verdict(key, kind, (), due_at=due_at)


def _plan_of(*rows: Sighting, due: Mapping[str, float] | None = None, rules: Rules = RULES) -> Plan:
    verdicts = {row.id: _verdict(row.id, due_at=(due or {}).get(row.id, NOW)) for row in rows}
    return make_plan("default", verdicts, {row.id: row for row in rows}, rules, NOW)


def _ids(plan: Plan) -> list[str]:
    return [delete.container_id for delete in plan.deletes]


class TestPlan:
    """What is in a plan."""

    def test_holds_what_is_due_live_and_fresh(self) -> None:
        """A due orphan with a fresh row goes, and the plan carries its figures."""
        plan = _plan_of(_sighting("a", tier="64g"))
        assert _ids(plan) == ["a"]
        assert plan.made_at == NOW
        delete = plan.deletes[0]
        assert delete.saves_usd == pytest.approx(1.44)
        assert delete.next_tick_at == BORN + 300
        assert delete.due_at == NOW
        assert delete.tier == "64g"

    def test_leaves_out_what_is_not_yet_due(self) -> None:
        """A second before its due time a container stays."""
        assert not _plan_of(_sighting("a"), due={"a": NOW + 1}).deletes

    def test_leaves_out_rows_not_listed_within_three_intervals(self) -> None:
        """Exactly three intervals old is fresh, older is not."""
        assert _ids(_plan_of(_sighting("a", listed_at=NOW - 30))) == ["a"]
        assert not _plan_of(_sighting("a", listed_at=NOW - 30.5)).deletes

    def test_leaves_out_rows_listed_in_the_future(self) -> None:
        """After a clock stepped back, the age of a row is unknown."""
        assert not _plan_of(_sighting("a", listed_at=NOW + 31)).deletes

    def test_leaves_out_tombstones_and_the_gone(self) -> None:
        """A deleted, expired or vanished container is not deleted again."""
        rows = (
            replace(_sighting("tombstone"), deleted_at=NOW - 5),
            _sighting("expired", status="expired"),
            replace(_sighting("vanished"), gone_at=NOW - 5),
        )
        assert not _plan_of(*rows).deletes

    def test_leaves_out_unknown_statuses_and_unlisted_containers(self) -> None:
        """What no row shows alive is kept, whatever its verdict."""
        assert not _plan_of(_sighting("a", status="paused")).deletes
        assert not make_plan("default", {"a": _verdict("a")}, {}, RULES, NOW).deletes

    def test_leaves_out_verdicts_without_a_due_time(self) -> None:
        """A pending container is not due, and nothing objects to it."""
        pending = _verdict("a", VerdictKind.PENDING, due_at=None)
        assert not make_plan("default", {"a": pending}, {"a": _sighting("a")}, RULES, NOW).deletes


class TestOrder:
    """What goes first."""

    def test_takes_the_dearest_tier_first(self) -> None:
        """64g goes before 1g whatever their ticks."""
        rows = (_sighting("small", born=BORN - 29), _sighting("large", tier="64g", born=BORN))
        assert _ids(_plan_of(*rows)) == ["large", "small"]

    def test_takes_the_next_tick_before_the_one_after(self) -> None:
        """Of those that save the same, the container whose bill grows next goes first."""
        rows = (_sighting("later", born=BORN), _sighting("sooner", born=BORN - 20))
        assert _ids(_plan_of(*rows)) == ["sooner", "later"]

    def test_takes_first_what_has_most_left_to_save(self) -> None:
        """Within a tier a young orphan goes before one that has cost its money already."""
        rows = (_sighting("old", born=BORN - 800), _sighting("young", born=BORN))
        assert _ids(_plan_of(*rows)) == ["young", "old"]

    @given(
        st.lists(
            st.tuples(st.sampled_from(["1g", "4g", "16g", "64g"]), st.integers(0, 1100)),
            max_size=40,
        ),
        st.integers(0, 40),
    )
    def test_no_other_choice_of_as_many_saves_more_now(
        self, orphans: list[tuple[str, int]], calls: int
    ) -> None:
        """Whatever the number of calls, the first so many of a plan are the best that they buy."""
        rows = [
            _sighting(f"{number:02}", tier=tier, born=BORN - older)
            for number, (tier, older) in enumerate(orphans)
        ]
        saves = [each.saves_usd for each in _plan_of(*rows).deletes]
        assert sum(saves[:calls]) == pytest.approx(sum(sorted(saves, reverse=True)[:calls]))

    def test_takes_last_what_saves_nothing_any_more(self) -> None:
        """A container in its last billed minute, or of unknown tier, can wait for the others."""
        rows = (
            _sighting("expiring", tier="64g", born=int(NOW) - 1190),
            _sighting("unknown", tier="2g"),
            _sighting("small"),
        )
        assert _ids(_plan_of(*rows))[0] == "small"

    @given(st.permutations(["a", "b", "c", "d", "e"]))
    def test_does_not_depend_on_the_order_of_the_input(self, keys: list[str]) -> None:
        """Plans can be compared: equal input gives equal order."""
        assert _ids(_plan_of(*(_sighting(key) for key in keys))) == ["a", "b", "c", "d", "e"]


class TestDefence:
    """What a plan refuses."""

    @pytest.mark.parametrize("due_at", [NOW - 100, NOW + 100_000])
    @pytest.mark.parametrize(
        "kind",
        [
            VerdictKind.UNKNOWN,
            VerdictKind.PROTECTED,
            VerdictKind.REFERENCED,
            VerdictKind.EXPLICIT,
            VerdictKind.PENDING,
            VerdictKind.UNPROVEN,
        ],
    )
    def test_refuses_a_due_time_on_what_must_be_kept(
        self, kind: VerdictKind, due_at: float
    ) -> None:
        """One forbidden due time, even a far one, and there is no plan at all."""
        verdicts = {"a": _verdict("a"), "b": _verdict("b", kind, due_at)}
        rows = {"a": _sighting("a"), "b": _sighting("b")}
        with pytest.raises(ForbiddenDeleteError):
            make_plan("default", verdicts, rows, RULES, NOW)
        with pytest.raises(ForbiddenDeleteError):
            stale_due(verdicts, rows, RULES, NOW)

    def test_lets_the_unproven_pass_at_the_operators_risk_only(self) -> None:
        """`policy.unproven = "delete"` is the one leave to delete without proof."""
        rules = replace(RULES, policy=PolicyRules(unproven="delete"))
        verdicts = {"a": _verdict("a", VerdictKind.UNPROVEN)}
        assert _ids(make_plan("default", verdicts, {"a": _sighting("a")}, rules, NOW)) == ["a"]

    def test_lets_the_released_pass_unless_both_policies_keep_them(self) -> None:
        """Released containers go by `policy.released`, explicit ones by `policy.explicit`."""
        verdicts = {"a": _verdict("a", VerdictKind.RELEASED)}
        rows = {"a": _sighting("a")}
        assert _ids(make_plan("default", verdicts, rows, RULES, NOW)) == ["a"]
        keep = replace(RULES, policy=PolicyRules(released="keep"))
        with pytest.raises(ForbiddenDeleteError):
            make_plan("default", verdicts, rows, keep, NOW)
        explicit = replace(RULES, policy=PolicyRules(released="keep", explicit="delete"))
        assert _ids(make_plan("default", verdicts, rows, explicit, NOW)) == ["a"]

    def test_refuses_a_verdict_filed_under_another_id(self) -> None:
        """A mix-up of ids must not become a delete."""
        with pytest.raises(ForbiddenDeleteError):
            make_plan("default", {"a": _verdict("b")}, {"a": _sighting("a")}, RULES, NOW)


class TestStaleDue:
    """What must be listed first."""

    def test_names_what_needs_a_fresh_listing(self) -> None:
        """Due now or within an interval, live, and not listed lately."""
        rows = {
            "due": _sighting("due", listed_at=NOW - 60),
            "soon": _sighting("soon", tier="64g", listed_at=NOW - 60),
            "later": _sighting("later", listed_at=NOW - 60),
            "fresh": _sighting("fresh"),
            "gone": _sighting("gone", listed_at=NOW - 60, status="expired"),
        }
        due = {"soon": NOW + 10, "later": NOW + 10.5}
        verdicts = {key: _verdict(key, due_at=due.get(key, NOW)) for key in rows}
        assert stale_due(verdicts, rows, RULES, NOW) == ("soon", "due")

    @given(st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), max_size=20))
    def test_and_the_plan_share_out_all_that_is_due(self, cases: list[tuple[float, float]]) -> None:
        """What is due is planned or named as stale, never both and never neither."""
        rows = {str(i): _sighting(str(i), listed_at=NOW + age) for i, (age, _) in enumerate(cases)}
        verdicts = {str(i): _verdict(str(i), due_at=NOW + due) for i, (_, due) in enumerate(cases)}
        planned = set(_ids(make_plan("default", verdicts, rows, RULES, NOW)))
        stale = set(stale_due(verdicts, rows, RULES, NOW))
        assert not planned & stale
        assert any_due(verdicts, rows, RULES, NOW) == bool(planned)
        assert {str(i) for i, (_, due) in enumerate(cases) if due <= 0} <= planned | stale


class TestWhole:
    """What one entry must not do to the others."""

    def test_passes_over_what_is_kept_and_plans_the_rest(self) -> None:
        """A kept or vanished container before it hides no due one."""
        kept = _verdict("a", VerdictKind.PENDING, due_at=None)
        verdicts = {"a": kept, "b": _verdict("b"), "c": _verdict("c")}
        rows = {"a": _sighting("a"), "b": replace(_sighting("b"), gone_at=NOW), "c": _sighting("c")}
        plan = make_plan("default", verdicts, rows, RULES, NOW)
        assert _ids(plan) == ["c"]
        assert plan.target == "default"
        assert plan.deletes[0].created_at == BORN

    def test_ranks_by_what_the_next_tick_costs(self) -> None:
        """A dear tick with little left to save goes after a cheaper one with much."""
        rules = replace(RULES, billing=replace(RULES.billing, tick=120.0))
        rows = (
            _sighting("dear", tier="4g", born=int(NOW) - 1100),
            _sighting("lasting", tier="4g", born=int(NOW) - 290),
            _sighting("nothing", tier="2g", born=int(NOW) - 290),
            _sighting("expiring", tier="64g", born=int(NOW) - 1190),
        )
        assert _ids(_plan_of(*rows, rules=rules))[:1] == ["lasting"]
        assert set(_ids(_plan_of(*rows, rules=rules))[-2:]) == {"nothing", "expiring"}

    def test_says_what_it_refuses(self) -> None:
        """Both containers of a mix-up by their ids, and the verdict that may not be due."""
        with pytest.raises(ForbiddenDeleteError, match=r"a .* b"):
            make_plan("default", {"a": _verdict("b")}, {"a": _sighting("a")}, RULES, NOW)
        pending = {"a": _verdict("a", VerdictKind.PENDING)}
        with pytest.raises(ForbiddenDeleteError, match=r"a .*pending"):
            make_plan("default", pending, {"a": _sighting("a")}, RULES, NOW)
