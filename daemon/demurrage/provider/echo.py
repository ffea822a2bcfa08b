"""From a response's JSON to what bears on containers: its slots, its end, its links.

What cannot be told from the echo counts as the widest that it may be: an unknown tool, any tier,
a background run.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from demurrage.model.event import Ending, Slot, Tool
from demurrage.model.resolution import ResponseReading
from demurrage.provider.references import containers_in
from demurrage.provider.tools import slots_of_tool

RUNNING = frozenset({"queued", "in_progress"})
_ENDINGS = {
    each.value: each
    for each in (Ending.COMPLETED, Ending.FAILED, Ending.INCOMPLETE, Ending.CANCELLED)
}
_ANY = Slot(Tool.UNKNOWN)
# The last second of the year 9999; no calendar goes further.
_LATEST = 253_402_300_799


class UnreadableEchoError(ValueError):
    """The document is no response that can be relied on; the message names the field."""


def read_echo(
    document: Any, response_id: str, *, asked_at: float, answered_at: float
) -> ResponseReading:
    """Read a response as `GET /responses/{id}` shows it, without its input items.

    Raises:
        UnreadableEchoError: it is none, is another one, or does not say how it stands.
    """
    if not isinstance(document, Mapping) or document.get("id") != response_id:
        raise UnreadableEchoError("id")
    status = document.get("status")
    if not isinstance(status, str) or not (status in RUNNING or status in _ENDINGS):
        raise UnreadableEchoError("status")
    created_at = _moment(document.get("created_at"))
    if created_at is None:
        raise UnreadableEchoError("created_at")
    completed_at = _moment(document.get("completed_at"))
    return ResponseReading(
        response_id=response_id,
        status=status,
        ending=_ENDINGS.get(status),
        created_at=created_at,
        completed_at=completed_at if status == Ending.COMPLETED else None,
        background=document.get("background") is not False,
        model=_text(document.get("model")),
        previous_response_id=_text(document.get("previous_response_id")),
        conversation=_conversation(document.get("conversation")),
        slots=tuple(_slots(document)),
        spreads=_spreads(document),
        named=containers_in(document),
        carried=None,
        asked_at=asked_at,
        answered_at=answered_at,
    )


def _slots(document: Mapping[str, Any]) -> Iterator[Slot]:
    """One for each tool that may make a container.

    A stored prompt may bring tools of its own, and so may what the response goes on from. Agents
    beside the first have theirs.
    """
    tools = document.get("tools")
    if (
        document.get("prompt") is not None
        or _spreads(document)
        or not isinstance(tools, list)
        or _may_have_loaded(document, tools)
    ):
        yield _ANY
    for tool in tools if isinstance(tools, list) else ():
        yield from slots_of_tool(tool)


def _may_have_loaded(document: Mapping[str, Any], tools: list[Any]) -> bool:
    """True where an earlier turn may have brought tools into the context that no echo shows."""
    goes_on = any(document.get(name) for name in ("previous_response_id", "conversation"))
    return goes_on and any(
        isinstance(tool, Mapping) and tool.get("type") == "tool_search" for tool in tools
    )


def _spreads(document: Mapping[str, Any]) -> bool:
    """True where agents of the API's own, each with a context of its own, run in the response."""
    agents, output = document.get("multi_agent"), document.get("output")
    asked = agents is not None and not (
        isinstance(agents, Mapping) and agents.get("enabled") is False
    )
    return asked or any(
        isinstance(item, Mapping)
        and (item.get("agent") is not None or "agent" in str(item.get("type")))
        for item in (output if isinstance(output, list) else ())
    )


def _conversation(value: Any) -> str | None:
    return _text(value.get("id")) if isinstance(value, Mapping) else _text(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= _LATEST else None
