"""What truly happens: births, reuse, expiry, need."""

from demurrage.model.rules import BillingRules
from demurrage.simulator.score.load import Load, Request
from demurrage.simulator.score.policies import Script, best_at, cost, harm_of
from demurrage.simulator.score.truth import Habits, Truth, lay_out

BILLING = BillingRules()


def true(*requests: Request) -> Truth:
    """What happens under some requests, at a rate of one half."""
    load = Load("hand-made", requests, 5000.0)
    return lay_out(load, Habits(0.5), idle_expiry=1200.0, begins_at=0.0)


def test_an_unused_container_leaks_with_every_turn() -> None:
    """Two turns without a call make two orphans, born soon after their response began."""
    truth = true(Request("s", 0, 10, 0.9), Request("s", 60, 10, 0.9))
    assert [box.orphan for box in truth.boxes.values()] == [True, True]
    for box, began in zip(truth.boxes.values(), (0, 60), strict=True):
        assert began < box.born < began + 10
        assert box.visible_at - box.born <= 30


def test_a_used_container_serves_later_turns_until_it_expires() -> None:
    """A used one is carried on, and the turn after its expiry makes another."""
    truth = true(Request("s", 0, 10, 0.1), Request("s", 60, 10, 0.9), Request("s", 3000, 10, 0.9))
    first, second = truth.boxes.values()
    assert [call.carries for call in truth.calls] == [None, first.id, None]
    assert first.needed_until == 70
    assert second.orphan
    assert not first.orphan


def test_a_request_without_the_tool_makes_none_and_a_shell_names_what_it_made() -> None:
    """No slot, no container; the shell's answer names its container, used or not."""
    truth = true(Request("s", 0, 9, 0.1, tool="none"), Request("t", 0, 9, 0.9, tool="shell"))
    (box,) = truth.boxes.values()
    assert truth.calls[1].names == box.id
    assert not box.orphan


def test_the_best_policy_waits_for_the_maker_and_pays_the_floor() -> None:
    """A short maker costs five minutes, one of ten minutes what it took, never more than left."""
    for seconds, minutes in ((10, 5), (600, 10)):
        (box,) = true(Request("s", 0, seconds, 0.9)).boxes.values()
        usd = cost(box, best_at(box, BILLING), BILLING)
        assert round(usd / 0.0015) == minutes
        assert usd <= cost(box, float("inf"), BILLING) == 20 * 0.0015


def test_the_idle_script_harms_who_thinks_for_long() -> None:
    """It deletes a container between two turns seven minutes apart; one that waits longer not."""
    boxes = true(Request("s", 0, 10, 0.1), Request("s", 430, 10, 0.1)).boxes.values()
    assert harm_of(Script(300.0), boxes) == 1
    assert harm_of(Script(600.0), boxes) == 0
