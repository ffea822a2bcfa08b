"""Whether anything still holds a container: lineages, pins, the application that made it.

A lineage ends by `conversation.ended`, or for one container by `container.released`; an end
covers only what started before it, and an end that another writer reports must lie clearly
(by the clocks' uncertainty) after the start. Where nobody has told how a writer's clock stands,
its word ends nothing, nor does its `until`. What runs on past an end holds the container until it
is done. A pin ends at its `until` or by a release.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf
from typing import NamedTuple

from demurrage.decide.book import Book, Pin
from demurrage.decide.response import Moment, Response
from demurrage.model.rules import EvidenceRules
from demurrage.model.verdict import Code, Reason


@dataclass(frozen=True, slots=True)
class Held:
    """Something holds the container; `reasons` say what."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class LetGo:
    """All that held the container has ended, the last of it by `ended_at` (provider time).

    `declared_at`: the earliest moment at which any of it can have been declared over.
    """

    ended_at: float
    declared_at: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class NeverHeld:
    """No response, pin or application has ever named the container."""


Hold = Held | LetGo | NeverHeld
_NEVER_HELD = NeverHeld()


class End(NamedTuple):
    """When something ended: it was declared over not before `declared_at`, and was by `over_at`."""

    declared_at: float
    over_at: float


_NEVER = End(inf, inf)


def hold_on(book: Book, container_id: str, rules: EvidenceRules, now: float) -> Hold:
    """What holds a container, or since when nothing does any more."""
    if not book.names(container_id):
        return _NEVER_HELD
    final = book.final_releases(container_id)
    ends: list[End] = []
    for members in lineages(book, book.mentions.get(container_id, ())):
        ended = end_of(book, members, final, rules)
        if isinstance(ended, Reason):
            return Held((ended,))
        ends.append(ended)
    pins = sorted(book.pins.get(container_id, ()), key=lambda pin: pin.at.order)
    explicit = book.explicit.get(container_id, ())
    for ended in chain(
        (_pin(pin, book.pin_releases(container_id, pin), rules, now) for pin in pins),
        (_creation(at, final, rules) for at in explicit),
    ):
        if isinstance(ended, Reason):
            return Held((ended,))
        ends.append(ended)
    released = bool(final) or any(book.pin_releases(container_id, pin) for pin in pins)
    code = Code.RELEASED_BY_APPLICATION if released else Code.LINEAGES_ENDED
    text = (
        "the application released it"
        if released
        else "every conversation and pin that named it has ended"
    )
    ended_at = max(each.over_at for each in ends)
    declared_at = min(each.declared_at for each in ends)
    return LetGo(ended_at, declared_at, (Reason(code, text),))


def lineages(book: Book, call_ids: Collection[str]) -> list[list[Response]]:
    """The lineages of some responses, each once and as its members."""
    responses = book.responses
    return [
        [response for each in members if not (response := responses[each]).superseded]
        for members in book.lineages.distinct(call_ids)
    ]


def end_of(
    book: Book, members: Sequence[Response], releases: Sequence[Moment], rules: EvidenceRules
) -> End | Reason:
    """When a lineage ended, or why it has not."""
    said = (*book.lineages.ends(members[0].call_id), *releases)
    # Of one whose clock nobody knows it cannot be told what it comes after.
    ends = [end for end in said if end.source.timed]
    covering = ends and [end for end in ends if all(_covers(end, each, rules) for each in members)]
    if not covering:
        latest = members[0]
        if len(members) > 1:
            latest = max(members, key=lambda each: each.begun_latest(rules.max_event_delay))
        about = latest.response_id or latest.call_id
        what = "call" if latest.response_id is None else "response"
        text = f"{what} {about} may come back to it"
        if len(ends) < len(said):
            speaker = next(end.source.id for end in said if not end.source.timed)
            text += f"; {speaker} has ended it, but not told its clock_offset, so that counts not"
        return Reason(Code.NAMED_BY_RESPONSE, text, about)
    running = next((each for each in members if not each.ended), None)
    if running is not None:
        about = running.response_id or running.call_id
        return Reason(
            Code.RELEASE_WAITS, f"its conversation ended, but {about} may still run", about
        )
    declared_at = min(end.earliest(rules.max_event_delay) for end in covering)
    declared = min(end.latest(rules.max_event_delay) for end in covering)
    # A turn that ran on past the declared end held it until then, and used it; its writer may
    # have begun another turn right after, whose start is still under way.
    turns = (each.finished.latest(rules.max_event_delay) for each in members if each.finished)
    return End(declared_at, max((declared, *turns)))


def _covers(end: Moment, response: Response, rules: EvidenceRules) -> bool:
    """True when the response certainly began before the end was declared."""
    if response.started is not None:
        return _before(response.started, end, rules)
    begun = response.begun_latest(rules.max_event_delay)
    return begun + rules.clock_skew <= end.earliest(rules.max_event_delay)


def _pin(pin: Pin, releases: Sequence[Moment], rules: EvidenceRules, now: float) -> End | Reason:
    """When a pin ended, or that it has not."""
    until = _NEVER
    if pin.until is not None and pin.at.source.timed:
        # Told on the writer's clock, like everything else.
        last = Moment(pin.until, pin.at.source)
        until = End(last.earliest(rules.max_event_delay), last.latest(rules.max_event_delay))
    released = _released(pin.at, releases, rules)
    if min(until.over_at, released.over_at) > now:
        return Reason(Code.PINNED, "an application has pinned it", pin.at.source.id)
    return min(until, released, key=lambda end: end.over_at)


def _creation(at: Moment, releases: Sequence[Moment], rules: EvidenceRules) -> End | Reason:
    """When the application that created the container released it, or that it has not."""
    released = _released(at, releases, rules)
    if released.over_at == inf:
        return Reason(Code.CREATED_BY_APPLICATION, "an application created it itself", at.source.id)
    return released


def _released(at: Moment, releases: Sequence[Moment], rules: EvidenceRules) -> End:
    """The first release that certainly came after a moment; +inf if there is none."""
    unknown = rules.max_event_delay
    return min(
        (
            End(end.earliest(unknown), end.latest(unknown))
            for end in releases
            if end.source.timed and _before(at, end, rules)
        ),
        key=lambda end: end.over_at,
        default=_NEVER,
    )


def _before(at: Moment, end: Moment, rules: EvidenceRules) -> bool:
    """True when a moment certainly came before an end: by the writer's own count, or by clocks."""
    if at.source is end.source:
        return at.precedes(end)
    unknown = rules.max_event_delay
    return at.latest(unknown) + rules.clock_skew <= end.earliest(unknown)
