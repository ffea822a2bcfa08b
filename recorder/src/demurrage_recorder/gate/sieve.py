"""Which events of a streamed probe are passed on, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demurrage_recorder.gate.values import part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from demurrage_recorder.gate.turn import Turn

_ENDS = ("response.completed", "response.incomplete", "response.failed")


class Sieve:
    """Holds a probe's events back until it is clear that they belong to the answer.

    A message is for the caller and goes on at once, with all that came before it. Reasoning,
    searches and calls may still lead to a call of the opener; they wait for the next message or
    the end. After such a call nothing is passed on.

    Attributes:
        asked: the model has called the opener.
        response: the probe as its last event showed it.
    """

    def __init__(self, turn: Turn) -> None:
        self._opener = turn.opener
        self._held: list[Any] = []
        self._clear = False
        self.asked = False
        self.response: Any = None

    def passed(self, event: Any) -> Iterator[Any]:
        """Take one event in; what can go on by now, in its order."""
        kind = part(event, "type")
        if kind in _ENDS:
            self.response = part(event, "response")
        elif kind == "response.output_item.added":
            item = part(event, "item")
            self.asked = self.asked or self._opener.is_call(item)
            self._clear = part(item, "type") == "message"
        self._held.append(event)
        if self._clear or kind in _ENDS:
            yield from self.rest()

    def rest(self) -> Iterator[Any]:
        """What is still held, for when no more comes."""
        held, self._held = self._held, []
        if not self.asked:
            yield from held
