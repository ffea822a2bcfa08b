"""What one process tells, numbered without gaps: a CloudEvents source."""

import os
import socket
import string
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from demurrage_recorder.backlog import Backlog
from demurrage_recorder.clock import Offset
from demurrage_recorder.journal import Journal
from demurrage_recorder.texts import pieces_of
from demurrage_recorder.warn import warn_once

HEARTBEAT = "writer.heartbeat"
_STARTED, _FINISHED = "response.started", "response.finished"
NAMESPACE = "recorder/"
"""What the names of all recorders' sources begin with."""

# The daemon takes no longer event, and no heartbeat that names more calls.
_MOST_BYTES = 1_000_000
_MOST_IN_FLIGHT = 20_000
_MOST_IN_FLIGHT_BYTES = 900_000
_BEAT_MARK = f'"type":"demurrage.{HEARTBEAT}"'.encode()
_LONGEST_HOST = 200
# By so many seconds dates alone move the offset: what is more is told before a heartbeat is due.
_LARGE_STEP = 1.0
_PLAIN = frozenset(string.ascii_letters + string.digits + "._-")


def host_name() -> str:
    """This machine's name, as far as it fits the name of a source."""
    name = "".join(letter for letter in socket.gethostname() if letter in _PLAIN)
    return name[:_LONGEST_HOST] or "unnamed"


# Most events fall into the second of the one before.
@lru_cache(maxsize=4)
def _second(second: float) -> str:
    return datetime.fromtimestamp(second, timezone.utc).isoformat()[:19]


def render(source: str, sequence: int, kind: str, data: Mapping[str, Any], at: float) -> bytes:
    """One event as a line: CloudEvents 1.0 in JSON.

    Args:
        source: who tells it.
        sequence: its number among what the source tells, from 1.
        kind: its type without `demurrage.`.
        data: its data.
        at: when it happened, in epoch seconds.

    Raises:
        ValueError, TypeError, RecursionError: the data is no JSON.
        OverflowError, OSError: the moment is outside the calendar.
    """
    return _line(_opening(source, kind), sequence, at, "".join(pieces_of(data, 0)))


def _opening(source: str, kind: str) -> str:
    return f'"source":"{source}","type":"demurrage.{kind}","time":"'


def _line(opening: str, sequence: int, at: float, data: str) -> bytes:
    second = at // 1
    micro = str(1_000_000 + int((at - second) * 1e6))[1:]
    return (
        f'{{"specversion":"1.0","id":"{sequence}",{opening}{_second(second)}.{micro}+00:00",'
        f'"sequence":{sequence},"data":{data}}}\n'
    ).encode()


def is_heartbeat(line: bytes) -> bool:
    """True for a line of `render` that is a heartbeat."""
    # The type stands before the data, and no earlier field can hold a quote.
    return _BEAT_MARK in line.partition(b'"data":')[0]


