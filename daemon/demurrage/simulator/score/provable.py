"""What could be proven from the log by a moment, read off the truth without the core.

An omniscient reading of the log knows no more than what is told, but misses nothing of it and
never waits for a cycle: an orphan can be proven once events can no longer be under way and
every response that may have made it has told that it did not.
"""

from collections.abc import Iterable, Iterator
from math import inf

from demurrage.decide.billing import WHOLE_SECOND
from demurrage.model.event import Created, Fact, Finished, Output, Sent
from demurrage.model.rules import EvidenceRules
from demurrage.simulator.score.events import told_of
from demurrage.simulator.score.truth import Box, Call, Truth


def provable_at(truth: Truth, rules: EvidenceRules) -> dict[str, float]:
    """From when each orphan could be proven strictly, in epoch seconds, all makers logging."""
    orphans = sorted(
        (box for box in truth.boxes.values() if box.orphan), key=lambda box: box.created_at
    )
    return {
        box.id: max(
            box.created_at + WHOLE_SECOND + rules.max_event_delay,
            max((_cleared_at(call, box, rules) for call in rivals), default=-inf),
        )
        for box, rivals in _with_rivals(orphans, truth.calls, rules)
    }


def _with_rivals(
    orphans: Iterable[Box], calls: Iterable[Call], rules: EvidenceRules
) -> Iterator[tuple[Box, list[Call]]]:
    """Each orphan with the calls whose windows may hold its birth."""
    waiting = iter(sorted((each for each in calls if each.slot), key=lambda call: call.begins_at))
    following = next(waiting, None)
    running: list[Call] = []
    for box in orphans:
        latest = box.created_at + WHOLE_SECOND + rules.clock_skew
        while following is not None and following.begins_at <= latest:
            running.append(following)
            following = next(waiting, None)
        running = [each for each in running if each.ends_at + rules.clock_skew >= box.created_at]
        yield box, running


def _cleared_at(call: Call, box: Box, rules: EvidenceRules) -> float:
    """When the log first tells that the call did not make, or will not name, the container."""
    for at, fact in told_of(call):
        if _clears(at, fact, call, box, rules):
            return at
    return inf


def _clears(at: float, fact: Fact, call: Call, box: Box, rules: EvidenceRules) -> bool:
    slack = rules.clock_skew
    match fact:
        case Finished():
            return True
        case Output(containers=containers):
            return box.created_at > at + slack or bool(containers)
        case Sent(sent_at=sent_at):
            return box.created_at > sent_at + slack + rules.max_birth_delay
        case Created(created_at=created_at, status=status) if created_at is not None:
            if call.mode == "background":
                began = at if status == "in_progress" else inf
            else:
                began = created_at
            return box.created_at > began + slack + rules.max_birth_delay
        case _:
            return False
