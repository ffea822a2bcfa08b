"""What is held of one writer: its sequence, its clock, and how far it is complete.

A source is one process. Its events carry a gapless `sequence` from 1. Its record is complete
up to a moment when a heartbeat says "all before this moment is sent, up to sequence n" and all
up to n are held. Folding is commutative: the order in which records arrive does not matter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from demurrage.decide.contents import Places
from demurrage.model.event import (
    PERSON_PREFIX,
    RESOLVER,
    Event,
    Heartbeat,
    reserved,
)
from demurrage.model.floor import Floor

# Sequences whose content is remembered, to notice one place with two contents.
REMEMBERED = 20_000

# Heartbeats are thinned out when they grow past this.
MANY_BEATS = 64


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat that may still advance its source, at its place in the log.

    `counts`: the last sequence that it knows of, its own included. `time`: when it was said, by
    the clock whose offset it tells.
    """

    complete_through: float
    last_sequence: int
    in_flight: frozenset[str]
    clock_offset: float | None
    dropped: int
    final: bool
    position: int
    counts: int
    time: float


@dataclass(slots=True)
class Source:
    """One writer as the log shows it.

    `held_through`: all sequences up to here are held, or were before retention took them;
    `last_sequence` is the last that anything has shown, and `opened` tells that the first one
    was read here. `leaving`: a goodbye was heard, whatever it is worth.
    `offset_low` and `offset_high` span every clock offset that the writer has reported, in
    seconds that its clock is ahead of the provider's; `low_told_at` and `high_told_at` are when
    it last reported the one and the other, on its clock. A goodbye may be said by whoever takes
    a dead writer over, on a clock of its own: `goodbye_low` and `goodbye_high` span the offsets
    that goodbyes told, and `active_time` is when anything else was last said. `newest_position`:
    how far in the log it was heard of. `targets` are those that it has spoken of. `missed_at`:
    when the last of its lines that could not be read came, on the daemon's clock. `floor` is what
    retention has noted of it.
    """

    id: str
    held_through: int = 0
    last_sequence: int = 0
    opened: bool = False
    leaving: bool = False
    islands: set[int] = field(default_factory=set)
    contents: Places = field(default_factory=lambda: Places(REMEMBERED))
    conflict_at: int | None = None
    unsequenced: bool = False
    beats: list[Beat] = field(default_factory=list)
    floor: Floor | None = None
    targets: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    offset_low: float | None = None
    offset_high: float | None = None
    goodbye_low: float | None = None
    goodbye_high: float | None = None
    low_told_at: float = -inf
    high_told_at: float = -inf
    first_time: float | None = None
    first_start: float | None = None
    last_time: float = -inf
    last_position: int = 0
    active_time: float = -inf
    active_position: int = 0
    newest_position: int = 0
    set_aside: int = 0
    missed_at: float = -inf
    dropped: int = 0

    @property
    def person(self) -> bool:
        """True for a person at the daemon's own command line."""
        return self.id.startswith(PERSON_PREFIX)

    @property
    def resolver(self) -> bool:
        """True for what the daemon has read of responses that are known by their id."""
        return self.id == RESOLVER

    @property
    def own(self) -> bool:
        """True for the daemon's own hand, which is never waited for.

        It makes no containers. What it has not yet written down of a known response holds that
        response open, so nothing is lost with a line of its that is missing.
        """
        return reserved(self.id)

    def fold(self, event: Event, position: int) -> bool:
        """Take one event in; False when it only repeats what is held."""
        self.targets.add(event.target)
        self.newest_position = max(self.newest_position, position)
        fresh = self._take_sequence(event, position)
        if not fresh:
            return False
        if event.time > self.last_time:
            self.last_time, self.last_position = event.time, position
        if self.first_time is None or event.time < self.first_time:
            self.first_time = event.time
        if isinstance(event.fact, Heartbeat) and event.fact.final:
            self._take_goodbyes_offset(event.fact.clock_offset)
        elif event.time > self.active_time:
            self.active_time, self.active_position = event.time, position
        if isinstance(event.fact, Heartbeat):
            if not event.fact.final:
                self._take_offset(event.fact.clock_offset, event.time)
            self._take_beat(event.fact, event.sequence or 0, position, event.time)
        return True

    def miss(self, sequence: int | None, at: float) -> None:
        """Take in that a line of it could not be read, which came at a moment."""
        self.set_aside += 1
        self.last_sequence = max(self.last_sequence, sequence or 0)
        self.missed_at = max(self.missed_at, at)

    def start_from(self, floor: Floor) -> None:
        """Take over what retention has noted: all up to there was once held."""
        self.floor = floor
        self.targets |= floor.targets
        self.held_through = max(self.held_through, floor.sequence)
        self.last_sequence = max(self.last_sequence, floor.sequence)

    def _take_sequence(self, event: Event, position: int) -> bool:
        """Place the event in the sequence, noticing repeats and contradictions."""
        sequence = event.sequence
        if sequence is None:
            self.unsequenced = self.unsequenced or not self.own
            return True
        same = self.contents.agrees(sequence, hash((event.id, event.digest)))
        # What stood there is not known any more, so whether this says the same cannot be told.
        again = self.floor is not None and self.floor.met_again(sequence, position)
        if same is False or (again and not same):
            self._conflict(sequence)
            return True
        if same:
            return False
        self.last_sequence = max(self.last_sequence, sequence)
        self.opened = self.opened or sequence == 1
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

    def _take_offset(self, offset: float | None, at: float) -> None:
        """Widen the span of the clock's offset, and note when each end of it was last told."""
        if offset is None:
            return
        if self.offset_low is None or offset < self.offset_low:
            self.offset_low, self.low_told_at = offset, -inf
        if self.offset_high is None or offset > self.offset_high:
            self.offset_high, self.high_told_at = offset, -inf
        if offset == self.offset_low:
            self.low_told_at = max(self.low_told_at, at)
        if offset == self.offset_high:
            self.high_told_at = max(self.high_told_at, at)

    def _take_goodbyes_offset(self, offset: float | None) -> None:
        """Widen the span of the offsets that goodbyes told."""
        if offset is not None:
            low, high = self.goodbye_low, self.goodbye_high
            self.goodbye_low = offset if low is None else min(low, offset)
            self.goodbye_high = offset if high is None else max(high, offset)

    def _take_beat(self, beat: Heartbeat, sequence: int, position: int, time: float) -> None:
        self.dropped = max(self.dropped, beat.dropped)
        self.leaving = self.leaving or beat.final
        self.last_sequence = max(self.last_sequence, beat.last_sequence)
        self.beats.append(
            Beat(
                beat.complete_through,
                beat.last_sequence,
                beat.in_flight,
                beat.clock_offset,
                beat.dropped,
                beat.final,
                position,
                max(sequence, beat.last_sequence),
                time,
            )
        )
        if beat.final or len(self.beats) > MANY_BEATS:
            self._thin_out()

    @property
    def proven_through(self) -> int:
        """The last sequence up to which the record has neither gap nor contradiction."""
        if self.conflict_at is None:
            return self.held_through
        return min(self.held_through, self.conflict_at - 1)

    def _keeps(self, beat: Beat) -> bool:
        """True when the heartbeat's promise is kept: all that it counts is held."""
        return (
            beat.dropped == 0
            and beat.last_sequence <= self.proven_through
            and beat.in_flight <= self.calls
        )

    @property
    def best(self) -> Beat | None:
        """The kept promise that reaches furthest, on the writer's own clock for certain."""
        return max(
            (beat for beat in self.beats if not beat.final and self._keeps(beat)),
            key=lambda beat: beat.complete_through,
            default=None,
        )

    @property
    def said_goodbye(self) -> bool:
        """True when a final heartbeat came, all before it is held, and nothing came after it."""
        return self.leaving and any(self._goodbyes())

    def departed_by(self, unknown: float) -> float:
        """The latest provider time at which its goodbye can have been said; +inf without one."""
        if not self.leaving:
            return inf
        return min(
            (
                beat.time - (-unknown if beat.clock_offset is None else beat.clock_offset)
                for beat in self._goodbyes()
            ),
            default=inf,
        )

    def _goodbyes(self) -> Iterator[Beat]:
        """The final heartbeats before which all is held, and after which nothing came."""
        return (
            beat
            for beat in self.beats
            if beat.final and beat.counts >= self.last_sequence and self._keeps(beat)
        )

    def retired_at(
        self, retired: Mapping[str, float], *, unknown: float, skew: float
    ) -> float | None:
        """When a person, or proof of its death, retired it; None if it has not gone.

        One that certainly spoke after its retirement is still there: the word was wrong.
        """
        at = retired.get(self.id)
        spoke = self.missed_at if self.clockless else self._certainly_spoke(unknown) - skew
        return None if at is None or spoke > at else at

    @property
    def clockless(self) -> bool:
        """True where nothing of it could be read: only when its lines came is known."""
        return self.active_time == -inf and self.missed_at > -inf

    def _certainly_spoke(self, unknown: float) -> float:
        """The earliest provider time at which it can have said what it said last."""
        return self.active_time - self.offsets(unknown)[1]

    @property
    def gap(self) -> tuple[int, int] | None:
        """The first missing sequence and the last that is known to exist, if any is missing."""
        last = self.last_sequence
        return (self.held_through + 1, last) if last > self.held_through else None

    @property
    def holed(self) -> bool:
        """True when its record is not whole: what is missing may have told of anything."""
        return (
            self.gap is not None
            or self.conflict_at is not None
            or self.dropped > 0
            or self.set_aside > 0
        )

    def done_with(self, before: float, through: int, unknown: float) -> bool:
        """True when nothing of one that has left need be known any more.

        Its record is whole, no call of its is held, its last word certainly came before the
        moment, and what it said stands in the log up to the position.
        """
        last = self.last_time - self.offsets(unknown)[0]
        sound = not (self.own or self.unsequenced or self.holed)
        return sound and not self.calls and last < before and self.newest_position <= through

    def offsets(self, unknown: float) -> tuple[float, float]:
        """The span of the writer's clock offset; ±`unknown` until it has reported one.

        What a goodbye tells is in it until then, but proves nothing: it may be another's clock.
        """
        if self.resolver:
            return (0.0, 0.0)
        if self.offset_low is None or self.offset_high is None:
            low, high = self.goodbye_low or 0.0, self.goodbye_high or 0.0
            return (min(low, -unknown), max(high, unknown))
        return (self.offset_low, self.offset_high)

    @property
    def timed(self) -> bool:
        """True when its moments can be placed: something has told how its clock stands.

        The daemon's own hand, a person's too, writes the provider's time.
        """
        return self.own or self.offset_low is not None or self.goodbye_low is not None

    @property
    def in_flight(self) -> frozenset[str]:
        """The calls that its heartbeats turn on, as far as these bear on what it has proven.

        One that has left is judged by its goodbyes alone.
        """
        best, left = self.best, self.said_goodbye
        turning = (beat for beat in self.beats if (beat.final if left else self._bears(beat, best)))
        return frozenset().union(*(beat.in_flight for beat in turning))

    def held_positions(self) -> list[int]:
        """Where its heartbeats stand, once those that say nothing more are dropped.

        The kept promise that reaches furthest stays, with every one that may yet reach further,
        the goodbye, and those that tell the span of the clock's offset. So does what one that is
        there said last: whether it is silent, or spoke after it was retired, is told by that.
        """
        self._thin_out()
        beats = [beat.position for beat in self.beats]
        if self.said_goodbye:
            return beats
        return [self.last_position, self.active_position, *beats]

    def _bears(self, beat: Beat, best: Beat | None) -> bool:
        """True where a further-reaching kept heartbeat has not made this one needless."""
        return (
            best is None
            or beat is best
            or beat.final
            or beat.dropped > 0
            or beat.last_sequence > self.proven_through
            or beat.complete_through > best.complete_through
        )

    def _thin_out(self) -> None:
        """Drop heartbeats that a further-reaching kept one has made needless."""
        best = self.best
        if best is None:
            return
        offsets = {self.offset_low, self.offset_high} - {None}
        kept: list[Beat] = []
        for beat in reversed(self.beats):
            if self._bears(beat, best) or beat.clock_offset in offsets:
                kept.append(beat)
                if not beat.final:
                    offsets.discard(beat.clock_offset)
        self.beats = kept[::-1]
