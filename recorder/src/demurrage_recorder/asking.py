"""What a request to `/responses` may bring about: its slots and ids, none of its prose."""

from typing import Any, NamedTuple

from demurrage_recorder.ids import LONGEST_ID, container_ids, is_word, may_name, scanned_ids
from demurrage_recorder.texts import parsed

LONGEST_NAME = 512
_LONGEST_TIER = 16
_MOST_SLOTS = 128
# What the API makes when a tool names no size.
_DEFAULT_TIER = "1g"

UNKNOWN = {"tool": "unknown", "tier": None, "container": "auto"}
"""The slot of a request that does not show what it may make."""

# Tools that run without a container of their own. Any other one might make one.
HARMLESS = frozenset(
    {
        "apply_patch",
        "custom",
        "file_search",
        "function",
        "image_generation",
        "local_shell",
        "mcp",
        "namespace",
        "programmatic_tool_calling",
        "tool_search",
    }
)
REFERENCES = ("item_reference", "compaction", "compaction_summary")
"""Items that stand for earlier ones without naming their response, or their containers."""
SEARCH = "tool_search"
LOADING = ("additional_tools", "tool_search_call", "tool_search_output")
"""Items by which tools come into a context."""
AT_ONCE = (None, "auto", "default", "priority", "scale", "fast", "ultrafast")
"""The service tiers in which the API keeps no request waiting until there is room."""
# These come in dated and preview versions.
_HARMLESS_FAMILIES = ("web_search", "computer")


class Start(NamedTuple):
    """What a request may bring about.

    Attributes:
        data: the data of its start event.
        at_once: the API does not keep it waiting, as far as the request says.
        spreads: whatever it makes may be born as long as it runs.
    """

    data: dict[str, Any]
    at_once: bool = True
    spreads: bool = False


def start_of(body: bytes | None) -> Start:
    """What a request may bring about.

    Args:
        body: the request's JSON as it leaves, or None when it cannot be read (a stream, a form,
            an encoding). Then it may hold any tool, go on from anything, and may run in the
            background.
    """
    if body is None:
        return _any()
    try:
        request = parsed(body)
    except (ValueError, RecursionError):
        return _any(body)
    if not isinstance(request, dict):
        return _any(body)
    spreads = _spreads(request)
    data: dict[str, Any] = {
        "slots": slots_of(request),
        "background": request.get("background") is True or spreads,
    }
    if may_name(body):
        data["containers"] = sorted(container_ids(request))
    if is_word(request.get("model"), LONGEST_NAME):
        data["model"] = request["model"]
    previous = request.get("previous_response_id")
    if previous is not None and is_word(previous, LONGEST_ID):
        data["previous_response_id"] = previous
    conversation = conversation_of(request)
    if conversation is not None:
        data["conversation"] = conversation
    if refers(request.get("input")):
        data["opaque"] = True
    return Start(data, request.get("service_tier") in AT_ONCE, spreads)


def _any(body: bytes = b"") -> Start:
    return Start(unreadable(body), at_once=False, spreads=True)


def unreadable(body: bytes = b"") -> dict[str, Any]:
    """The data of a start event for a request that may do anything."""
    return {
        "slots": [UNKNOWN],
        "background": True,
        "opaque": True,
        "containers": sorted(scanned_ids(body)),
    }


def copied_by(body: bytes | None) -> dict[str, Any] | None:
    """The data of a start for items that are written into a conversation.

    They make nothing, but who goes on from there has them in its context.

    Args:
        body: as `start_of` takes it.

    Returns:
        None where they name no container, and stand for nothing that may.
    """
    try:
        request = None if body is None else parsed(body)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        return {"slots": [], "opaque": True, "containers": sorted(scanned_ids(body or b""))}
    containers, opaque = container_ids(request), refers(request.get("items"))
    if not (containers or opaque):
        return None
    data: dict[str, Any] = {"slots": [], "containers": sorted(containers)}
    return {**data, "opaque": True} if opaque else data


