"""Whether the operator's word, that every maker logs, still stands (P5).

The word counts from when it was first given. What contradicts it makes the target partial
until a person confirms again: writers whose record cannot be checked, starts that reach the
log too late, clocks that nobody knows, a key whose requests are logged for two targets, a project
that is listed as two, and containers that are visibly used although no logged response can account
for it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import inf

from demurrage.decide.attribution import Attribution
from demurrage.decide.book import Book
from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Moment, Response
from demurrage.decide.source import Source
from demurrage.decide.watermark import has_gone
from demurrage.decide.window import heard_by, misdated_by
from demurrage.decide.windows import Candidates
from demurrage.model.container import Container, Sighting
from demurrage.model.facts import BreakKind, CoverageBreak, TargetFacts
from demurrage.model.rules import EvidenceRules


def find_breaks(
    ledger: Ledger,
    book: Book,
    *,
    sightings: Mapping[str, Sighting],
    attribution: Attribution,
    excluded: frozenset[str],
    complete_through: float,
    facts: TargetFacts,
    rules: EvidenceRules,
    now: float,
) -> tuple[CoverageBreak, ...]:
    """Every breach of the word since it was given or last confirmed, in a stable order.

    One that a person has settled is none, though its moment may lie after his word, while the
    log says nothing new of it.
    """
    since = max(
        facts.coverage_since if facts.coverage_since is not None else now,
        facts.confirmed_at if facts.confirmed_at is not None else -inf,
    )
    found = [
        *_of_sources(ledger, book, facts.retired, rules, now),
        *_shared_keys(ledger, book.target, rules),
        *_shared_projects(book.target, facts.elsewhere, now),
        *_late_starts(book.target, attribution.candidates.late, rules),
        *_misdated(
            book.target,
            (*attribution.candidates.misdated, *_elsewhere(ledger, book.target)),
            rules,
        ),
        *_unaccounted(
            book,
            sightings=sightings,
            attribution=attribution,
            excluded=excluded,
            complete_through=complete_through,
            since=since,
            rules=rules,
            now=now,
        ),
    ]
    merged: dict[tuple[BreakKind, str], CoverageBreak] = {}
    for each in found:
        key = (each.kind, each.about)
        merged[key] = _together(merged[key], each) if key in merged else each
    return tuple(
        merged[key]
        for key in sorted(merged)
        if merged[key].at >= since and not _answered(merged[key], facts)
    )


def _together(one: CoverageBreak, other: CoverageBreak) -> CoverageBreak:
    """Two findings of the same, as one: the later, which rests on all that either rests on."""
    goes_on = 0 in (one.position, other.position)
    position = 0 if goes_on else max(one.position, other.position)
    return replace(max(one, other, key=lambda each: each.at), position=position)


def all_breaks(
    standing: Iterable[CoverageBreak], found: Iterable[CoverageBreak]
) -> tuple[CoverageBreak, ...]:
    """The breaches that stand, each as far as the log now tells of it, and then the new ones."""
    new = {(each.kind, each.about): each for each in found}
    old = tuple(
        each
        if (again := new.pop((each.kind, each.about), None)) is None
        else replace(each, position=max(each.position, again.position))
        for each in standing
    )
    return old + tuple(new.values())


def _answered(found: CoverageBreak, facts: TargetFacts) -> bool:
    return any(found.repeats(each) for each in facts.settled)


def _of_sources(
    ledger: Ledger, book: Book, retired: Mapping[str, float], rules: EvidenceRules, now: float
) -> Iterator[CoverageBreak]:
    target = book.target
    for source in ledger.sources.values():
        if source.own or target not in source.targets:
            continue
        if source.unsequenced:
            yield CoverageBreak(
                target,
                BreakKind.UNSEQUENCED_SOURCE,
                source.id,
                _last_spoke(source, rules),
                "its events carry no sequence, so a lost one would not be noticed",
                source.newest_position,
            )
        clock = _clock_fault(source, rules, now)
        if clock is not None:
            goes_on = _ahead(source, rules, now) and _at_work(source, book, retired, rules)
            position = 0 if goes_on else source.newest_position
            yield CoverageBreak(target, BreakKind.UNKNOWN_CLOCK, source.id, *clock, position)


def _last_spoke(source: Source, rules: EvidenceRules) -> float:
    """The latest provider time at which its last event can have happened."""
    return Moment(source.last_time, source).latest(rules.max_event_delay)


def _clock_fault(source: Source, rules: EvidenceRules, now: float) -> tuple[float, str] | None:
    """What is wrong with the clock of a writer that has begun requests, and when it last was.

    An offset that is no longer reported was wrong then, not now.
    """
    if source.first_start is None:
        return None
    if _ahead(source, rules, now):
        ahead = _seconds_ahead(source, rules, now)
        text = f"its clock is wrong: an event of it lies {ahead:.0f} s in the future"
        return _last_spoke(source, rules), text
    told = _told_offsets(source)
    if not told:
        if now - source.first_start <= rules.writer_timeout:
            return None
        return _last_spoke(source, rules), "it has never reported its clock's offset"
    off = [
        (told_at - offset, f"its clock is off by {abs(offset):.0f} s")
        for offset, told_at in told
        if abs(offset) > rules.max_event_delay
    ]
    return max(off, default=None)


def _ahead(source: Source, rules: EvidenceRules, now: float) -> bool:
    return _seconds_ahead(source, rules, now) > rules.max_event_delay


def _seconds_ahead(source: Source, rules: EvidenceRules, now: float) -> float:
    """How far in the future its last event lies for certain."""
    return source.active_time - source.offsets(rules.max_event_delay)[1] - now


def _at_work(
    source: Source, book: Book, retired: Mapping[str, float], rules: EvidenceRules
) -> bool:
    """True while the writer is about, or a call of it may yet make something.

    While its clock is ahead its promises reach into the future, so that nobody waits for what it
    keeps back, and its starts open windows too late.
    """
    if not (source.said_goodbye or has_gone(source, retired, rules)):
        return True
    return any(
        call_id in book.responses and not book.responses[call_id].ended for call_id in source.calls
    )


def _told_offsets(source: Source) -> list[tuple[float, float]]:
    """The bounds of its clock's offset, each with when it was last told, if they were.

    Where nothing but a goodbye told one, that is taken for it.
    """
    last = source.last_time
    told = (
        [(source.goodbye_low, last), (source.goodbye_high, last)]
        if source.offset_low is None
        else [
            (source.offset_low, source.low_told_at),
            (source.offset_high, source.high_told_at),
        ]
    )
    return [(offset, told_at) for offset, told_at in told if offset is not None]


def _shared_keys(ledger: Ledger, target: str, rules: EvidenceRules) -> Iterator[CoverageBreak]:
    """Keys under which requests for another target are logged, too: one name is wrong.

    A key belongs to one project, which is one target. What is logged under the wrong name is
    missing under the right one, and its slots explain containers here that it has not made.
    """
    for mark, moments in ledger.keys.items():
        if target not in moments:
            continue
        others = sorted(moments.keys() - {target})
        if others:
            at = max(each.latest(rules.max_event_delay) for each in moments.values())
            text = (
                f"requests with one key are logged for {', '.join(others)} too; one name is wrong"
            )
            position = ledger.key_positions[mark]
            yield CoverageBreak(target, BreakKind.SHARED_KEY, mark, at, text, position)


def _shared_projects(
    target: str, elsewhere: Mapping[str, str], now: float
) -> Iterator[CoverageBreak]:
    """Other targets that list the same containers: what is logged for these is missing here."""
    for other in sorted(set(elsewhere.values())):
        seen = min(container_id for container_id, name in elsewhere.items() if name == other)
        text = f"{seen} is listed for it as well, so both are one project; make one target of them"
        yield CoverageBreak(target, BreakKind.SHARED_PROJECT, other, now, text)


def _late_starts(
    target: str, late: Iterable[Response], rules: EvidenceRules
) -> Iterator[CoverageBreak]:
    """Starts that were not held when the daemon took the log for complete past them.

    They came after that decision, so that who confirmed in between knew nothing of them.
    """
    for response in late:
        if response.claim is not None:
            yield CoverageBreak(
                target,
                BreakKind.LATE_START,
                response.call_id,
                max(response.claim.decided_at + rules.max_event_delay, response.claim.read_at),
                f"its start reached the log more than {rules.max_event_delay:.0f} s late",
                max(response.positions, default=0),
            )


def _elsewhere(ledger: Ledger, target: str) -> Iterator[Response]:
    """What writers of the target have told of other targets, by the same clocks."""
    names = {
        name
        for source in ledger.sources.values()
        if target in source.targets and not source.own
        for name in source.targets - {target}
    }
    for name in sorted(names):
        yield from ledger.book(name).responses.values()


def _misdated(
    target: str, responses: Iterable[Response], rules: EvidenceRules
) -> Iterator[CoverageBreak]:
    """Writers whose clocks cannot stand as they were told to, by what the server says.

    What proves it may have come to the log much later than the server began, and also after a
    person's word that is of a later time.
    """
    for response in responses:
        for heard in misdated_by(response, rules):
            if target in heard.source.targets and response.created_high is not None:
                at = heard_by(response, heard)
                told = (response.created_high if at == inf else at) + rules.max_event_delay
                yield CoverageBreak(
                    target,
                    BreakKind.UNKNOWN_CLOCK,
                    heard.source.id,
                    max(told, response.told_at),
                    "its clock is wrong: by it, what the API dates itself came in another order",
                    max(response.positions, default=0),
                )


def _unaccounted(
    book: Book,
    *,
    sightings: Mapping[str, Sighting],
    attribution: Attribution,
    excluded: frozenset[str],
    complete_through: float,
    since: float,
    rules: EvidenceRules,
    now: float,
) -> Iterator[CoverageBreak]:
    """Containers in use that no logged response made, or that none can have used."""
    running = _earliest_unended(book, attribution.candidates, rules)
    for sighting in sightings.values():
        container = sighting.container
        used_at = last_use(container, rules)
        named = container.id in book.mentions or container.id in book.pins
        if used_at is None and not named:
            continue
        if container.id in excluded or container.created_at < since:
            continue
        told_by = max(container.created_at, used_at or 0) + 1
        if complete_through < told_by or now < told_by + rules.max_event_delay:
            continue
        if container.id in attribution.foreign:
            detail = "it is in use, but no logged response can have made it"
        elif not named and running > told_by + rules.clock_skew:
            detail = "it was used, but no logged response names it"
        else:
            continue
        yield CoverageBreak(
            book.target, BreakKind.UNACCOUNTED_USE, container.id, float(told_by), detail
        )


def last_use(container: Container, rules: EvidenceRules) -> int | None:
    """When the container was last visibly used, None if its activity is that of its birth."""
    active = container.last_active_at
    if active is None or active <= container.created_at + rules.activity_tolerance:
        return None
    return active


def _earliest_unended(book: Book, candidates: Candidates, rules: EvidenceRules) -> float:
    """The earliest start among responses whose end is not known; +inf if all have ended."""
    begun = (response.begun_earliest(rules.max_event_delay) for response, _ in candidates.unended)
    unresolved = -inf if any(True for _ in book.unresolved()) else inf
    return min(min(begun, default=inf), unresolved)
