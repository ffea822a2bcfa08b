"""Which births are settled, in the order of birth.

A container that is used is known as such within seconds; that one is an orphan takes proof, and
often minutes. Counted as they come, the used ones would come first, and a share of orphans would
be too low while traffic grows and too high when it ends. So a birth is counted only once all
births before it are settled. One that is not after `within` is passed over, for good: whatever
makes proof late (a writer that fell silent, a lost answer) must not come out as a rush of orphans
when it is mended.
"""

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from demurrage.model.container import Sighting
from demurrage.model.spike import Settlement, Traits
from demurrage.model.verdict import Verdict, VerdictKind

_USED = frozenset({VerdictKind.REFERENCED, VerdictKind.RELEASED})


@dataclass(frozen=True, slots=True)
class Queue:
    """Births before `until` are counted or passed over; `settled` wait for an earlier one.

    `looked_at` is the last look. All in provider time, epoch seconds.
    """

    until: float
    looked_at: float
    settled: Mapping[str, Settlement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a look brought: births in their order, and a time in which nobody looked, if any."""

    queue: Queue
    births: tuple[Settlement, ...]
    unwatched: tuple[float, float] | None


def settle(
    queue: Queue,
    verdicts: Mapping[str, Verdict],
    sightings: Mapping[str, Sighting],
    explicit: AbstractSet[str],
    told: Callable[[Verdict], tuple[str, Traits]],
    *,
    within: float,
    delay: float,
    now: float,
) -> Settled:
    """Go on after one decision.

    Args:
        queue: what waits.
        verdicts: on every live container.
        sightings: all containers that are known, by id.
        explicit: those that an application made itself; they are not counted.
        told: the tier, as money knows it, and the traits of a container.
        within: seconds after which a birth that is not settled is passed over.
        delay: seconds for which a birth may still come to light.
        now: provider time.
    """
    unwatched = None
    if now - queue.looked_at > within:
        unwatched = (queue.until, now - within)
        queue = Queue(max(queue.until, now - within), now)
    settled = dict(queue.settled)
    waiting = max(queue.until, now - delay)
    for container_id, verdict in verdicts.items():
        born_at = sightings[container_id].container.created_at
        if born_at < queue.until or container_id in explicit:
            continue
        kind = verdict.shadow or verdict.kind
        if kind is VerdictKind.PENDING:
            settled.pop(container_id, None)
            if now - born_at < within:
                waiting = min(waiting, float(born_at))
        elif kind is VerdictKind.ORPHAN or kind in _USED:
            orphan = kind is VerdictKind.ORPHAN
            known = settled.get(container_id)
            if known is None or known.orphan is not orphan:
                tier, traits = told(verdict)
                settled[container_id] = Settlement(container_id, born_at, tier, orphan, traits)
        else:
            settled.pop(container_id, None)
    births = sorted(_before(settled.values(), waiting), key=lambda each: each.born_at)
    for each in births:
        del settled[each.container_id]
    return Settled(
        replace(queue, until=waiting, looked_at=now, settled=settled), tuple(births), unwatched
    )


def _before(settled: Iterable[Settlement], moment: float) -> Iterable[Settlement]:
    return (each for each in settled if each.born_at < moment)
