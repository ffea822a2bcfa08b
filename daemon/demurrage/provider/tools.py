"""From a tool of the API's JSON to the slots of which it may make a container."""

from collections.abc import Iterator, Mapping
from typing import Any

from demurrage.model.event import Slot, Tool

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
# More than any request has.
_MANY = 100


def slots_of_tool(tool: Any) -> Iterator[Slot]:
    """None of a tool that is known to need no container; one of an unknown tool if in doubt."""
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if kind == "code_interpreter":
        yield _interpreter(tool.get("container"))
    elif kind == "shell":
        yield from _shell(tool.get("environment"))
    elif not isinstance(kind, str) or kind not in _WITHOUT:
        yield Slot(Tool.UNKNOWN)


def few(slots: tuple[Slot, ...]) -> tuple[Slot, ...]:
    """As many as an event takes: one of an unknown tool stands for all others."""
    unknown = Slot(Tool.UNKNOWN)
    known = tuple(slot for slot in slots if slot != unknown)
    if len(known) > _MANY:
        return (unknown,)
    return known if known == slots else (unknown, *known)


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
    return _word(container.get("memory_limit")) if isinstance(container, Mapping) else None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
