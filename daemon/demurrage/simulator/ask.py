"""What a request to `/v1/responses` asks for, as a value that keeps none of its prose."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from demurrage.simulator.refusal import Refusal

ToolName = Literal["code_interpreter", "shell"]
Mention = tuple[ToolName, str]

TIERS = ("1g", "4g", "16g", "64g")
_SECONDS = re.compile(r"\[\[seconds=([0-9.]+)\]\]")


@dataclass(frozen=True, slots=True)
class Berthing:
    """One container slot of the request; `container` is None when the API shall make one."""

    place: int
    tool: ToolName
    container: str | None = None
    tier: str = "1g"
    network_policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """A readable request.

    `mentions` are the containers that replayed calls name, in order. `use_tool`, `cite` and
    `seconds` steer the pretended model: request metadata `harbour_use_tool`, `harbour_cite`
    and `harbour_seconds`, or `[[use_tool]]`, `[[cite]]` and `[[seconds=12]]` in the last
    message. Likewise `preamble` (`harbour_preamble`, `[[preamble]]`): it says something before
    it calls; and `call` (`harbour_call`, names parted by commas): functions that it calls.
    `functions` are the names of those it is offered.
    """

    model: str
    berthings: tuple[Berthing, ...]
    tools: tuple[dict[str, Any], ...]
    items: tuple[dict[str, Any], ...]
    mentions: tuple[Mention, ...]
    metadata: Mapping[str, str]
    functions: tuple[str, ...]
    use_tool: bool
    call: tuple[str, ...]
    preamble: bool
    cite: bool
    seconds: float | None
    previous_response_id: str | None
    conversation: str | None
    background: bool
    stream: bool
    store: bool


def read_ask(body: Mapping[str, Any]) -> Ask:
    """Read a request body.

    Raises:
        Refusal: 400, the body is not a request.
    """
    model = body.get("model")
    if not isinstance(model, str):
        raise _bad("Missing required parameter: 'model'.", "model")
    metadata = body.get("metadata") or {}
    items = _items(body.get("input"))
    tools = tuple(dict(tool) for tool in body.get("tools") or ())
    prose = _last_words(items)
    conversation = body.get("conversation")
    if isinstance(conversation, Mapping):
        conversation = conversation.get("id")
    previous = body.get("previous_response_id")
    if conversation and previous:
        raise _bad("Use either 'conversation' or 'previous_response_id', not both.", "conversation")
    background, store = bool(body.get("background")), body.get("store") is not False
    if background and not store:
        raise _bad("Background responses must be stored.", "background")

    def told(habit: str) -> bool:
        return metadata.get(f"harbour_{habit}") == "true" or f"[[{habit}]]" in prose

    seconds = metadata.get("harbour_seconds")
    if seconds is None and (said := _SECONDS.search(prose)):
        seconds = said.group(1)
    return Ask(
        model=model,
        berthings=tuple(_berthings(tools)),
        tools=tools,
        items=tuple(without_prose(item) for item in items),
        mentions=tuple(mentions(items)),
        metadata=dict(metadata),
        functions=tuple(str(tool.get("name")) for tool in tools if tool.get("type") == "function"),
        use_tool=_uses(body.get("tool_choice"), told=told("use_tool")),
        call=tuple(metadata.get("harbour_call", "").split(",")),
        preamble=told("preamble"),
        cite=told("cite"),
        seconds=None if seconds is None else float(seconds),
        previous_response_id=previous,
        conversation=conversation,
        background=background,
        stream=bool(body.get("stream")),
        store=store,
    )


def _uses(choice: Any, *, told: bool) -> bool:
    """Whether the model uses its tool: as the request demands, else as it was told."""
    if choice == "none":
        return False
    forced = isinstance(choice, Mapping) and choice.get("type") in ("code_interpreter", "shell")
    return told or forced


def mentions(items: Iterable[Mapping[str, Any]]) -> list[Mention]:
    """The containers that code interpreter and shell calls among the items name."""
    found: list[Mention] = []
    for item in items:
        if item.get("type") == "code_interpreter_call" and item.get("container_id"):
            found.append(("code_interpreter", item["container_id"]))
        if item.get("type") == "shell_call":
            environment = item.get("environment") or {}
            if environment.get("container_id"):
                found.append(("shell", environment["container_id"]))
    return found


def without_prose(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item's skeleton: its kind, ids and containers, with every text emptied."""
    kind = item.get("type") or "message"
    if kind == "message":
        texts = "output_text" if item.get("role") == "assistant" else "input_text"
        blank: dict[str, Any] = {"type": texts, "text": ""}
        if texts == "output_text":
            blank |= {"annotations": [], "logprobs": []}
        return {
            "type": "message",
            "id": item.get("id"),
            "role": item.get("role", "user"),
            "status": "completed",
            "content": [blank],
        }
    keep = ("id", "type", "status", "container_id", "environment", "call_id", "name")
    bare = {name: item[name] for name in keep if name in item}
    if kind == "function_call":
        bare |= {"arguments": "{}"}
    elif kind == "function_call_output":
        bare |= {"output": ""}
    elif kind == "code_interpreter_call":
        bare |= {"code": "", "outputs": []}
    elif kind == "shell_call":
        bare |= {"action": {"commands": [], "max_output_length": None, "timeout_ms": None}}
    elif kind == "shell_call_output":
        bare |= {"output": [], "max_output_length": None}
    return bare


def _items(given: Any) -> list[Mapping[str, Any]]:
    if given is None:
        return []
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    if not isinstance(given, list):
        raise _bad("Invalid type for 'input'.", "input")
    return given


def _last_words(items: list[Mapping[str, Any]]) -> str:
    for item in reversed(items):
        if item.get("role") == "user":
            content = item.get("content") or ""
            if isinstance(content, str):
                return content
            return " ".join(str(part.get("text", "")) for part in content)
    return ""


def _berthings(tools: Iterable[Mapping[str, Any]]) -> Iterable[Berthing]:
    for place, tool in enumerate(tools):
        if tool.get("type") == "code_interpreter":
            container = tool.get("container")
            if isinstance(container, str):
                yield Berthing(place, "code_interpreter", container=container)
            elif isinstance(container, Mapping) and container.get("type") == "auto":
                yield _auto(place, "code_interpreter", container)
            else:
                where = f"tools[{place}].container"
                raise _bad(f"Missing required parameter: '{where}'.", where)
        elif tool.get("type") == "shell":
            environment = tool.get("environment") or {}
            if environment.get("type") == "container_reference":
                yield Berthing(place, "shell", container=environment.get("container_id"))
            elif environment.get("type") == "container_auto":
                yield _auto(place, "shell", environment)


def _auto(place: int, tool: ToolName, spec: Mapping[str, Any]) -> Berthing:
    tier = spec.get("memory_limit") or TIERS[0]
    if tier not in TIERS:
        raise _bad(f"Invalid memory limit: '{tier}'.", f"tools[{place}]")
    return Berthing(place, tool, tier=tier, network_policy=spec.get("network_policy"))


def _bad(message: str, param: str) -> Refusal:
    return Refusal(400, message, param=param)
