"""What applications log of the truth, and when it reaches the log.

Each application is one writer with a recorder in it: starts before the request leaves, heads
as they come (with a blocking call the head comes with the answer), that a request which runs on
has reached the API where nothing lies between, first output items of streams, endings, and a
heartbeat every few seconds. Clocks are right and nothing is lost.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from demurrage.model.event import (
    Created,
    Ending,
    Entry,
    Event,
    Fact,
    Finished,
    Heartbeat,
    Output,
    Sent,
    Slot,
    Started,
    Tool,
)
from demurrage.simulator.score.truth import Call, Truth

TARGET = "default"
# From a writer's hand into the log, seconds; the recorder's own interval between heartbeats.
_DELIVERY = 0.05
_HEARTBEAT = 5.0
# A request is looked at when it has been under way for so long, seconds.
_LOOKED_AT = 1.0
# A background response is polled so often, and queues for a moment first.
_POLL = 2.0
_APPLICATIONS = 20


@dataclass(frozen=True, slots=True)
class _Saying:
    """One fact, when and by whom it is told."""

    at: float
    writer: int
    fact: Fact


@dataclass(slots=True)
class _Writer:
    """One process that logs."""

    name: str
    phase: float
    sequence: int = 0
    in_flight: set[str] = field(default_factory=set)
    beaten_at: float = float("-inf")


class Telling:
    """The log as it grows.

    Args:
        truth: what happens.
        writers: how many processes log.
        share: the share of applications that log at all, from 0 to 1, in steps of a twentieth.
    """

    def __init__(self, truth: Truth, *, writers: int = 1, share: float = 1.0) -> None:
        self._writers = [
            _Writer(f"app-{number}", number * _HEARTBEAT / writers) for number in range(writers)
        ]
        self._sayings = sorted(
            _sayings(truth.calls, writers, round(share * _APPLICATIONS)),
            key=lambda saying: saying.at,
        )
        self._place = 0
        self._position = 0

    def until(self, now: float) -> list[Entry]:
        """What has reached the log since the last call, up to a moment."""
        entries = []
        while self._place < len(self._sayings):
            saying = self._sayings[self._place]
            if saying.at + _DELIVERY > now:
                break
            entries.append(self._say(self._writers[saying.writer], saying.at, saying.fact))
            self._place += 1
        # Of several heartbeats since the last reading only the newest tells anything.
        for writer in self._writers:
            beats = (now - _DELIVERY - writer.phase) // _HEARTBEAT
            beat_at = beats * _HEARTBEAT + writer.phase
            if writer.sequence and beat_at > writer.beaten_at:
                writer.beaten_at = beat_at
                entries.append(self._say(writer, beat_at, _beat(writer, beat_at)))
        return entries

    def _say(self, writer: _Writer, at: float, fact: Fact) -> Entry:
        writer.sequence += 1
        self._position += 1
        match fact:
            case Started(call_id=call_id):
                writer.in_flight.add(call_id)
            case Finished(call_id=call_id):
                writer.in_flight.discard(call_id)
            case _:
                pass
        event = Event(
            id=f"{writer.name}/{writer.sequence}",
            source=writer.name,
            time=at,
            target=TARGET,
            fact=fact,
            sequence=writer.sequence,
        )
        return Entry(self._position, event)


def _beat(writer: _Writer, at: float) -> Heartbeat:
    return Heartbeat(
        complete_through=at,
        last_sequence=writer.sequence,
        in_flight=frozenset(writer.in_flight),
        clock_offset=0.0,
    )


def _sayings(calls: Iterable[Call], writers: int, logging: int) -> Iterator[_Saying]:
    """Every fact of the applications that log; sessions are dealt out to them in turn."""
    applications: dict[str, int] = {}
    for call in calls:
        application = applications.setdefault(call.session, len(applications)) % _APPLICATIONS
        if application < logging:
            for at, fact in told_of(call):
                yield _Saying(at, application % writers, fact)


def told_of(call: Call) -> Iterator[tuple[float, Fact]]:
    """What a recorder tells of one call, and when."""
    carried = frozenset(() if call.carries is None else (call.carries,))
    named = frozenset(() if call.names is None else (call.names,))
    background = call.mode == "background"
    yield (
        call.begins_at,
        Started(
            call.id,
            slots=(Slot(Tool.CODE_INTERPRETER, call.tier),) if call.slot else (),
            containers=carried,
            previous_response_id=call.previous,
            background=background,
            direct=call.direct,
        ),
    )
    ends_at = call.ends_at
    looked_at = call.begins_at + _LOOKED_AT
    if call.direct and call.slot and call.mode == "blocking" and looked_at < ends_at:
        yield looked_at, Sent(call.id, looked_at)
    if call.mode == "streamed":
        yield call.created_at, Created(call.id, call.response_id, call.created_at)
        if call.output_at < call.ends_at:
            yield call.output_at, Output(call.id, call.response_id, named)
    elif background:
        yield (
            call.created_at,
            Created(call.id, call.response_id, call.created_at, status="queued"),
        )
        ends_at = max(ends_at, call.created_at) + _POLL / 2
        if call.created_at + _POLL < ends_at:
            running = Created(call.id, call.response_id, call.created_at, status="in_progress")
            yield call.created_at + _POLL, running
    yield (
        ends_at,
        Finished(
            call.id,
            Ending.COMPLETED,
            response_id=call.response_id,
            created_at=call.created_at,
            completed_at=call.ends_at,
            containers=named,
        ),
    )
