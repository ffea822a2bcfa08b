"""The strict rules read by brute force: every container, every response, at every cycle."""

from math import inf

from demurrage.model.event import Created, Finished, Output, Sent
from demurrage.model.rules import Rules
from demurrage.simulator.score.events import told_of
from demurrage.simulator.score.truth import Box, Call, Truth

DELIVERY = 0.05
HEARTBEAT = 5.0


def deleted_at(box: Box, truth: Truth, rules: Rules, calls_take: float) -> float:
    """When the daemon's rules have an orphan deleted; +inf if it expires before."""
    evidence, now = rules.evidence, truth.begins_at
    due = max(
        box.created_at + 1 + rules.policy.idle_after,
        box.created_at + rules.billing.minimum - rules.policy.sweep_lead,
    )
    while now < box.expires_at:
        heard = (now - DELIVERY) // HEARTBEAT * HEARTBEAT
        if (
            now >= max(due, box.visible_at, box.created_at + 1 + evidence.max_event_delay)
            and heard > box.created_at + 1 + evidence.clock_skew
            and not any(blocks(call, box, truth, rules, now) for call in truth.calls)
        ):
            return now + calls_take
        now += rules.watch.interval
    return inf


def blocks(call: Call, box: Box, truth: Truth, rules: Rules, now: float) -> bool:
    """True while what is logged by now leaves it open that the call made the container."""
    skew = rules.evidence.clock_skew
    opens, closes = call.begins_at - skew, inf
    if not call.slot or call.begins_at + DELIVERY > now:
        return False
    for at, fact in told_of(call):
        if at + DELIVERY > now:
            break
        match fact:
            case Finished():
                return False
            case Created(created_at=float(created)):
                opens = created - skew
                closes = min(closes, created + skew + rules.evidence.max_birth_delay)
            case Sent(sent_at=sent):
                closes = min(closes, sent + skew + rules.evidence.max_birth_delay)
            case Output(containers=containers):
                closes = min(closes, at + skew)
                if any(truth.boxes[each].visible_at <= now for each in containers):
                    return False
            case _:
                pass
    return opens - 1 <= box.created_at <= closes