class InFlight:
    """The calls that have begun and not ended."""

    def __init__(self, call_ids: Iterable[str] = ()) -> None:
        self._call_ids = dict.fromkeys(call_ids)

    def account(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take in an event of a call."""
        if kind == _FINISHED:
            self._call_ids.pop(str(data.get("call_id")), None)
        elif kind == _STARTED:
            self.begin(str(data.get("call_id")))

    def begin(self, call_id: str) -> None:
        """Take in a start."""
        if len(self._call_ids) < _MOST_IN_FLIGHT:
            self._call_ids[call_id] = None

    def listed(self) -> list[str]:
        """Their ids, the oldest first, as many as fit a heartbeat."""
        listed: list[str] = []
        room = _MOST_IN_FLIGHT_BYTES
        for call_id in self._call_ids:
            room -= len(call_id) + 3
            if room < 0:
                break
            listed.append(call_id)
        return listed


class Source:
    """Numbers the events of one process and keeps account of its calls in flight.

    The caller sees to it that only one thread at a time is in here.

    Args:
        name: a fresh uuid.
        journal: where its lines go.
        offset: what is known of this machine's clock.
        backlog: what has come and is still to be told.
    """

    def __init__(self, name: str, journal: Journal, offset: Offset, backlog: Backlog) -> None:
        self.id = f"{NAMESPACE}{host_name()}/{os.getpid()}/{name}"
        self.journal = journal
        self.dropped = 0
        self.ended = False
        self._offset = offset
        self._backlog = backlog
        self._complete_through = 0.0
        self._offset_told: float | None = None
        self._sequence = 0
        self._target: str | None = None
        self._in_flight = InFlight()
        self._starting = _opening(self.id, _STARTED)
        offset.begin()

    def note(self, kind: str, target: str, data: Mapping[str, Any], at: float | None) -> None:
        """Write an event down; one for which there is no room, or no JSON, is dropped."""
        self._target = self._target or target
        told = {"target": target, **data}
        if None in told.values():
            told = {key: one for key, one in told.items() if one is not None}
        moment = time.time() if at is None else at
        try:
            line = render(self.id, self._sequence + 1, kind, told, moment)
        except (ValueError, TypeError, RecursionError, OverflowError, OSError) as error:
            self.drop(f"an event of type {kind} is no JSON ({type(error).__name__})")
            return
        if len(line) <= _MOST_BYTES and self.journal.append(line, bounded=True):
            self._sequence += 1
            self._in_flight.account(kind, data)
            if self._offset_told is None:
                self._tell_offset()
        else:
            self._refuse(kind, line)

    def start(self, target: str, call_id: str, before: str, after: str) -> float:
        """Write down the start of a call, whose data is JSON before and after its id.

        Returns:
            When that was, in epoch seconds.
        """
        if self._target is None:
            self._target = target
        moment = time.time()
        line = _line(self._starting, self._sequence + 1, moment, f"{before}{call_id}{after}")
        if len(line) <= _MOST_BYTES and self.journal.append(line, bounded=True):
            self._sequence += 1
            self._in_flight.begin(call_id)
            if self._offset_told is None:
                self._tell_offset()
        else:
            self._refuse(_STARTED, line)
        return moment

    def _refuse(self, kind: str, line: bytes) -> None:
        if len(line) > _MOST_BYTES:
            self.drop(f"an event of type {kind} is longer than {_MOST_BYTES} bytes")
        else:
            self.drop("the spool is full, since the daemon has taken nothing for long")

    def _tell_offset(self) -> None:
        # Whoever is killed before its first heartbeat is due has told it as well.
        if self._offset.known:
            self.beat()

    @property
    def clock_was_set(self) -> bool:
        """True where the clock that the log knows of is not the one that events bear now."""
        # Asked in any case: so it sees the clock being set while its offset is not known.
        told, ahead = self._offset_told, self._offset.seconds
        return told is not None and ahead is not None and abs(ahead - told) > _LARGE_STEP

    def beat(self, *, final: bool = False) -> None:
        """Say how far the record of this process is complete; it has room whatever the bounds.

        Where the clock was set before the log knew its offset, what that was before is told first:
        the earlier events bear it.
        """
        if self._target is None:
            return
        ahead = self._offset.seconds
        others = self._offset.others if self._offset_told is None else []
        # At once, so that whoever is killed has told all of them or none.
        with self.journal.gathering():
            for each in others:
                self._beat(self._target, each, final=False)
            self._beat(self._target, ahead, final=final)
        self.ended = final
        self._offset_told = ahead

    def _beat(self, target: str, ahead: float | None, *, final: bool) -> None:
        now = time.time()
        # What was true once stays true, unless the clock has been set back.
        through = max(self._complete_through, self._backlog.complete_through(now))
        self._complete_through = min(now, through)
        data = {
            "target": target,
            "complete_through": self._complete_through,
            "last_sequence": self._sequence,
            "in_flight": self._in_flight.listed(),
            "clock_offset": ahead,
            "dropped": self.dropped,
            "final": final,
        }
        self.journal.append(render(self.id, self._sequence + 1, HEARTBEAT, data, now))
        self._sequence += 1

    def drop(self, why: str, count: int = 1) -> None:
        """Count events that the log will never hold.

        The first one is admitted at once, so that the admission survives the process as well.
        """
        self.dropped += count
        warn_once(
            f"dropped {why}",
            f"{why}; it is dropped. The daemon deletes nothing that {self.id} may have used, "
            "until a person retires it (`demurrage writers retire`).",
        )
        if self.dropped == count and not self.ended:
            self.beat()
