"""When an orphan is due, and what containers cost."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide import billing
from demurrage.decide.billing import Money
from demurrage.model.container import Container
from demurrage.model.rules import BillingRules, PolicyRules, Rules

RULES = Rules()
BILLING = RULES.billing
BORN = 1_800_000_000

ends = st.floats(min_value=BORN, max_value=BORN + 5000)
tiers = st.sampled_from(["1g", "4g", "16g", "64g", "2g", None])


def _container(
    *, tier: str | None = "1g", last_active_at: int | None = BORN, idle: float | None = None
) -> Container:
    return Container("cntr_1", BORN, "running", last_active_at, tier, idle_expiry=idle)


class TestDue:
    """The due time."""

    def test_waits_for_the_end_of_the_free_floor(self) -> None:
        """An orphan that is proven early goes a lead before the floor ends."""
        assert billing.due_at(BORN + 40, _container(), RULES) == BORN + 300 - 30

    def test_is_due_when_proven_past_the_floor(self) -> None:
        """Past the floor every minute costs, so proof alone decides."""
        assert billing.due_at(BORN + 400, _container(), RULES) == BORN + 400

    def test_counts_the_whole_second_of_the_last_activity(self) -> None:
        """Activity shown as second s may have been at s + 0.999."""
        active = _container(last_active_at=BORN + 200)
        assert billing.due_at(BORN, active, RULES) == BORN + 201 + 180

    def test_without_free_grace_goes_as_soon_as_it_is_idle(self) -> None:
        """`use_free_grace = false` drops the third term."""
        rules = replace(RULES, policy=PolicyRules(use_free_grace=False))
        assert billing.due_at(BORN + 10, _container(), rules) == BORN + 181

    def test_takes_missing_activity_as_birth(self) -> None:
        """A row without activity was last active when it was born."""
        rules = replace(RULES, policy=PolicyRules(use_free_grace=False))
        assert billing.due_at(0, _container(last_active_at=None), rules) == BORN + 181

    @given(proven=ends, active=st.integers(BORN, BORN + 2000), grace=st.booleans())
    def test_is_never_before_proof_or_idleness(
        self, proven: float, active: int, *, grace: bool
    ) -> None:
        """Whatever the settings, a due time respects proof and the last activity."""
        rules = replace(RULES, policy=PolicyRules(use_free_grace=grace))
        due = billing.due_at(proven, _container(last_active_at=active), rules)
        assert due >= proven
        assert due >= active + rules.policy.idle_after


class TestPrices:
    """List prices, ticks and savings."""

    @pytest.mark.parametrize(
        ("tier", "floor", "left"),
        [("1g", 0.0075, 0.03), ("4g", 0.03, 0.12), ("16g", 0.12, 0.48), ("64g", 0.48, 1.92)],
    )
    def test_are_those_of_the_price_list(self, tier: str, floor: float, left: float) -> None:
        """The floor and the twenty minutes cost what the provider publishes."""
        row = _container(tier=tier)
        assert billing.billed_usd(row, BORN + 270, BILLING) == pytest.approx(floor)
        assert billing.cost_if_left(row, BILLING) == pytest.approx(left)
        assert billing.saves(row, BORN + 270, BILLING) == pytest.approx(left - floor)

    def test_round_part_ticks_up(self) -> None:
        """A begun minute past the floor is a whole one."""
        row = _container()
        assert billing.billed_minutes(row, BORN + 300, BILLING) == 5
        assert billing.billed_minutes(row, BORN + 300.5, BILLING) == 6
        assert billing.billed_minutes(row, BORN + 360, BILLING) == 6

    def test_know_nothing_of_an_unknown_tier(self) -> None:
        """A tier without a price counts as nothing and is named as unknown."""
        for tier in ("2g", None):
            row = _container(tier=tier)
            assert billing.price(tier, BILLING) is None
            assert billing.tier_name(tier, BILLING) == "unknown"
            assert billing.cost_if_left(row, BILLING) == 0.0
        assert billing.tier_name("64g", BILLING) == "64g"

    def test_follow_the_idle_expiry_of_the_row(self) -> None:
        """A row that shows its own expiry is left for that long and no longer."""
        row = _container(idle=600.0, last_active_at=BORN + 60)
        assert billing.expires_at(row, BILLING) == BORN + 660
        assert billing.cost_if_left(row, BILLING) == pytest.approx(11 * 0.0015)

    @given(tier=tiers, early=ends, late=ends)
    def test_never_fall_with_time(self, tier: str | None, early: float, late: float) -> None:
        """A longer life costs no less, and deleting later saves no more."""
        early, late = sorted((early, late))
        row = _container(tier=tier)
        assert billing.billed_usd(row, early, BILLING) <= billing.billed_usd(row, late, BILLING)
        assert billing.saves(row, early, BILLING) >= billing.saves(row, late, BILLING) >= 0

    @given(tier=tiers, now=ends)
    def test_saved_and_spent_make_the_whole(self, tier: str | None, now: float) -> None:
        """Before its expiry, what a container cost and what its delete saves add up."""
        row = _container(tier=tier)
        if now <= billing.expires_at(row, BILLING):
            total = billing.billed_usd(row, now, BILLING) + billing.saves(row, now, BILLING)
            assert total == pytest.approx(billing.cost_if_left(row, BILLING))

    @given(now=ends)
    def test_hold_until_the_next_tick(self, now: float) -> None:
        """A delete at the next tick costs what one now costs, and one after it more."""
        row = _container()
        tick = billing.next_tick_at(row, now, BILLING)
        assert tick >= now
        cost = billing.billed_usd(row, now, BILLING)
        assert billing.billed_usd(row, tick, BILLING) == pytest.approx(cost)
        assert billing.billed_usd(row, tick + 0.5, BILLING) > cost


class TestMoney:
    """What an amount comes to."""

    def test_of_unused_containers_is_a_range_while_unknown(self) -> None:
        """Nobody has confirmed whether unused containers are charged."""
        assert billing.money(1.92, BILLING, used=False) == Money(0.0, 1.92)
        assert str(Money(0.0, 1.92)) == "$0 to $1.92"

    def test_is_certain_once_the_setting_says_so(self) -> None:
        """The settings "charged" and "free" leave no range."""
        assert billing.money(1.92, BillingRules(unused="charged"), used=False) == Money(1.92, 1.92)
        assert billing.money(1.92, BillingRules(unused="free"), used=False) == Money(0, 0)

    def test_of_used_containers_is_certain(self) -> None:
        """The doubt is about unused containers only."""
        assert billing.money(1.92, BillingRules(unused="free"), used=True) == Money(1.92, 1.92)

    def test_is_one_figure_where_both_ends_are_the_same(self) -> None:
        """And a range of cents is no range."""
        assert "to" not in str(Money(0.05, 0.05))
        assert "to" not in str(Money(0.0, 1e-10))
        assert "to" in str(Money(0.0, 0.05))
        assert "to" in str(Money(0.0, 0.9))

    def test_adds_up(self) -> None:
        """Ranges add at both ends."""
        assert Money(0, 1) + Money(2, 2) == Money(2, 3)
        assert str(Money(2, 2)) == "$2"

    def test_cents_are_told_from_a_dollar_on_however_much_it_is(self) -> None:
        """Below that, what a single container costs can still be read."""
        assert str(Money(147.7, 12_345.67)) == "$147.70 to $12,345.67"
        assert str(Money(0.03, 1_920.0)) == "$0.03 to $1,920"
        assert str(Money(0.0, 0.2825)) == "$0 to $0.2825"
        assert str(Money(1.5, 1.5)) == "$1.50"
