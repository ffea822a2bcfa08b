"""The responses as the API holds them, for a daemon that reads those that nobody tells of."""

from typing import Any

from tests.simulation.truth import EPOCH, Call, Story

from demurrage.model.event import Ending, Tool


class Archive:
    """Every response of a story to one target; what was not stored is never shown."""

    def __init__(self, story: Story, target: str) -> None:
        self._calls = {
            call.response_id: call
            for call in story.calls
            if call.target == target and call.stored and call.ending is not Ending.REFUSED
        }

    def response(self, response_id: str, now: float) -> dict[str, Any] | None:
        """What `GET /responses/{id}` shows at a moment, None where there is none."""
        call = self._calls.get(response_id)
        return None if call is None or now < call.creation else _response(call, now)

    def items(self, response_id: str) -> list[dict[str, Any]]:
        """The input items of one: where a conversation is replayed, its calls of tools."""
        return [_use(each) for each in self._calls[response_id].carried]


def _response(call: Call, now: float) -> dict[str, Any]:
    ended = now >= call.ends
    ending = Ending.COMPLETED if call.ending is Ending.LOST else call.ending
    status = ending.value if ended else "in_progress" if now >= call.runs else "queued"
    return {
        "id": call.response_id,
        "object": "response",
        # Whole seconds, cut.
        "created_at": int(EPOCH + call.creation),
        "completed_at": int(EPOCH + call.ends) if status == Ending.COMPLETED else None,
        "status": status,
        "background": call.style == "background",
        "model": "gpt-5",
        "previous_response_id": call.previous,
        "conversation": call.conversation and {"id": call.conversation},
        "tools": [_tool(slot) for slot in call.slots],
        "output": [_use(made.id) for made in call.names] if now >= call.output else [],
    }


def _tool(slot: dict[str, Any]) -> dict[str, Any]:
    tier = {"memory_limit": slot["tier"]} if slot["tier"] is not None else {}
    if slot["tool"] == Tool.SHELL:
        return {"type": "shell", "environment": {"type": "container_auto", **tier}}
    return {"type": "code_interpreter", "container": {"type": "auto", **tier}}


def _use(container_id: str) -> dict[str, Any]:
    return {
        "id": f"ci_{container_id}",
        "type": "code_interpreter_call",
        "container_id": container_id,
        "status": "completed",
    }
