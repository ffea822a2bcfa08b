"""Which responses can have made which containers (P3, P4 and late births).

A candidate for a container is a logged request with an auto slot that fits its tier and whose
window contains its birth. A slot that has named the container it made is taken; one whose
response named an older living container made none. A response whose end is not known blocks
whatever a free slot of its may have made.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf

from demurrage.decide.book import Book
from demurrage.decide.matching import Birth, Matching, Search, Span, match
from demurrage.decide.response import Response
from demurrage.decide.window import Window, window
from demurrage.model.container import Container, Sighting
from demurrage.model.event import Slot
from demurrage.model.rules import EvidenceRules

# How many of the responses that a container waits for are named in its verdict.
NAMED_BLOCKERS = 3


@dataclass(frozen=True, slots=True)
class Attribution:
    """What is known of who made what.

    `made`: makers (call ids) of the containers that their maker named. `blockers`: call or
    response ids, at most three, that must end before a container can be proven. `foreign`: no
    logged slot can have made it. `late`: named containers born outside their first namer's
    window, which shows that windows are too narrow.
    """

    windows: Mapping[str, Window]
    matching: Matching
    made: Mapping[str, str]
    blockers: Mapping[str, tuple[str, ...]]
    foreign: frozenset[str]
    late: tuple[str, ...]

    def maker(self, container_id: str) -> str | None:
        """The call id of the known or most likely maker."""
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
    made, late = _makers(book, sightings, excluded, windows, rules)
    free = _free_slots(relevant, sightings, windows, made)
    births = [
        birth_of(each.container)
        for each in sightings.values()
        if each.id not in excluded and each.id not in made
    ]
    spans = [
        span_of(call_id, windows[call_id], slot.tier)
        for call_id, slots in free.items()
        for slot in slots
    ]
    matching = match(births, spans)
    everything = Search(spans)
    by_id = {birth.container_id: birth for birth in births}
    return Attribution(
        windows=windows,
        matching=matching,
        made=made,
        blockers=_blockers(births, _unended(book, relevant, free, windows)),
        foreign=frozenset(
            each for each in matching.left_over if not everything.admits(by_id[each])
        ),
        late=late,
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
        finished is not None
        and finished.latest(rules.max_event_delay) + rules.clock_skew < moment
        and not response.named
    )


def _makers(
    book: Book,
    sightings: Mapping[str, Sighting],
    excluded: frozenset[str],
    windows: Mapping[str, Window],
    rules: EvidenceRules,
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Makers of the containers that their first namer made, and the late births."""
    made: dict[str, str] = {}
    late: list[str] = []
    for container_id in book.mentions:
        sighting = sightings.get(container_id)
        if sighting is None or container_id in excluded:
            continue
        namer = _first_namer(book, container_id, rules)
        if namer is None or namer.call_id not in windows:
            continue
        span = windows[namer.call_id]
        born = sighting.container.created_at
        if span.admits(born):
            made[container_id] = namer.call_id
        elif born > span.closes:
            late.append(container_id)
    return made, tuple(sorted(late))


def _first_namer(book: Book, container_id: str, rules: EvidenceRules) -> Response | None:
    """The response whose auto slot named the container first; None if its request bore it."""
    first = min(
        book.naming(container_id),
        key=lambda each: (each.begun_earliest(rules.max_event_delay), each.call_id),
        default=None,
    )
    if first is None or not first.auto_slots or container_id not in first.named:
        return None
    return None if container_id in first.borne else first


def _free_slots(
    responses: Iterable[Response],
    sightings: Mapping[str, Sighting],
    windows: Mapping[str, Window],
    made: Mapping[str, str],
) -> dict[str, list[Slot]]:
    """Each response's auto slots less those that are spoken for."""
    own: dict[str, list[str]] = {}
    for container_id, call_id in made.items():
        own.setdefault(call_id, []).append(container_id)
    free: dict[str, list[Slot]] = {}
    for response in responses:
        slots = list(response.auto_slots)
        for container_id in own.get(response.call_id, ()):
            _take(slots, sightings[container_id].container.tier)
        for container_id in response.named - set(own.get(response.call_id, ())):
            sighting = sightings.get(container_id)
            if sighting is not None and _reused(sighting, windows[response.call_id]):
                _take(slots, sighting.container.tier)
        if slots:
            free[response.call_id] = slots
    return free


def _reused(sighting: Sighting, span: Window) -> bool:
    """True when the container was older than the request and alive when it began."""
    return sighting.container.created_at + 1 < span.opens and (
        sighting.gone_at is None or sighting.gone_at > span.opens
    )


def _take(slots: list[Slot], tier: str | None) -> None:
    """Strike out the slot that a container of the tier speaks for, the closest fit first."""
    if slots:
        slots.remove(min(slots, key=lambda slot: (slot.tier != tier, slot.tier is not None)))


def _unended(
    book: Book,
    responses: Iterable[Response],
    free: Mapping[str, list[Slot]],
    windows: Mapping[str, Window],
) -> Iterator[Span]:
    """The spans of whatever may still come to name a container that it made."""
    for response in responses:
        if response.ended:
            continue
        if response.started is None:
            yield span_of(response.call_id, windows[response.call_id], None)
        elif not response.slots_spoken_for:
            for slot in free.get(response.call_id, ()):
                yield span_of(response.call_id, windows[response.call_id], slot.tier)
    # Of a bare response id not even the mode is known: one that queues in the background may
    # begin long after somebody learned its id.
    for response_id, _ in book.unresolved():
        yield Span(response_id, -inf, inf, None)


def _blockers(births: Iterable[Birth], unended: Iterable[Span]) -> dict[str, tuple[str, ...]]:
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
        names: list[str] = []
        for tier in tiers:
            heap = heaps.get(tier, [])
            while heap and heap[0][0] < birth.created_at:
                heappop(heap)
            names.extend(call_id for _, call_id in heap[:NAMED_BLOCKERS])
        if names:
            blocked[birth.container_id] = tuple(dict.fromkeys(names))[:NAMED_BLOCKERS]
    return blocked
