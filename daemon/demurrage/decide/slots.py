"""Which auto slots have shown what they made, and which may still have made something.

A name proves a maker only where it can be true: the container was born in the first namer's
window, its tier fits, and the response names no more such containers than it has slots.
Anything less leaves both the container and the slot in the count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from demurrage.decide.billing import WHOLE_SECOND
from demurrage.decide.book import Book
from demurrage.decide.response import Response
from demurrage.decide.window import Window
from demurrage.model.container import Sighting
from demurrage.model.event import Slot, Tool
from demurrage.model.rules import EvidenceRules


@dataclass(frozen=True, slots=True)
class Makers:
    """What names show: makers by container id, and named containers born too late for theirs."""

    made: Mapping[str, str]
    late: tuple[str, ...]


def find_makers(
    book: Book,
    sightings: Mapping[str, Sighting],
    excluded: frozenset[str],
    windows: Mapping[str, Window],
    rules: EvidenceRules,
) -> Makers:
    """Makers (call ids) of the containers that their first namer made, and the late births."""
    by_call: dict[str, list[Sighting]] = {}
    late: list[str] = []
    for container_id, sighting in sightings.items():
        if container_id not in book.mentions or container_id in excluded:
            continue
        namer = _first_namer(book, container_id, rules)
        if namer is None or namer.call_id not in windows or not _any_fits(namer, sighting):
            continue
        span = windows[namer.call_id]
        born = sighting.container.created_at
        if span.admits(born):
            if _may_be_anothers(book, sighting, namer, windows):
                continue
            by_call.setdefault(namer.call_id, []).append(sighting)
        elif born > span.closes:
            late.append(container_id)
    made = {
        each.id: call_id
        for call_id, own in by_call.items()
        if len(own) == 1 or _left(book.responses[call_id].auto_slots, own) is not None
        for each in own
    }
    return Makers(made, tuple(sorted(late)))


def _first_namer(book: Book, container_id: str, rules: EvidenceRules) -> Response | None:
    """The response whose auto slot named the container first; None if its request bore it."""
    naming = [each for each in book.naming(container_id) if not each.superseded]
    if not naming:
        return None
    first = naming[0]
    if len(naming) > 1:
        unknown = rules.max_event_delay
        first = min(naming, key=lambda each: (each.begun_earliest(unknown), each.call_id))
    made = first.auto_slots and container_id in first.named
    return first if made and container_id not in first.borne else None


def _may_be_anothers(
    book: Book, sighting: Sighting, namer: Response, windows: Mapping[str, Window]
) -> bool:
    """True when another response that names the container can have made it as well.

    One that queued for long may be the first by its start, and cite what a later one made.
    """
    return any(
        each is not namer
        and not each.superseded
        and sighting.id in each.named - each.borne
        and each.call_id in windows
        and windows[each.call_id].admits(sighting.container.created_at)
        and _any_fits(each, sighting)
        for each in book.naming(sighting.id)
    )


def _any_fits(response: Response, sighting: Sighting) -> bool:
    tier = sighting.container.tier
    return tier is None or any(slot.tier in (None, tier) for slot in response.auto_slots)


def _left(slots: Iterable[Slot], made: Iterable[Sighting]) -> list[Slot] | None:
    """The slots that remain when each container takes one that fits; None if they do not fit."""
    left = list(slots)
    for tier in sorted((each.container.tier for each in made), key=lambda tier: tier is None):
        fitting = [slot for slot in left if tier is None or slot.tier in (None, tier)]
        if not fitting:
            return None
        _take(left, tier)
    return left


def free_slots(
    responses: Iterable[Response],
    sightings: Mapping[str, Sighting],
    windows: Mapping[str, Window],
    made: Mapping[str, str],
) -> dict[str, list[Slot]]:
    """Each response's auto slots less those that made, or reused, what it names."""
    own: dict[str, list[Sighting]] = {}
    for container_id, call_id in made.items():
        own.setdefault(call_id, []).append(sightings[container_id])
    free: dict[str, list[Slot]] = {}
    for response in responses:
        mine = own.get(response.call_id, ())
        # What it made has fitted its slots, each another one.
        if len(mine) >= len(response.auto_slots):
            continue
        names = response.named - response.addressed
        # One that is no longer remembered took a slot all the same, once it is certain that the
        # response comes to name no other.
        forgotten = response.ended and sightings.keys().isdisjoint(names)
        if forgotten and len(names) >= len(response.auto_slots):
            continue
        slots = _left(response.auto_slots, mine) or []
        for container_id in sorted(names):
            if made.get(container_id) == response.call_id:
                continue
            sighting = sightings.get(container_id)
            if sighting is None and response.ended:
                _take(slots, None)
            elif sighting is not None and _reused(sighting, windows[response.call_id]):
                _take(slots, sighting.container.tier)
        if slots:
            free[response.call_id] = slots
    return free


