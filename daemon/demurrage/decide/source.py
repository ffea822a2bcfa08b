"""What is held of one writer: its sequence, its clock, and how far it is complete.

A source is one process. Its events carry a gapless `sequence` from 1. Its record is complete
up to a moment when a heartbeat says "all before this moment is sent, up to sequence n" and all
up to n are held. Folding is commutative: the order in which records arrive does not matter.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from demurrage.model.event import PERSON_PREFIX, Event, Heartbeat

# Sequences whose content is remembered, to notice one place with two contents.
REMEMBERED = 20_000

# Heartbeats are thinned out when they grow past this.
MANY_BEATS = 64


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat that may still advance its source, at its place in the log."""

    complete_through: float
    last_sequence: int
    in_flight: frozenset[str]
    dropped: int
    final: bool
    position: int


@dataclass(slots=True)
class Source:
    """One writer as the log shows it.

    `held_through`: all sequences up to here are held, or were before retention took them.
    `offset_low` and `offset_high` span every clock offset that the writer has reported, in
    seconds that its clock is ahead of the provider's.
    """

    id: str
    held_through: int = 0
    islands: set[int] = field(default_factory=set)
    contents: dict[int, int] = field(default_factory=dict)
    conflict_at: int | None = None
    unsequenced: bool = False
    beats: list[Beat] = field(default_factory=list)
    targets: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    offset_low: float | None = None
    offset_high: float | None = None
    first_time: float | None = None
    first_start: float | None = None
    last_time: float = -inf
    set_aside: int = 0
    dropped: int = 0

    @property
    def person(self) -> bool:
        """True for the daemon's own hand, which is never waited for."""
        return self.id.startswith(PERSON_PREFIX)

    def fold(self, event: Event, position: int) -> bool:
        """Take one event in; False when it only repeats what is held."""
        self.targets.add(event.target)
        fresh = self._take_sequence(event)
        if not fresh:
            return False
        self.last_time = max(self.last_time, event.time)
        if self.first_time is None or event.time < self.first_time:
            self.first_time = event.time
        if isinstance(event.fact, Heartbeat):
            self._take_beat(event.fact, position)
        return True

    def _take_sequence(self, event: Event) -> bool:
        """Place the event in the sequence, noticing repeats and contradictions."""
        sequence = event.sequence
        if sequence is None:
            self.unsequenced = self.unsequenced or not self.person
            return True
        content = hash((event.id, event.digest))
        known = self.contents.get(sequence)
        if known is not None:
            if known != content:
                self._conflict(sequence)
                return True
            return False
        self.contents[sequence] = content
        if len(self.contents) > REMEMBERED:
            del self.contents[next(iter(self.contents))]
        if sequence <= self.held_through:
            return True
        self.islands.add(sequence)
        while self.held_through + 1 in self.islands:
            self.held_through += 1
            self.islands.discard(self.held_through)
        return True

    def _conflict(self, sequence: int) -> None:
        """One place, two contents: from here on the source proves nothing."""
        if self.conflict_at is None or sequence < self.conflict_at:
            self.conflict_at = sequence

    def contradict(self) -> None:
        """One id, two contents: nothing that the source says is proof."""
        self._conflict(0)

    def _take_beat(self, beat: Heartbeat, position: int) -> None:
        if beat.clock_offset is not None:
            low, high = self.offset_low, self.offset_high
            offset = beat.clock_offset
            self.offset_low = offset if low is None else min(low, offset)
            self.offset_high = offset if high is None else max(high, offset)
        self.dropped = max(self.dropped, beat.dropped)
        self.beats.append(
            Beat(
                beat.complete_through,
                beat.last_sequence,
                beat.in_flight,
                beat.dropped,
                beat.final,
                position,
            )
        )
        if len(self.beats) > MANY_BEATS:
            self._thin_out()

    @property
    def proven_through(self) -> int:
        """The last sequence up to which the record has neither gap nor contradiction."""
        if self.conflict_at is None:
            return self.held_through
        return min(self.held_through, self.conflict_at - 1)

    def _satisfied(self) -> Iterator[Beat]:
        """Heartbeats whose promise is kept: all that they count is held."""
        proven = self.proven_through
        return (
            beat
            for beat in self.beats
            if beat.dropped == 0 and beat.last_sequence <= proven and (beat.in_flight <= self.calls)
        )

    @property
    def best(self) -> Beat | None:
        """The kept promise that reaches furthest."""
        return max(self._satisfied(), key=lambda beat: beat.complete_through, default=None)

    @property
    def said_goodbye(self) -> bool:
        """True when a final heartbeat came and all before it is held."""
        return any(beat.final for beat in self._satisfied())

    @property
    def gap(self) -> tuple[int, int] | None:
        """The first missing sequence and the last that is known to exist, if any is missing."""
        last = max(
            max(self.islands, default=0),
            max((beat.last_sequence for beat in self.beats), default=0),
        )
        return (self.held_through + 1, last) if last > self.held_through else None

    def offsets(self, unknown: float) -> tuple[float, float]:
        """The span of the writer's clock offset; ±`unknown` until it has reported one."""
        if self.offset_low is None or self.offset_high is None:
            return (-unknown, unknown)
        return (self.offset_low, self.offset_high)

    def held_positions(self) -> list[int]:
        """Where its heartbeats stand, once those that say nothing more are dropped.

        The kept promise that reaches furthest stays, with every one that is not kept yet, and
        the goodbye.
        """
        self._thin_out()
        return [beat.position for beat in self.beats]

    def _thin_out(self) -> None:
        """Drop heartbeats that a further-reaching kept one has made needless."""
        best = self.best
        if best is not None:
            self.beats = [
                beat
                for beat in self.beats
                if beat is best
                or beat.final
                or beat.dropped
                or beat.last_sequence > self.proven_through
            ]
