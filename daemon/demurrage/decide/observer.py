"""Does our own listing keep containers alive?

A container expires twenty minutes after its last activity, and any operation refreshes that;
whether listing does is not documented. If it did, watching would raise the bill without end.
It would show: containers that nobody uses would have been active at the very times at which
they were listed, poll after poll. A row may show the refresh of the same read, or only that of
the read before; both are looked for.

Use looks different. Its times have nothing to do with ours, and sooner or later nobody uses a
container between two of our polls. So:

* A row *follows* a poll when its activity has moved, to within tolerance of the time of this
  poll or of the one before.
* A row *refutes* the effect for all when its activity is older than our poll before this one:
  that poll, then, refreshed nothing.
* Only follows count that lie so far apart that chance would miss most of them.

Suspicion takes many rows that followed three times in a row each, or as many follows of fewer
rows. Containers in use every second or two for minutes, with no idle one beside them, cannot
be told from the effect; an effect that refreshes only now and then is not found.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from demurrage.model.container import Sighting
from demurrage.model.rules import Rules

# Activity times are whole seconds, rounded down.
_WHOLE_SECOND = 1.0
# A follow counts this many tolerances after the last that counted.
_SPACING = 3
# A row that followed so often without a break is a follower.
_STREAK = 3
# All followers together must have followed so often: seven rows three times, one 21 times. A
# container in use hits a poll's tolerance by chance in about every third poll at one use in ten
# seconds, so at this count an hour of such use does not add up, and minutes of the effect do.
_FOLLOWS = 21


@dataclass(frozen=True, slots=True)
class Track:
    """One unreferenced container's last poll: when, its activity, and how often it followed."""

    listed_at: float
    last_active_at: int
    streak: int = 0
    counted_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class ObserverWatch:
    """What is remembered from poll to poll; starts empty, need not survive a restart."""

    tracks: Mapping[str, Track] = field(default_factory=dict)

    @property
    def followers(self) -> tuple[str, ...]:
        """Containers whose activity keeps following our polls."""
        return tuple(key for key, track in self.tracks.items() if track.streak >= _STREAK)

    @property
    def suspected(self) -> bool:
        """True when listing itself seems to refresh activity."""
        return sum(self.tracks[key].streak for key in self.followers) >= _FOLLOWS


def observe(
    watch: ObserverWatch,
    sightings: Mapping[str, Sighting],
    unreferenced: Collection[str],
    rules: Rules,
) -> ObserverWatch:
    """Look at the rows that were listed since the last call.

    To be called after every listing, so that no poll is overlooked.

    Args:
        watch: What the last call returned, or an empty one.
        sightings: All known containers, by id, each with the time and activity of its last
            listing.
        unreferenced: Those that nobody uses according to the log. Their own activity must not
            count as use here: it is what the effect would forge.
        rules: For `evidence.activity_tolerance`, seconds.

    Returns:
        The new state; it holds only live, unreferenced containers with a known activity.
    """
    tracks: dict[str, Track] = {}
    refuted = False
    for container_id in unreferenced:
        sighting = sightings.get(container_id)
        if sighting is None or not sighting.alive or sighting.container.last_active_at is None:
            continue
        activity = sighting.container.last_active_at
        before = watch.tracks.get(container_id)
        if before is None:
            tracks[container_id] = Track(sighting.listed_at, activity)
        elif sighting.listed_at > before.listed_at:
            tracks[container_id] = _follow(before, sighting.listed_at, activity, rules)
            refuted = refuted or activity < before.listed_at - _lag(rules)
        else:
            tracks[container_id] = before
    if refuted:
        tracks = {key: Track(old.listed_at, old.last_active_at) for key, old in tracks.items()}
    return ObserverWatch(tracks)


def _follow(before: Track, polled_at: float, activity: int, rules: Rules) -> Track:
    lag = _lag(rules)
    if activity == before.last_active_at:
        # Within one tick of the clock that activity is told in, standing still says nothing.
        streak = before.streak if polled_at - before.listed_at <= lag else 0
        return Track(polled_at, activity, streak, before.counted_at)
    tolerance = rules.evidence.activity_tolerance
    follows = any(
        poll - lag <= activity <= poll + tolerance for poll in (before.listed_at, polled_at)
    )
    if not follows:
        return Track(polled_at, activity)
    if polled_at - before.counted_at < _SPACING * lag:
        return Track(polled_at, activity, before.streak, before.counted_at)
    return Track(polled_at, activity, before.streak + 1, polled_at)


def _lag(rules: Rules) -> float:
    """How far before a poll an activity that the poll caused may seem to lie."""
    return _WHOLE_SECOND + rules.evidence.activity_tolerance
