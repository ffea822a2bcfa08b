"""Which responses can have made which containers (P3, P4 and late births).

A candidate for a container is a logged request with an auto slot that fits its tier and whose
window contains its birth. A slot that has named the container it made is taken; one whose
response named an older living container made none. A response whose end is not known blocks
whatever a free slot of its may have made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf
from operator import attrgetter

from demurrage.decide.book import Book
from demurrage.decide.matching import (
    SPANS,
    Birth,
    Matching,
    Search,
    Span,
    birth_of,
    match,
    span_of,
)
from demurrage.decide.slots import find_makers, free_slots, spoken_for
from demurrage.decide.window import Window
from demurrage.decide.windows import Candidates
from demurrage.model.container import Sighting
from demurrage.model.rules import EvidenceRules

# How many of the responses that a container waits for are named in its verdict.
NAMED_BLOCKERS = 3


@dataclass(frozen=True, slots=True)
class Deduced:
    """A container that no response still running can have made, although windows admit it.

    `maker`: the call id of the one that most likely did. `cleared`: those that would block it
    but for deduction.
    """

    maker: str
    cleared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is known of who made what.

    `candidates`: the responses that can have made any of it. `made`: makers (call ids) of the
    containers that their maker named; `makers`: of all, the known or the most likely one.
    `blockers`: call or response ids, at most three, that must end before a container can be
    proven. `foreign`: no logged slot can have made it. `late`: named containers born outside their
    first namer's window, which shows that windows are too narrow. `deduced`: containers of which
    deduction has ruled out every blocker.
    """

    candidates: Candidates
    matching: Matching
    made: Mapping[str, str]
    makers: Mapping[str, str]
    blockers: Mapping[str, tuple[str, ...]]
    foreign: frozenset[str]
    late: tuple[str, ...]
    deduced: Mapping[str, Deduced] = field(default_factory=dict)

    @property
    def windows(self) -> Mapping[str, Window]:
        """When the candidates can have made what they made, by call id."""
        return self.candidates.windows


def attribute(
    book: Book,
    sightings: Mapping[str, Sighting],
    excluded: frozenset[str],
    retired: Mapping[str, float],
    rules: EvidenceRules,
    *,
    whole_life: bool,
) -> Attribution:
    """Attribute containers to logged slots.

    Args:
        book: the target's folded log.
        sightings: its containers, gone ones included as far as they still compete for slots.
        excluded: explicit containers, which no slot has made.
        retired: writers known to be gone, and since when.
        rules: the bounds of the windows.
        whole_life: windows last until the response ends (a late birth was seen).
    """
    earliest = min((each.container.created_at for each in sightings.values()), default=0)
    candidates = book.windows.look(book.responses, earliest, retired, rules, whole_life=whole_life)
    windows = candidates.windows
    makers = find_makers(book, sightings, excluded, windows, rules)
    made = makers.made
    births = sorted(
        (
            birth_of(each.container)
            for container_id, each in sightings.items()
            if container_id not in excluded and container_id not in made
        ),
    )
    spans = [
        *candidates.spans,
        *(
            span_of(call_id, windows[call_id], slot.tier)
            for call_id, slots in free_slots(candidates.others, sightings, windows, made).items()
            for slot in sorted(slots, key=lambda slot: slot.tier or "")
        ),
    ]
    # So that the order in which the log was read does not pick the maker.
    spans.sort(key=SPANS)
    matching = match(births, spans)
    unended = [
        span
        for response, open_spans in candidates.unended
        if not spoken_for(response, sightings, windows, made, rules.clock_skew)
        for span in open_spans
    ]
    # Of a bare response id not even the mode is known: one that queues in the background may
    # begin long after somebody learned its id.
    unended += [Span(response_id, -inf, inf, None) for response_id, _ in book.unresolved()]
    return Attribution(
        candidates=candidates,
        matching=matching,
        made=made,
        makers={
            **{
                container_id: spans[number].call_id
                for container_id, number in matching.pairs.items()
            },
            **made,
        },
        blockers=blockers_of(births, unended),
        foreign=_foreign(births, matching),
        late=makers.late,
    )


def _foreign(births: Iterable[Birth], matching: Matching) -> frozenset[str]:
    """The containers that no slot at all admits; those are left over by every matching."""
    if not matching.left_over:
        return frozenset()
    search = Search(matching.spans)
    return frozenset(
        birth.container_id
        for birth in births
        if birth.container_id in matching.left_over and not search.admits(birth)
    )


def blockers_of(births: Iterable[Birth], unended: Iterable[Span]) -> dict[str, tuple[str, ...]]:
    """For every birth, some of the unended responses whose free slots admit it."""
    opening = sorted(unended, key=attrgetter("low"))
    heaps: dict[str | None, list[tuple[float, str]]] = {}
    blocked: dict[str, tuple[str, ...]] = {}
    place = 0
    second = -inf
    # Births of one second and tier have the same ones.
    of_second: dict[str | None, tuple[str, ...]] = {}
    for born, container_id, tier in sorted(births):
        if born != second:
            second = born
            of_second.clear()
            while place < len(opening) and opening[place].low <= second:
                span = opening[place]
                heappush(heaps.setdefault(span.tier, []), (span.high, span.call_id))
                place += 1
        if tier not in of_second:
            of_second[tier] = _first_to_close(heaps, second, tier)
        if of_second[tier]:
            blocked[container_id] = of_second[tier]
    return blocked


def _first_to_close(
    heaps: Mapping[str | None, list[tuple[float, str]]], second: float, tier: str | None
) -> tuple[str, ...]:
    """Of the spans that fit a tier and are open in a second, some call ids."""
    first: list[tuple[float, str]] = []
    for each in (tier, None) if tier is not None else heaps:
        heap = heaps.get(each, [])
        while heap and heap[0][0] < second:
            heappop(heap)
        first.extend(heap[:1])
    return tuple(dict.fromkeys(call_id for _, call_id in sorted(first)))[:NAMED_BLOCKERS]
