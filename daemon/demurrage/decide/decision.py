"""One decision: evidence, inventory and one `now` in; a verdict on every live container out."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from demurrage.decide.attribution import Attribution, attribute
from demurrage.decide.book import Book
from demurrage.decide.coverage import all_breaks, find_breaks
from demurrage.decide.creates import unanswered_creates
from demurrage.decide.deduction import deduce
from demurrage.decide.grounds import Grounds, explicit_ids
from demurrage.decide.ledger import Ledger
from demurrage.decide.opaque import Opaque
from demurrage.decide.response import Claim, Moment
from demurrage.decide.verdict import judge
from demurrage.decide.watermark import Watermark, gone_with_holes, watermark
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.counted import counted
from demurrage.model.facts import CoverageBreak, TargetFacts
from demurrage.model.inventory import CompleteInventory
from demurrage.model.rules import EvidenceRules, Rules
from demurrage.model.verdict import Code, Verdict, VerdictKind

# Seconds. The bill of an orphan reaches its floor in five minutes, and doubles in ten.
_STALE = 600.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What one look at the evidence comes to.

    `breaks` are all breaches of coverage that stand, the ones just found among them. `late`
    are named containers born outside their first namer's window. `claim` is what this
    decision took for true of the log; a start that contradicts it later came too late.
    """

    target: str
    now: float
    read_since: float
    verdicts: Mapping[str, Verdict]
    watermark: Watermark
    attribution: Attribution
    breaks: tuple[CoverageBreak, ...]
    late: tuple[str, ...]
    conditions: tuple[Condition, ...]
    claim: Claim


def decide(
    ledger: Ledger,
    inventory: CompleteInventory,
    facts: TargetFacts,
    rules: Rules,
    *,
    read_since: float,
    now: float,
) -> Decision:
    """Judge every live container of a target.

    Args:
        ledger: the folded event log.
        inventory: the target's containers; a partial one cannot be handed in.
        facts: what the store knows of the target beside log and listing.
        rules: settings as values.
        read_since: start of the unbroken series of log readings, provider time.
        now: the provider's time.
    """
    book = ledger.book(inventory.target)
    mark = watermark(ledger, inventory.target, facts.retired, rules.evidence, now)
    excluded = explicit_ids(book, inventory.sightings.values(), rules.policy)
    attribution = _attribute(book, inventory, excluded, facts, rules)
    breaks: tuple[CoverageBreak, ...] = ()
    if facts.coverage_since is not None:
        found = find_breaks(
            ledger,
            book,
            sightings=inventory.sightings,
            attribution=attribution,
            excluded=excluded,
            complete_through=mark.through,
            facts=facts,
            rules=rules.evidence,
            now=now,
        )
        breaks = all_breaks(facts.breaks, found)
    grounds = Grounds(
        book,
        attribution,
        mark,
        breaks,
        facts,
        rules,
        read_since,
        now,
        undecodable=_latest(book.undecodable.values(), rules.evidence),
        unread=min((response_id for response_id, _ in book.unresolved()), default=None),
        opaque=Opaque(book, rules.evidence),
        elsewhere=ledger.named_elsewhere(inventory.target, inventory.sightings),
        creates=() if rules.policy.auto_name else unanswered_creates(book, rules.evidence),
    )
    # A start that the hole has swallowed may be that of a maker whom deduction would count on.
    if rules.evidence.proof == "deduced" and not gone_with_holes(
        ledger, facts.retired, rules.evidence
    ):
        attribution = deduce(grounds, inventory.sightings, excluded)
        grounds = replace(grounds, attribution=attribution)
    verdicts = {
        sighting.id: judge(sighting, grounds)
        for sighting in inventory.sightings.values()
        if sighting.alive
    }
    # Under partial coverage strangers are expected; they tell whether the word could be given.
    partial = facts.coverage_since is None
    strangers = Severity.NOTICE if partial else Severity.WARNING
    return Decision(
        inventory.target,
        now,
        read_since,
        verdicts,
        mark,
        attribution,
        breaks,
        attribution.late,
        (
            *_of_evidence(inventory.target, mark, breaks, attribution.late),
            *_stale(inventory.target, mark, strangers, now),
            *_of_containers(inventory.target, book, verdicts, strangers),
        ),
        Claim.of(now, mark.through, read_since, delay=rules.evidence.max_event_delay),
    )


