"""Stands in the harbour and sees every DELETE arrive, and may shoot the daemon at that moment."""

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

from demurrage.simulator.calls import Call
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.refusal import Refusal

_INTENDED = "SELECT count(*) FROM deletions WHERE container_id = ?"
_OPEN = "SELECT container_id FROM deletions WHERE outcome IS NULL"
_NEWEST = "SELECT max(id) FROM deletions"
# A reader of a file that its writer has just left may have to try again.
_TRIES = 50


class Trap(StrEnum):
    """When a DELETE springs it: before it takes effect (it has none then), or after."""

    ARRIVED = "a DELETE arrived, without effect"
    CARRIED_OUT = "a DELETE took effect, unanswered"


class Witness:
    """Compares each DELETE with the store as it stands at that very moment.

    Args:
        harbour: one that does not serve yet.
        database: the daemon's SQLite file.
    """

    def __init__(self, harbour: Harbour, database: Path) -> None:
        self.deletes: Counter[str] = Counter()
        self.unrecorded: list[str] = []
        self._database = database
        self._lock = threading.Lock()
        self._trap: tuple[Trap, Callable[[], None]] | None = None
        self._delete = harbour.port.delete_container
        self._add = harbour.calls.add
        harbour.port.delete_container = self._deleting  # type: ignore[method-assign] # it listens in
        harbour.calls.add = self._answering  # type: ignore[method-assign] # likewise

    def set(self, trap: Trap, spring: Callable[[], None]) -> None:
        """Have the next DELETE spring a trap."""
        with self._lock:
            self._trap = (trap, spring)

    def disarm(self) -> bool:
        """Take the trap back; False where it was sprung already."""
        with self._lock:
            armed, self._trap = self._trap is not None, None
        return armed

    def open_intents(self) -> list[str]:
        """The containers whose delete has been written down and not concluded."""
        return [row[0] for row in self._ask(_OPEN)]

    def newest_intent(self) -> int:
        """The highest id of an intent, 0 before the first."""
        if not self._database.exists():
            return 0
        return int(self._ask(_NEWEST)[0][0] or 0)

    def _deleting(self, container_id: str) -> None:
        with self._lock:
            trap, self._trap = self._trap, None
        self._compare(container_id, self.deletes[container_id] + 1)
        if trap is None:
            self._delete(container_id)
            return
        when, spring = trap
        if when is Trap.ARRIVED:
            spring()
            raise Refusal(503, "The server is overloaded.", code="server_is_overloaded")
        self._delete(container_id)
        spring()

    def _answering(self, call: Call) -> None:
        if call.method == "DELETE" and call.about is not None:
            self.deletes[call.about] += 1
            self._compare(call.about, self.deletes[call.about])
        self._add(call)

    def _compare(self, container_id: str, calls: int) -> None:
        """Each call has an intent of its own, those of former lives of the daemon included."""
        if self._ask(_INTENDED, container_id)[0][0] < calls:
            self.unrecorded.append(container_id)

    def _ask(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        for attempt in range(_TRIES):
            try:
                connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=5)
                try:
                    return connection.execute(query, values).fetchall()
                finally:
                    connection.close()
            except sqlite3.OperationalError:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError
