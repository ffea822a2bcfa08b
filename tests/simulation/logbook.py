"""The event log between writers and daemon: lines arrive, get lost for a while, and are read."""

import heapq
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Container as SetContainer
from math import inf
from pathlib import Path
from typing import Any

from tests.simulation.faults import Dice
from tests.simulation.loop import Agenda
from tests.simulation.telling import Letter, Post
from tests.simulation.truth import call_of

from demurrage.eventlog.log import EventLog
from demurrage.model.error import LogUnreadableError
from demurrage.model.event import Batch
from demurrage.model.floor import Floor


class Office:
    """Brings letters into the log when they are due; nobody looks between two readings.

    `ended` are the calls whose end the log has held: those that the daemon itself has read, at
    their positions in `_read`. `lines` counts what was brought.
    """

    def __init__(self, post: Post, dice: Dice, agenda: Agenda, began: float) -> None:
        self._dice = dice
        self._agenda = agenda
        self._began = began
        self._chance = dice.of("office")
        self._down_until = -inf
        self._heap: list[tuple[float, int, Letter, bool]] = []
        self._by_source = post.by_source
        self._first_missing = dict.fromkeys(post.by_source, 0)
        self.ended: dict[str, float] = {}
        self._read: dict[str, int] = {}
        self.lines = 0
        count = 0
        for letters in post.by_source.values():
            for letter in letters:
                for at, garbled in (
                    (letter.garbled_at, True),
                    (letter.arrives, False),
                    (letter.again, False),
                ):
                    if at < inf:
                        count += 1
                        self._heap.append((at, count, letter, garbled))
        heapq.heapify(self._heap)

    @property
    def now(self) -> float:
        """Seconds since the world began."""
        return self._agenda.now - self._began

    @property
    def down(self) -> bool:
        """True while nobody can reach the log."""
        return self.now < self._down_until

    def weather(self) -> None:
        """The log may become unreachable for a while; what comes meanwhile waits at its writer."""
        if not self.down and self._dice.strikes("log_down"):
            lasts = self._chance.uniform(5, 400)
            self._down_until = min(self.now + lasts, self._dice.calm_from)

    def deliver(self, log: EventLog, wall: float) -> None:
        """Append all that has arrived by now."""
        now = self.now
        due: list[Letter] = []
        while self._heap and self._heap[0][0] <= now:
            at, _, letter, garbled = heapq.heappop(self._heap)
            if at <= self._down_until and self._chance.random() < 0.7:
                # Its writer offers it again somewhat later.
                again = now + self._chance.uniform(0, 15)
                self.lines += 1
                heapq.heappush(self._heap, (again, self.lines + 10**9, letter, garbled))
            elif garbled:
                log.set_aside(self._garbled(letter), "is not JSON", appended_at=wall)
                self.lines += 1
            else:
                due.append(letter)
        for start in range(0, len(due), 2000):
            log.append([each.read for each in due[start : start + 2000]], appended_at=wall)
        for letter in due:
            letter.delivered = True
            self.lines += 1
            if letter.ends is not None:
                self.ended.setdefault(letter.ends, now)

    def _garbled(self, letter: Letter) -> bytes:
        """What is left of a line; mostly its source and number can still be made out."""
        if self._chance.random() < 0.999:
            return letter.read.body.replace(b'"specversion":"1.0"', b'"specversion":"0.9"')
        return letter.read.body[: len(letter.read.body) // 2]

    def noted(self, raws: Sequence[Mapping[str, Any]], positions: Sequence[int | None]) -> None:
        """The daemon has written down what the API says of responses."""
        for raw, position in zip(raws, positions, strict=True):
            if raw["type"] == "demurrage.response.finished" and position is not None:
                call = call_of(raw["data"]["response_id"])
                self.ended.setdefault(call, self.now)
                self._read[call] = position

    def lost_since_copy(self, log: Path) -> None:
        """The log is an older one now: what came since its copy is not in it any more."""
        with sqlite3.connect(log) as books:
            (last,) = books.execute("SELECT position FROM event_log_head").fetchone()
            held = {row[0] for row in books.execute("SELECT digest FROM event_log")}
            # Up to there it held everything, and has let go of what is over.
            rows = books.execute("SELECT source, sequence FROM event_log_source_floor")
            floors = dict(rows.fetchall())
        books.close()
        for call in [each for each, position in self._read.items() if position > last]:
            del self._read[call]
            self.ended.pop(call, None)
        for source, letters in self._by_source.items():
            self._first_missing[source] = 0
            for letter in letters:
                event = letter.read.event
                pruned = (event.sequence or inf) <= floors.get(source, 0)
                letter.delivered = pruned or bytes.fromhex(event.digest) in held
                if not letter.delivered and letter.ends is not None:
                    self.ended.pop(letter.ends, None)

    def complete_until(self) -> float:
        """The moment before which nothing of importance is missing from the log."""
        least = inf
        for source, letters in self._by_source.items():
            place = self._first_missing[source]
            while place < len(letters) and (letters[place].delivered or not letters[place].needed):
                place += 1
            self._first_missing[source] = place
            if place < len(letters):
                least = min(least, letters[place].at)
        return least


class LogPort:
    """The log as one daemon reaches it; `read` tells the positions that it was shown."""

    def __init__(
        self,
        log: EventLog,
        office: Office,
        dice: Dice,
        wall: Callable[[], float],
        told: Callable[[int, Batch], None],
    ) -> None:
        self._log = log
        self._office = office
        self._dice = dice
        self._wall = wall
        self._told = told

    def _reach(self) -> None:
        if self._office.down:
            raise LogUnreadableError("the event log's database: unable to open database file")

    def read(self, after: int, limit: int) -> Batch:
        """See EventReader."""
        self._office.weather()
        self._reach()
        if self._dice.strikes("log_unreadable"):
            raise LogUnreadableError("the event log's database: disk I/O error")
        self._office.deliver(self._log, self._wall())
        batch = self._log.read(after, limit)
        self._told(after, batch)
        return batch

    def append(self, raws: Sequence[Mapping[str, Any]], *, appended_at: float) -> object:
        """See EventAppender."""
        self._reach()
        result = self._log.append(raws, appended_at=appended_at)
        self._office.noted(raws, result.positions)
        return result

    def floors(self) -> Mapping[str, Floor]:
        """See EventReader."""
        self._reach()
        return self._log.floors()

    def appended_before(self, moment: float) -> int:
        """See EventReader."""
        self._reach()
        return self._log.appended_before(moment)

    def prune(self, *, before: float, through: int, keep: SetContainer[int]) -> int:
        """See EventReader."""
        self._reach()
        return self._log.prune(before=before, through=through, keep=keep)
