"""What a dead process left behind: its journal, and the goodbye that it could not say."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from demurrage_recorder.carrier import Carrier
from demurrage_recorder.journal import file_of
from demurrage_recorder.locks import SUFFIX, Lock
from demurrage_recorder.reader import Reader, numbers_of
from demurrage_recorder.source import HEARTBEAT, NAMESPACE, InFlight, render

HandOver = Callable[[Carrier, Sequence[bytes]], list[str]]


def dead_locks(folder: Path) -> Iterator[Path]:
    """The lock files of a folder; those of the living cannot be locked."""
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            if path.name.endswith(SUFFIX) and not path.name.startswith("."):
                yield path


class Estate:
    """The journal of a dead source, held so that nobody else delivers it at the same time."""

    def __init__(self, lock: Lock) -> None:
        self.delivered = 0
        self.refused = 0
        self._lock = lock
        self._folder = lock.path.parent
        self._name = lock.path.name.removesuffix(SUFFIX)
        self._reader = Reader(self._folder, self._name)
        self._tally = Tally(self._name)

    @classmethod
    def claim(cls, path: Path) -> "Estate | None":
        """Take over the journal of a source that is dead.

        Args:
            path: its lock file.

        Returns:
            None if the source lives, or another is at it.
        """
        try:
            lock = Lock.seize(path)
        except OSError:
            return None
        return None if lock is None else cls(lock)

    @property
    def meant_for(self) -> str:
        """The address of the daemon that its process knew."""
        return self._lock.text

    @property
    def doubt(self) -> str | None:
        """Why its process may live all the same; None if it is certainly dead."""
        return self._lock.doubt

    def settle_some(self, carrier: Carrier, hand_over: HandOver) -> bool:
        """Deliver a batch; at the end a goodbye in the dead source's name, then remove it all.

        Returns:
            True while there is more to do.

        Raises:
            NotNowError: the daemon takes nothing now.
            OSError: the journal cannot be read, or the goodbye not be written to it.
        """
        lines = self._reader.batch()
        if lines:
            # Whoever may write to the folder is not to speak for others through our hand.
            own = [line for line in lines if self._tally.is_own(line)]
            refused = len(lines) - len(own)
            if own:
                refused += len(hand_over(carrier, own))
            self._tally.take(own, refused)
            self.refused += refused
            self.delivered += len(lines) - refused
            self._reader.advance()
            return True
        goodbye = self._tally.goodbye(time.time())
        if goodbye is not None:
            self._write(goodbye)
            return True
        for number in numbers_of(self._folder, self._name):
            file_of(self._folder, self._name, number).unlink()
        self._lock.withdraw()
        return False

    def let_go(self) -> None:
        """Leave what is left to whoever comes next."""
        self._lock.let_go()

    def _write(self, line: bytes) -> None:
        """Append the goodbye before it is sent: whoever comes next must say the very same."""
        path, offset = self._reader.place
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
        try:
            # Behind the last whole line may stand one that was never finished.
            os.ftruncate(descriptor, offset)
            if os.write(descriptor, line) != len(line):
                os.ftruncate(descriptor, offset)
                raise OSError(f"{path.name} takes no more")
        finally:
            os.close(descriptor)


class Tally:
    """What the lines of one source come to.

    The first files may be gone, having been delivered: the first heartbeat stands for them.
    """

    def __init__(self, name: str) -> None:
        self._suffix = f"/{name}"
        self._source = ""
        self._target: str | None = None
        self._last_sequence = 0
        self._last_time = 0.0
        self._dropped = 0
        self._missing = 0
        self._clock_offset: float | None = None
        self._in_flight = InFlight()
        self._ended = False

    def is_own(self, line: bytes) -> bool:
        """True for a line in which the source itself speaks, as a recorder."""
        try:
            source = json.loads(line)["source"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return False
        return (
            isinstance(source, str)
            and source.startswith(NAMESPACE)
            and source.endswith(self._suffix)
            and source == (self._source or source)
        )

    def take(self, lines: Sequence[bytes], refused: int) -> None:
        """Count lines that were handed over; `refused`: how many were not, or not taken."""
        self._missing += refused
        for line in lines:
            self._take(line)

    def goodbye(self, now: float) -> bytes | None:
        """The final heartbeat in the source's name; None if it said it itself, or said nothing.

        It is dated now, since the process may have lived, and sent, until a moment ago.
        """
        if self._ended or self._target is None:
            return None
        at = max(now, self._last_time)
        data = {
            "target": self._target,
            "complete_through": at,
            "last_sequence": self._last_sequence,
            "in_flight": self._in_flight.listed(),
            "clock_offset": self._clock_offset,
            "dropped": self._dropped + self._missing,
            "final": True,
        }
        return render(self._source, self._last_sequence + 1, HEARTBEAT, data, at)

    def _take(self, line: bytes) -> None:
        try:
            self._count(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            self._missing += 1  # no line of ours: its place in the sequence stays empty

    def _count(self, event: dict[str, Any]) -> None:
        sequence, data = event["sequence"], event["data"]
        if self._last_sequence and sequence != self._last_sequence + 1:
            self._missing += 1
        self._source = event["source"]
        self._target = self._target or data["target"]
        self._last_sequence = max(self._last_sequence, sequence)
        self._last_time = max(self._last_time, datetime.fromisoformat(event["time"]).timestamp())
        kind = event["type"].removeprefix("demurrage.")
        if kind == HEARTBEAT:
            self._dropped = max(self._dropped, data["dropped"])
            self._clock_offset = data["clock_offset"]
            self._in_flight = InFlight(data["in_flight"])
            self._ended = data["final"]
        else:
            self._in_flight.account(kind, data)
