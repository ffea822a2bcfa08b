"""What a decision stands on, and what of it bears a container: evidence, coverage, no restore."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from demurrage.decide.attribution import Attribution
from demurrage.decide.book import Book
from demurrage.decide.opaque import Opaque
from demurrage.decide.watermark import Watermark
from demurrage.decide.window import Window
from demurrage.model.container import Container, Sighting
from demurrage.model.facts import CoverageBreak, TargetFacts
from demurrage.model.rules import PolicyRules, Rules
from demurrage.model.verdict import Code, Reason

_PARTIAL = Reason(
    Code.COVERAGE_PARTIAL, "coverage is partial: somebody may use containers without logging it"
)


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that a verdict stands on, the same for every container of one decision.

    `read_since` is the start of the unbroken series of log readings that evidence stands on:
    what was born before waits `max_event_delay` from then, because a start may have been
    waiting to be delivered. What was born up to `undecodable` may be named by an id that could
    not be decoded. `unread` is a response of which only the id is known, if there is one;
    `opaque` knows those that go on from what they do not name. `elsewhere` are containers that the
    log names for another target, and which that is. In `creates` containers may have been born
    that applications created without an answer. `waits` remembers what is said of those that wait
    for a response, by the response.
    """

    book: Book
    attribution: Attribution
    watermark: Watermark
    breaks: tuple[CoverageBreak, ...]
    facts: TargetFacts
    rules: Rules
    read_since: float
    now: float
    undecodable: float
    unread: str | None
    opaque: Opaque
    elsewhere: Mapping[str, str]
    creates: tuple[Window, ...]
    waits: dict[str, Reason] = field(default_factory=dict)


def looks_auto(container: Container, policy: PolicyRules) -> bool:
    """False when auto containers bear a known name and this one's is another."""
    return not policy.auto_name or fnmatchcase(container.name, policy.auto_name)


def explicit_ids(book: Book, sightings: Iterable[Sighting], policy: PolicyRules) -> frozenset[str]:
    """Containers that no auto slot has made: logged as created, or named otherwise."""
    if not policy.auto_name:
        return frozenset(book.explicit)
    return frozenset(book.explicit) | {
        each.id for each in sightings if not looks_auto(each.container, policy)
    }


def restored(container: Container, grounds: Grounds) -> Reason | None:
    """Why a birth is beyond proof that a lost start may have led to; None for all others.

    A restore loses starts, and what they led to is born until the last of these responses is over,
    which only a person can say. What was over by then may show as born, and be logged, as late
    as anything else.
    """
    before, rules = grounds.facts.distrust_before, grounds.rules.evidence
    delays = rules.max_birth_delay + rules.max_event_delay
    if before is not None and container.created_at < before + delays:
        text = "a response that the restore of the store or the log has forgotten may have made it"
        return Reason(Code.BORN_BEFORE_RESTORE, text)
    return None


def evidence_waits(moment: float, grounds: Grounds) -> Reason | None:
    """P2: why the log is not yet known to be complete past a moment.

    A start up to `clock_skew` later still opens its window before the moment, so the log must
    be complete past that too.
    """
    rules, now = grounds.rules.evidence, grounds.now
    if now < max(moment, grounds.read_since) + rules.max_event_delay:
        text = f"events may be under way for {rules.max_event_delay:.0f} s"
        return Reason(Code.EVENTS_MAY_BE_LATE, text)
    holder = grounds.watermark.holder
    if holder is not None and holder.through <= moment + rules.clock_skew:
        detail = holder.detail or "its next heartbeat is awaited"
        text = f"the log is not yet complete: writer {holder.source}: {detail}"
        return Reason(Code.LOG_NOT_COMPLETE, text, holder.source)
    return None


def uncovered(container: Container, grounds: Grounds) -> Reason | None:
    """P5: why the operator's word does not cover this container, None if it does."""
    since = grounds.facts.vouched_since
    if since is None:
        return _PARTIAL
    if grounds.breaks:
        first = grounds.breaks[0]
        text = f"coverage was broken: {first.about}: {first.detail}"
        return Reason(Code.COVERAGE_BROKEN, text, first.about)
    if container.created_at < since:
        return Reason(Code.BORN_BEFORE_COVERAGE, "it was born before coverage was complete")
    return None
