"""Remembers which conversations and responses lead to a container."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from demurrage_recorder.gate.values import names_container, part

if TYPE_CHECKING:
    from demurrage_recorder.gate.turn import Turn

_MOST = 10_000


class Known:
    """Ids whose context holds a container, the latest ten thousand; safe between threads.

    A turn in such a context uses that container, and only an attached code interpreter keeps it
    alive: the gate stands aside there.
    """

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self._lock = threading.Lock()

    def __contains__(self, context: object) -> bool:
        return context in self._ids

    def note(self, turn: Turn, response: Any) -> None:
        """Learn from the answer to a turn."""
        context = turn.conversation or turn.previous
        replayed = names_container(turn.request.get("input"))
        if context in self or replayed or names_container(response):
            self._add(part(response, "id"))
            self._add(turn.conversation)

    def _add(self, context: Any) -> None:
        if not isinstance(context, str):
            return
        with self._lock:
            self._ids.pop(context, None)
            self._ids[context] = None
            if len(self._ids) > _MOST:
                del self._ids[next(iter(self._ids))]