def _reused(sighting: Sighting, span: Window) -> bool:
    """True when the container was older than the request, and may have lived when it began."""
    return sighting.container.created_at + 1 < span.opens < _died_by(sighting)


def _died_by(sighting: Sighting) -> float:
    """The latest moment at which a container can have died; +inf while it is listed alive.

    One that expires is listed as gone minutes later, for nobody looks at it all the time.
    """
    container, gone_at = sighting.container, sighting.gone_at
    if gone_at is None:
        return inf
    if container.idle_expiry is None or container.last_active_at is None:
        return gone_at
    last_active = max(container.created_at, container.last_active_at) + WHOLE_SECOND
    return min(gone_at, last_active + container.idle_expiry)


def _take(slots: list[Slot], tier: str | None) -> None:
    """Strike out the slot that a container of the tier speaks for, the closest fit first."""
    if slots:
        slots.remove(min(slots, key=lambda slot: (slot.tier != tier, slot.tier is not None)))


def is_unsure(response: Response) -> bool:
    """True when nobody knows how many slots a response has: its own start does not tell.

    A stored prompt shows one slot, and may bring several tools.
    """
    return response.unclear or any(slot.tool is Tool.UNKNOWN for slot in response.auto_slots)


def reuses(
    response: Response, window: Window, sightings: Mapping[str, Sighting], skew: float
) -> int:
    """One where it names a container that was older than it and provably outlived its beginning.

    One slot at most: of several such names, all may be of one tool. Of a response that runs only
    the output proves it.

    Args:
        response: one whose slots are known.
        window: the response's.
        sightings: the containers.
        skew: seconds by which the provider's own clocks may differ.
    """
    shown = response.named if response.ended else response.put_out
    for container_id in shown - response.addressed:
        sighting = sightings.get(container_id)
        if sighting is None:
            continue
        # What its request bore was there before it.
        older = container_id in response.carried or sighting.container.created_at + 1 < window.opens
        if older and _outlived(response, window, sighting, skew):
            return min(1, len(response.auto_slots))
    return 0


def _outlived(response: Response, window: Window, sighting: Sighting, skew: float) -> bool:
    """True when a container provably lived after the server began on a response.

    A dead one can be cited, but not reused. That a row shows it alive proves nothing: the row may
    be minutes old, and a deleted id can stay listed. Activity proves it, which every use is. The
    server begins before the window closes; where it tells when, and nothing queued, that counts.
    """
    begun = window.closes
    queues = response.background or response.queued is not None
    if response.created_high is not None and not queues:
        begun = min(begun, response.created_high + skew)
    return (sighting.container.last_active_at or -inf) > begun


def spoken_for(
    response: Response,
    sightings: Mapping[str, Sighting],
    windows: Mapping[str, Window],
    made: Mapping[str, str],
    skew: float,
) -> bool:
    """True when every auto slot of a response that still runs has shown its container.

    From then on it cannot be the maker of an unnamed one: a slot makes at most one. What it
    made shows it, or an older container that its output names, if that outlived its beginning.
    Ids that only the opening of the answer shows prove no reuse; it echoes what the request bore.
    Nor does a container that another tool of the request was given. Where the slots themselves are
    not known for certain, nothing speaks for them.
    """
    if is_unsure(response):
        return False
    if not response.named:
        return not response.auto_slots
    shown = sum(made.get(each) == response.call_id for each in response.named)
    taken = shown or reuses(response, windows[response.call_id], sightings, skew)
    return taken >= len(response.auto_slots)
