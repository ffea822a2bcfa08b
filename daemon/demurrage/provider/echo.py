"""From a response's JSON to what bears on containers: its slots, its end, its links.

What cannot be told from the echo counts as the widest that it may be: an unknown tool, any tier,
a background run.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from demurrage.model.event import Ending, Slot, Tool
from demurrage.model.resolution import ResponseReading
from demurrage.provider.references import containers_in

RUNNING = frozenset({"queued", "in_progress"})
_ENDINGS = {
    each.value: each
    for each in (Ending.COMPLETED, Ending.FAILED, Ending.INCOMPLETE, Ending.CANCELLED)
}
# Tools that are known to need no container; any other may come to make one.
_WITHOUT = frozenset(
    {
        "apply_patch",
        "computer",
        "computer_use_preview",
        "custom",
        "file_search",
        "function",
        "image_generation",
        "local_shell",
        "mcp",
        "namespace",
        "tool_search",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
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
        named=containers_in(document),
        carried=None,
        asked_at=asked_at,
        answered_at=answered_at,
    )


def _slots(document: Mapping[str, Any]) -> Iterator[Slot]:
    """One for each tool that may make a container.

    A stored prompt may bring tools of its own, and so may what the response goes on from.
    """
    tools = document.get("tools")
    if (
        document.get("prompt") is not None
        or not isinstance(tools, list)
        or _may_have_loaded(document, tools)
    ):
        yield _ANY
    for tool in tools if isinstance(tools, list) else ():
        kind = tool.get("type") if isinstance(tool, Mapping) else None
        if kind == "code_interpreter":
            yield _interpreter(tool.get("container"))
        elif kind == "shell":
            yield from _shell(tool.get("environment"))
        elif kind not in _WITHOUT:
            yield _ANY


def _may_have_loaded(document: Mapping[str, Any], tools: list[Any]) -> bool:
    """True where an earlier turn may have brought tools into the context that no echo shows."""
    goes_on = any(document.get(name) for name in ("previous_response_id", "conversation"))
    return goes_on and any(
        isinstance(tool, Mapping) and tool.get("type") == "tool_search" for tool in tools
    )


def _interpreter(container: Any) -> Slot:
    if isinstance(container, str):
        return Slot(Tool.CODE_INTERPRETER, None, container)
    return Slot(Tool.CODE_INTERPRETER, _tier(container))


def _shell(environment: Any) -> Iterator[Slot]:
    """Of an automatic one the echo shows the container that it made or found, like a given one.

    So it may have made one either way, but where the shell is the application's own.
    """
    kind = environment.get("type") if isinstance(environment, Mapping) else None
    if kind != "local":
        yield Slot(Tool.SHELL, _tier(environment) if kind == "container_auto" else None)


def _tier(container: Any) -> str | None:
    return _text(container.get("memory_limit")) if isinstance(container, Mapping) else None


def _conversation(value: Any) -> str | None:
    return _text(value.get("id")) if isinstance(value, Mapping) else _text(value)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= _LATEST else None
