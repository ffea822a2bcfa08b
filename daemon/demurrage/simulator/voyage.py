"""One response on its way through the harbour, and how it looks from outside."""

from dataclasses import dataclass, field
from typing import Any

from demurrage.simulator.ask import Ask, Berthing, Mention

ENDED = frozenset({"completed", "failed", "incomplete", "cancelled"})


@dataclass(slots=True)
class Voyage:
    """A response from its request to its end. Moments are inner time.

    Attributes:
        context: what calls of earlier turns and replayed items named, in order.
        calls: functions that the model calls.
        holds: by tool place, the container that the slot resolved to.
        first_output_at: when the first output item appears; births come before it.
        items: the finished output; `drafts` while it is being written.
        made: containers that the request made, whether or not anyone names them.
    """

    id: str
    ask: Ask
    created_at: float
    started: float
    runs_at: float
    first_output_at: float
    ends_at: float
    context: tuple[Mention, ...]
    calls: tuple[str, ...]
    status: str
    holds: dict[int, str] = field(default_factory=dict)
    drafts: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    born_at: dict[int, float] = field(default_factory=dict)
    completed_at: float | None = None
    error: dict[str, str] | None = None

    @property
    def ended(self) -> bool:
        """True once its status is final."""
        return self.status in ENDED

    @property
    def used_berthing(self) -> Berthing | None:
        """The slot whose container the model runs code in, None if it uses no tool."""
        return self.ask.berthings[0] if self.ask.use_tool and self.ask.berthings else None

    @property
    def shown_from(self) -> float:
        """When its first event can be sent: hosted shell names its container in it."""
        births = [self.born_at.get(slot.place) for slot in self.ask.berthings if _shell(slot)]
        return max([self.started, *(at for at in births if at is not None)])

    def body(self) -> dict[str, Any]:
        """The response object as it stands now."""
        ask = self.ask
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created_at,
            "status": self.status,
            "background": ask.background,
            "completed_at": self.completed_at if self.status == "completed" else None,
            "conversation": {"id": ask.conversation} if ask.conversation else None,
            "error": self.error,
            "incomplete_details": None,
            "instructions": None,
            "max_output_tokens": None,
            "metadata": dict(ask.metadata),
            "model": ask.model,
            "output": list(self.items),
            "parallel_tool_calls": True,
            "previous_response_id": ask.previous_response_id,
            "reasoning": {"effort": None, "summary": None},
            "service_tier": "default",
            "store": ask.store,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}, "verbosity": "medium"},
            "tool_choice": "auto",
            "tools": self._tools(),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": _usage(self.items) if self.status == "completed" else None,
            "user": None,
        }

    def _tools(self) -> list[dict[str, Any]]:
        """The tools echoed: hosted shell with its resolved container, auto without one."""
        tools = [dict(tool) for tool in self.ask.tools]
        for slot in self.ask.berthings:
            held = self.holds.get(slot.place)
            if _shell(slot) and held:
                tools[slot.place]["environment"] = {
                    "type": "container_reference",
                    "container_id": held,
                }
        return tools


def _shell(slot: Berthing) -> bool:
    return slot.tool == "shell"


def _usage(items: list[dict[str, Any]]) -> dict[str, Any]:
    written = 12 * len(items)
    return {
        "input_tokens": 40,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 40 + written,
    }
