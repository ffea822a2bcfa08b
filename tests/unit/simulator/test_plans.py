"""The workload's plans."""

from demurrage.simulator.plans import Habits, talk


def test_a_plan_follows_from_seed_and_number() -> None:
    """The same seed and number give the same conversation, others give others."""
    plans = [talk(1, number, Habits()) for number in range(50)]
    assert plans == [talk(1, number, Habits()) for number in range(50)]
    assert plans != [talk(2, number, Habits()) for number in range(50)]


def test_plans_cover_styles_tools_tiers_and_modes() -> None:
    """Two hundred conversations show every kind."""
    plans = [talk(1, number, Habits()) for number in range(200)]
    assert {plan.style for plan in plans} == {"replayed", "previous", "conversation"}
    assert {plan.tool for plan in plans} == {"code_interpreter", "shell"}
    assert {plan.tier for plan in plans} == {"1g", "4g", "16g", "64g"}
    turns = [turn for plan in plans for turn in plan.turns]
    assert {turn.mode for turn in turns} == {"blocking", "streamed", "background"}
    assert {plan.explicit for plan in plans} == {plan.ends for plan in plans} == {True, False}


def test_the_tool_use_rate_is_kept() -> None:
    """A rate of zero uses no tool, a rate of one always."""
    for rate in (0.0, 1.0):
        habits = Habits(tool_use_rate=rate)
        plans = [talk(1, number, habits) for number in range(20)]
        used = {turn.uses_tool(habits) for plan in plans for turn in plan.turns}
        assert used == {rate == 1.0}
