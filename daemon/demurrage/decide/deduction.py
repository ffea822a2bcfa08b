"""Who cannot have made a container, since something else must be what it made.

Under `evidence.proof = "deduced"` and complete coverage, a response that still runs blocks a
container only if some complete matching pairs one of its slots with it. That rests on containers
whose makers are known to be logged, and on slots none of which may be missing: where either is
in doubt, a container constrains nothing and is judged by the strict proof. docs/proof.md says why
the true maker is never ruled out.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from demurrage.decide.alternatives import Alternatives, find_alternatives
from demurrage.decide.attribution import (
    NAMED_BLOCKERS,
    Attribution,
    Deduced,
    blockers_of,
)
from demurrage.decide.grounds import Grounds, evidence_waits, restored, uncovered
from demurrage.decide.matching import Birth, Span, birth_of, match, span_of
from demurrage.decide.response import Response
from demurrage.decide.slots import is_unsure, reuses, spoken_for
from demurrage.decide.window import Window
from demurrage.model.container import Life, Sighting
from demurrage.model.rules import BillingRules

# In seconds. The makers of all that is listed are remembered for so long at least; windows are
# far shorter.
HORIZON = 3600.0


def horizon(billing: BillingRules) -> float:
    """How far before now, in seconds, births may still bear on others.

    Never less than three idle expiries.
    """
    return max(HORIZON, 3 * billing.idle_expiry)


def deduce(
    grounds: Grounds, sightings: Mapping[str, Sighting], excluded: frozenset[str]
) -> Attribution:
    """The attribution with only possible makers for blockers.

    Args:
        grounds: what the strict decision stands on.
        sightings: the target's containers, gone ones included.
        excluded: explicit containers, which no slot has made.
    """
    strict = grounds.attribution
    if not strict.blockers or any(True for _ in grounds.book.unresolved()):
        return strict
    creates = grounds.book.explicit or grounds.book.requested
    if creates and not grounds.rules.policy.auto_name:
        # Applications create containers, and of one whose answer was lost nobody logs the id.
        return strict
    in_doubt = _Union(_unsure(grounds))
    births = [
        birth_of(each.container)
        for each in sightings.values()
        if each.id not in excluded
        and _constrains(each, grounds)
        and not in_doubt.holds(each.container.created_at)
    ]
    if not any(birth.container_id in strict.blockers for birth in births):
        return strict
    spans = list(_spans(grounds, sightings))
    matching = match(births, spans)
    births = [birth for birth in births if birth.container_id not in matching.suspects]
    possible = _possible_blockers(
        births,
        find_alternatives(births, spans, matching.pairs),
        lambda call_id: _may_yet_name(call_id, grounds, sightings),
    )
    narrowed = {
        birth.container_id: possible.get(birth.container_id, ())
        for birth in births
        if birth.container_id in strict.blockers
    }
    deduced = {
        container_id: Deduced(
            spans[matching.pairs[container_id]].call_id, strict.blockers[container_id]
        )
        for container_id, blockers in narrowed.items()
        if not blockers
    }
    blockers = {
        container_id: blockers
        for container_id, blockers in {**strict.blockers, **narrowed}.items()
        if blockers
    }
    makers = {**strict.makers, **{each: found.maker for each, found in deduced.items()}}
    return replace(strict, makers=makers, blockers=blockers, deduced=deduced)


def _constrains(sighting: Sighting, grounds: Grounds) -> bool:
    """True when a logged slot that has not named it is known to have made the container.

    What somebody names without being its maker, or names for another target, may have come about
    in a way that is not logged.
    """
    container, attribution = sighting.container, grounds.attribution
    return (
        not grounds.elsewhere
        and not grounds.book.names(container.id)
        and container.id not in attribution.matching.suspects
        and container.life is not Life.UNKNOWN
        and container.created_at >= grounds.now - horizon(grounds.rules.billing)
        and restored(container, grounds) is None
        and evidence_waits(container.created_at + 1, grounds) is None
        and uncovered(container, grounds) is None
    )


def _related(grounds: Grounds) -> Iterator[tuple[Response, Window]]:
    """The responses that can have made anything listed, each with its window."""
    for call_id, window in grounds.attribution.windows.items():
        yield grounds.book.responses[call_id], window


def _unsure(grounds: Grounds) -> Iterator[tuple[float, float]]:
    """Where responses of which it is not known how many slots they had can have made something."""
    for response, window in _related(grounds):
        if is_unsure(response):
            span = span_of(response.call_id, window, None)
            yield span.low, span.high


def _spans(grounds: Grounds, sightings: Mapping[str, Sighting]) -> Iterator[Span]:
    """Every slot that can have made one of the containers that constrain."""
    made: dict[str, int] = {}
    for call_id in grounds.attribution.made.values():
        made[call_id] = made.get(call_id, 0) + 1
    skew = grounds.rules.evidence.clock_skew
    for response, window in _related(grounds):
        if not is_unsure(response):
            taken = made.get(response.call_id) or reuses(response, window, sightings, skew)
            for tier in _left(response, taken):
                yield span_of(response.call_id, window, tier)


def _left(response: Response, taken: int) -> list[str | None]:
    """The tiers of the slots that are left when some of a response's are taken.

    Which ones are is not always certain, so those that are left fit any tier if they differed.
    """
    tiers = [slot.tier for slot in response.auto_slots]
    if not taken:
        return tiers
    tier = tiers[0] if len(set(tiers)) == 1 else None
    return [tier] * (len(tiers) - taken)


def _may_yet_name(call_id: str, grounds: Grounds, sightings: Mapping[str, Sighting]) -> bool:
    """True while a response may come to name a container that it made."""
    response, strict = grounds.book.responses[call_id], grounds.attribution
    skew = grounds.rules.evidence.clock_skew
    return not response.ended and not spoken_for(
        response, sightings, strict.windows, strict.made, skew
    )


def _possible_blockers(
    births: Sequence[Birth], alternatives: Alternatives, may_yet_name: Callable[[str], bool]
) -> dict[str, tuple[str, ...]]:
    """For every birth, some of the responses that may yet name it and can have made it."""
    open_spans: dict[int | None, list[Span]] = {}
    for number, span in enumerate(alternatives.spans):
        if may_yet_name(span.call_id):
            open_spans.setdefault(alternatives.circle(number), []).append(span)
    of_circle: dict[int, list[Birth]] = {}
    for birth in births:
        if birth.container_id in alternatives.circles:
            of_circle.setdefault(alternatives.circles[birth.container_id], []).append(birth)
    found: dict[str, tuple[str, ...]] = {}
    for circle, spans in open_spans.items():
        admitted = births if circle is None else of_circle[circle]
        for container_id, names in blockers_of(admitted, spans).items():
            together = dict.fromkeys((*found.get(container_id, ()), *names))
            found[container_id] = tuple(together)[:NAMED_BLOCKERS]
    return found


class _Union:
    """The moments that any of some closed intervals contains."""

    def __init__(self, intervals: Iterable[tuple[float, float]]) -> None:
        self._lows: list[float] = []
        self._highs: list[float] = []
        for low, high in sorted(intervals):
            if self._highs and low <= self._highs[-1]:
                self._highs[-1] = max(self._highs[-1], high)
            else:
                self._lows.append(low)
                self._highs.append(high)

    def holds(self, moment: float) -> bool:
        """True when an interval contains the moment."""
        place = bisect_right(self._lows, moment) - 1
        return place >= 0 and moment <= self._highs[place]