def refers(items: Any) -> bool:
    """True where an item stands for others, whose responses and containers are not told."""
    return isinstance(items, list) and any(
        isinstance(each, dict) and _refers(each) for each in items
    )


def _refers(item: dict[str, Any]) -> bool:
    """True where it says so, or has no type and nobody's role: then it is a reference, too."""
    kind = item.get("type")
    return kind in REFERENCES or (kind is None and "role" not in item)


def conversation_of(value: dict[str, Any]) -> str | None:
    """The conversation that a request or an answer belongs to, given by id or as an object."""
    conversation = value.get("conversation")
    if conversation is None:
        return None
    if isinstance(conversation, dict):
        conversation = conversation.get("id")
    return conversation if is_word(conversation, LONGEST_ID) else None


def slots_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """One slot for each tool of the request that makes or names a container.

    A stored prompt has tools that the request does not show, and so have agents beside the first,
    and a context into which an earlier turn has loaded some.
    """
    slots: list[dict[str, Any]] = []
    for tool in _tools(request):
        slots += _slots(tool)
    if request.get("prompt") is not None or _spreads(request) or _has_loaded(request):
        slots.insert(0, UNKNOWN)
    return slots[:_MOST_SLOTS]


def _tools(request: dict[str, Any]) -> list[Any]:
    """The tools of the request, and those that items of its input bring along."""
    tools, items = request.get("tools"), request.get("input")
    found = list(tools) if isinstance(tools, list) else []
    if isinstance(items, list):
        for item in items:
            if (
                isinstance(item, dict)
                and isinstance(item.get("tools"), list)
                # What a server offers runs there.
                and item.get("type") != "mcp_list_tools"
            ):
                found += item["tools"]
    return found


def _has_loaded(request: dict[str, Any]) -> bool:
    """True where tools that no later request shows may have been loaded in an earlier turn."""
    goes_on = (
        request.get("previous_response_id") is not None
        or request.get("conversation") is not None
        or refers(request.get("input"))
    )
    return goes_on and (
        _has(request.get("tools"), (SEARCH,)) or _has(request.get("input"), LOADING)
    )


def _spreads(request: dict[str, Any]) -> bool:
    """True where agents of the API's own, each with a context of its own, run in the response."""
    agents = request.get("multi_agent")
    return agents is not None and not (isinstance(agents, dict) and agents.get("enabled") is False)


def _has(items: Any, kinds: tuple[str, ...]) -> bool:
    return isinstance(items, list) and any(
        isinstance(each, dict) and each.get("type") in kinds for each in items
    )


def _slots(tool: Any) -> list[dict[str, Any]]:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if not isinstance(kind, str):
        return [UNKNOWN]
    if kind == "code_interpreter":
        container = tool.get("container")
        if isinstance(container, str) and is_word(container, LONGEST_ID):
            return [{"tool": kind, "tier": None, "container": container}]
        return [{"tool": kind, "tier": _tier(container, "auto"), "container": "auto"}]
    if kind == "shell":
        return _shell(tool.get("environment"))
    if kind in HARMLESS or kind.startswith(_HARMLESS_FAMILIES):
        return []
    return [UNKNOWN]


def _shell(environment: Any) -> list[dict[str, Any]]:
    kind = environment.get("type") if isinstance(environment, dict) else None
    if kind == "local":
        return []
    if kind == "container_reference" and is_word(environment.get("container_id"), LONGEST_ID):
        return [{"tool": "shell", "tier": None, "container": environment["container_id"]}]
    return [{"tool": "shell", "tier": _tier(environment, "container_auto"), "container": "auto"}]


def _tier(container: Any, auto: str) -> str | None:
    """The size of what an auto tool makes; None, which fits any, where that is not certain."""
    if not isinstance(container, dict) or container.get("type") != auto:
        return None
    tier = container.get("memory_limit")
    if tier is None:
        return _DEFAULT_TIER
    return tier if is_word(tier, _LONGEST_TIER) else None
