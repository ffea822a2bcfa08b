"""The Conversations API's state: lists of items under an id, without their prose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from demurrage.simulator.ids import Ids
from demurrage.simulator.refusal import Refusal


@dataclass(slots=True)
class Conversation:
    """One conversation; items in the order of their arrival."""

    id: str
    created_at: int
    metadata: dict[str, str]
    items: list[dict[str, Any]] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        """The conversation object."""
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": self.created_at,
            "metadata": self.metadata,
        }


class Conversations:
    """All conversations of a target."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._by_id: dict[str, Conversation] = {}

    def create(self, created_at: int, metadata: Mapping[str, str]) -> Conversation:
        """Open a conversation."""
        made = Conversation(self._ids.of("conv"), created_at, dict(metadata))
        self._by_id[made.id] = made
        return made

    def found(self, conversation_id: str) -> Conversation:
        """The conversation of that id.

        Raises:
            Refusal: 404, there is none.
        """
        found = self._by_id.get(conversation_id)
        if found is None:
            raise Refusal(404, f"Conversation with id '{conversation_id}' not found.")
        return found

    def delete(self, conversation_id: str) -> None:
        """Forget it.

        Raises:
            Refusal: 404, there is none.
        """
        self.found(conversation_id)
        del self._by_id[conversation_id]

    def extend(
        self, conversation_id: str, items: Iterable[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        """Append items and return them with their ids; nothing if it was deleted meanwhile."""
        conversation = self._by_id.get(conversation_id)
        added = [{**item, "id": item.get("id") or self._ids.of("msg")} for item in items]
        if conversation is not None:
            conversation.items += added
        return added
