"""The moment up to which the event log is known to be complete for a target.

Every writer counts: one that is silent, has a gap or contradicts itself holds the watermark
where its last kept promise put it, until the gap heals, the writer says goodbye, or a person
(or proof of its death) retires it. Time alone never moves it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from demurrage.decide.ledger import NOBODY, Ledger
from demurrage.decide.source import Source
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import EvidenceRules


@dataclass(frozen=True, slots=True)
class Holder:
    """One writer, and the moment up to which it is complete."""

    source: str
    through: float
    fault: ConditionKind | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Watermark:
    """`through` is the least of all writers' moments, +inf when nobody is waited for.

    `holders` are those that are waited for, the one that reaches least far first.
    """

    through: float
    holders: tuple[Holder, ...]

    @property
    def holder(self) -> Holder | None:
        """The writer that holds it back most."""
        return self.holders[0] if self.holders else None

    @property
    def faults(self) -> tuple[Holder, ...]:
        """Writers that are not merely between two heartbeats."""
        return tuple(holder for holder in self.holders if holder.fault is not None)


def watermark(
    ledger: Ledger,
    target: str,
    retired: Mapping[str, float],
    rules: EvidenceRules,
    now: float,
) -> Watermark:
    """How far the log is complete for a target.

    A writer counts for the targets that it has mentioned. One whose record has a hole may
    have mentioned any target in what is missing, so it counts for all, and so does one that is
    known only by what retention has dropped.
    """
    holders = (
        _holder(source, rules, now)
        for source in _awaited(ledger.sources.values(), target, retired, rules)
    )
    ordered = tuple(sorted(holders, key=lambda each: (each.through, each.source)))
    return Watermark(ordered[0].through if ordered else inf, ordered)


def _awaited(
    sources: Iterable[Source], target: str, retired: Mapping[str, float], rules: EvidenceRules
) -> Iterable[Source]:
    for source in sources:
        if source.own or source.said_goodbye or has_gone(source, retired, rules):
            continue
        if target in source.targets or not source.targets or _holed(source):
            yield source


def gone_with_holes(ledger: Ledger, retired: Mapping[str, float], rules: EvidenceRules) -> bool:
    """True when a writer whose record is not whole is waited for no more, by a person's word."""
    return any(
        not source.own and _holed(source) and has_gone(source, retired, rules)
        for source in ledger.sources.values()
    )


def has_gone(source: Source, retired: Mapping[str, float], rules: EvidenceRules) -> bool:
    """True when the writer was retired and has not spoken since."""
    at = source.retired_at(retired, unknown=rules.max_event_delay, skew=rules.clock_skew)
    return at is not None


def _holed(source: Source) -> bool:
    return source.holed or source.id == NOBODY


def _holder(source: Source, rules: EvidenceRules, now: float) -> Holder:
    through = complete_through(source, rules)
    fault, detail = _fault(source, rules, now)
    return Holder(source.id, through, fault, detail)


def complete_through(source: Source, rules: EvidenceRules) -> float:
    """The provider time up to which one writer's record is complete.

    Either what its furthest kept heartbeat says, or, before the first one, its first event:
    nothing can have come before sequence 1, if that is held. A clock that has not been reported
    is taken to be within `max_event_delay` of the provider's; one that turns out further off
    breaks coverage.
    """
    ahead = source.offsets(rules.max_event_delay)[1]
    best = source.best
    if best is not None:
        return best.complete_through - ahead
    begun = source.opened and source.proven_through >= 1 and source.dropped == 0
    if begun and source.first_time is not None:
        return source.first_time - ahead - rules.clock_skew
    return -inf


def _fault(source: Source, rules: EvidenceRules, now: float) -> tuple[ConditionKind | None, str]:
    """What is wrong with a writer, if anything is."""
    if source.id == NOBODY or (source.set_aside and source.proven_through == 0):
        return ConditionKind.LINE_SET_ASIDE, "a line of the log could not be read"
    if source.conflict_at is not None:
        return ConditionKind.EVENT_CONFLICT, f"two contents at sequence {source.conflict_at}"
    if source.dropped:
        return ConditionKind.EVENTS_DROPPED, f"{source.dropped} events dropped by the writer"
    gap = source.gap
    if gap is not None:
        return ConditionKind.SEQUENCE_GAP, f"sequence {gap[0]} is missing (known up to {gap[1]})"
    if now - (source.last_time - source.offsets(rules.max_event_delay)[0]) > rules.writer_timeout:
        return ConditionKind.SILENT_WRITER, "no heartbeat and no goodbye"
    return None, ""
