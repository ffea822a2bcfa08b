"""Which responses can have made which containers (P3, P4 and late births).

A candidate for a container is a logged request with an auto slot that fits its tier and whose
window contains its birth. A slot that has named the container it made is taken; one whose
response named an older living container made none. A response whose end is not known blocks
whatever a free slot of its may have made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

from demurrage.decide.book import Book
from demurrage.decide.matching import Birth, Matching, Search, Span, match
from demurrage.decide.response import Response
from demurrage.decide.slots import find_makers, free_slots, spoken_for
from demurrage.decide.window import Window, window
from demurrage.model.container import Container, Sighting
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

    `made`: makers (call ids) of the containers that their maker named. `blockers`: call or
    response ids, at most three, that must end before a container can be proven. `foreign`: no
    logged slot can have made it. `late`: named containers born outside their first namer's
    window, which shows that windows are too narrow. `deduced`: containers of which deduction has
    ruled out every blocker.
    """

    windows: Mapping[str, Window]
    matching: Matching
    made: Mapping[str, str]
    blockers: Mapping[str, tuple[str, ...]]
    foreign: frozenset[str]
    late: tuple[str, ...]
    deduced: Mapping[str, Deduced] = field(default_factory=dict)

    def maker(self, container_id: str) -> str | None:
        """The call id of the known or most likely maker."""
        if container_id in self.deduced:
            return self.deduced[container_id].maker
        return self.made.get(container_id) or self.matching.maker(container_id)


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
    relevant = [
        response
        for response in book.responses.values()
        if not _over_before(response, earliest, rules)
    ]
    windows = {
        each.call_id: window(each, retired, rules, whole_life=whole_life) for each in relevant
    }
    makers = find_makers(book, sightings, excluded, windows, rules)
    made = makers.made
    free = free_slots(relevant, sightings, windows, made)
    births = [
        birth_of(each.container)
        for each in sightings.values()
        if each.id not in excluded and each.id not in made
    ]
    spans = sorted(  # so that the order in which the log was read does not pick the maker
        (
            span_of(call_id, windows[call_id], slot.tier)
            for call_id, slots in free.items()
            for slot in slots
        ),
        key=lambda span: (span.low, span.high, span.call_id, span.tier or ""),
    )
    matching = match(births, spans)
    unended = (
        each for each in relevant if not each.ended and not spoken_for(each, sightings, made)
    )
    return Attribution(
        windows=windows,
        matching=matching,
        made=made,
        blockers=blockers_of(births, _possible_makers(book, unended, windows)),
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


def birth_of(container: Container) -> Birth:
    """A container as something to be matched."""
    return Birth(container.id, container.created_at, container.tier)


def span_of(call_id: str, span: Window, tier: str | None) -> Span:
    """A free slot as something to match; births are whole seconds, so it opens one earlier."""
    return Span(call_id, span.opens - 1, span.closes, tier)


def _over_before(response: Response, moment: float, rules: EvidenceRules) -> bool:
    """True when the response's last possible birth lies well before the moment."""
    finished = response.finished
    return (
        response.ended
        and finished is not None
        and finished.latest(rules.max_event_delay) + rules.clock_skew < moment
        and not response.named
    )


def _possible_makers(
    book: Book,
    unended: Iterable[Response],
    windows: Mapping[str, Window],
) -> Iterator[Span]:
    """The spans of whatever may still come to name a container that it made.

    Of two slots that made one known container between them, either may be the open one.
    """
    for response in unended:
        span = windows[response.call_id]
        if response.unclear:
            yield span_of(response.call_id, span, None)
        for tier in {slot.tier for slot in response.auto_slots}:
            yield span_of(response.call_id, span, tier)
    # Of a bare response id not even the mode is known: one that queues in the background may
    # begin long after somebody learned its id.
    for response_id, _ in book.unresolved():
        yield Span(response_id, -inf, inf, None)


def blockers_of(births: Iterable[Birth], unended: Iterable[Span]) -> dict[str, tuple[str, ...]]:
    """For every birth, some of the unended responses whose free slots admit it."""
    opening = sorted(unended, key=lambda span: span.low)
    heaps: dict[str | None, list[tuple[float, str]]] = {}
    blocked: dict[str, tuple[str, ...]] = {}
    place = 0
    for birth in sorted(births, key=lambda birth: birth.created_at):
        while place < len(opening) and opening[place].low <= birth.created_at:
            span = opening[place]
            heappush(heaps.setdefault(span.tier, []), (span.high, span.call_id))
            place += 1
        tiers = (birth.tier, None) if birth.tier is not None else tuple(heaps)
        first: list[tuple[float, str]] = []
        for tier in tiers:
            heap = heaps.get(tier, [])
            while heap and heap[0][0] < birth.created_at:
                heappop(heap)
            first.extend(heap[:1])
        if first:
            names = dict.fromkeys(call_id for _, call_id in sorted(first))
            blocked[birth.container_id] = tuple(names)[:NAMED_BLOCKERS]
    return blocked