def _latest(moments: Iterable[Moment], rules: EvidenceRules) -> float:
    """The last provider time that any of the moments can have been; -inf if there is none."""
    return max(
        (at.latest(rules.max_event_delay) + rules.clock_skew for at in moments), default=-inf
    )


def _attribute(
    book: Book,
    inventory: CompleteInventory,
    excluded: frozenset[str],
    facts: TargetFacts,
    rules: Rules,
) -> Attribution:
    """Attribute, and once more with whole-life windows if a late birth shows up."""
    attribution = attribute(
        book,
        inventory.sightings,
        excluded,
        facts.retired,
        rules.evidence,
        whole_life=facts.whole_life_windows,
    )
    if not attribution.late or facts.whole_life_windows:
        return attribution
    wide = attribute(
        book, inventory.sightings, excluded, facts.retired, rules.evidence, whole_life=True
    )
    return replace(wide, late=attribution.late)


def _of_evidence(
    target: str, mark: Watermark, breaks: Iterable[CoverageBreak], late: tuple[str, ...]
) -> Iterable[Condition]:
    """What a person should know of the log."""
    for holder in mark.faults:
        if holder.fault is not None:
            summary = f"writer {holder.source} holds the watermark: {holder.detail}"
            yield Condition(holder.fault, target, summary)
    for each in breaks:
        summary = f"coverage is no longer complete: {each.kind} {each.about}: {each.detail}"
        yield Condition(ConditionKind.COVERAGE_BROKEN, target, summary)
    if late:
        summary = (
            f"{counted(len(late), 'container')} born outside the window of the response; windows "
            "now last until a response ends"
        )
        yield Condition(ConditionKind.LATE_BIRTHS, target, summary)


def _stale(target: str, mark: Watermark, severity: Severity, now: float) -> Iterable[Condition]:
    """The log moves on, and what it is known to be complete up to does not."""
    age = now - mark.through
    if mark.holder is not None and _STALE < age < inf:
        summary = (
            f"the event log has been complete up to {age / 60:.0f} minutes ago only, for writer "
            f"{mark.holder.source} holds it; what was born since cannot be proven"
        )
        yield Condition(ConditionKind.EVIDENCE_STALE, target, summary, severity)


def _of_containers(
    target: str, book: Book, verdicts: Mapping[str, Verdict], strangers: Severity
) -> Iterable[Condition]:
    """What a person should know of the containers."""
    if not (book.responses or book.known):
        yield Condition(ConditionKind.NOBODY_LOGS, target, _NOBODY_LOGS, Severity.NOTICE)
        return
    counts_of = Counter(
        reason.code
        for verdict in verdicts.values()
        if verdict.kind in (VerdictKind.UNKNOWN, VerdictKind.UNPROVEN)
        for reason in verdict.reasons
    )
    for code, (kind, severity, what) in {
        Code.STATUS_UNKNOWN: (
            ConditionKind.UNKNOWN_STATUS,
            Severity.WARNING,
            "have a status never heard of",
        ),
        Code.ID_UNKNOWN: (
            ConditionKind.UNKNOWN_ID,
            Severity.WARNING,
            "have an id by which no reference would be recognised",
        ),
        Code.ACTIVITY_NULL: (
            ConditionKind.NULL_ACTIVITY,
            Severity.WARNING,
            "show no last activity",
        ),
        Code.FOREIGN: (
            ConditionKind.FOREIGN_CONTAINERS,
            strangers,
            "can come from no logged response",
        ),
        Code.SUSPECT: (
            ConditionKind.UNLOGGED_MAKERS,
            strangers,
            "are more than the logged slots explain",
        ),
    }.items():
        count = counts_of[code]
        if count:
            yield Condition(kind, target, f"{count} live containers {what}", severity)


_NOBODY_LOGS = (
    "no application logs for this target; tell of its requests by POST /v1/events, or "
    "everything that it makes stays unproven"
)


def counts(verdicts: Mapping[str, Verdict]) -> dict[VerdictKind, int]:
    """How many live containers stand under each verdict, every kind listed."""
    tally = dict.fromkeys(VerdictKind, 0)
    for verdict in verdicts.values():
        tally[verdict.kind] += 1
    return tally
