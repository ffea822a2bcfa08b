"""One turn, laid out: what is sent first, and what follows if the model wants code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from demurrage_recorder.gate.values import listed, names_container, part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

REFUSED = 400
"""The HTTP status of a turn in a conversation that holds a call without its output."""
NEWEST = 100
"""How many of a conversation's items are looked at for such a call."""

_ATTACHED = "The code interpreter is attached now. Use it."
_NOT_RUN = "This call was not carried out. Make it again if it is still needed."
_OUTPUTS = "code_interpreter_call.outputs"


@dataclass(frozen=True)
class Opener:
    """The function that stands in for the code interpreter."""

    name: str
    description: str

    def tool(self) -> dict[str, Any]:
        """It as a tool of a request. It takes no arguments: no code is written twice."""
        none = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": none,
            "strict": True,
        }

    def is_call(self, item: Any) -> bool:
        """True for an output item by which the model calls it."""
        return bool(part(item, "type") == "function_call" and part(item, "name") == self.name)


@dataclass(frozen=True)
class Turn:
    """A request of `responses.create`.

    Attributes:
        request: the arguments as they were given.
        probe: the arguments without the code interpreter; None if there is nothing to gate.
        conversation: the id of the conversation that the turn belongs to.
        previous: the id of the response that it continues.
    """

    opener: Opener
    request: dict[str, Any]
    probe: dict[str, Any] | None
    conversation: str | None
    previous: str | None

    @property
    def first(self) -> dict[str, Any]:
        """The arguments that are sent first."""
        return self.request if self.probe is None else self.probe

    def wants_code(self, response: Any) -> bool:
        """True if the model called the opener in answer to the probe."""
        return self.probe is not None and any(map(self.opener.is_call, part(response, "output")))

    def repeat(self, response: Any) -> dict[str, Any]:
        """The arguments of the repeat, after a probe that called the opener.

        A replayed or continued context is the caller's own, and the probe is not in it. A
        conversation has taken the question and the call in when the probe completed; there the
        repeat answers the call.
        """
        if self.conversation is None or part(response, "status") != "completed":
            return self.request
        return {**self.request, "input": self._outputs(part(response, "output"))}

    def owed(self, items: Iterable[Any]) -> list[dict[str, Any]]:
        """Outputs for calls of the opener that lack one, among a conversation's items.

        Left behind by a repeat that failed, or whose process died before it.
        """
        items = list(items)
        answered = {
            part(item, "call_id") for item in items if part(item, "type") == "function_call_output"
        }
        return [
            _output(item, _NOT_RUN)
            for item in items
            if self.opener.is_call(item) and part(item, "call_id") not in answered
        ]

    def _outputs(self, items: Iterable[Any]) -> list[dict[str, Any]]:
        # A conversation goes on only when every call in it has its output.
        return [
            _output(item, _ATTACHED if self.opener.is_call(item) else _NOT_RUN)
            for item in items
            if part(item, "type") == "function_call"
        ]


def turn_of(request: Mapping[str, Any], opener: Opener, *, berthed: bool = False) -> Turn:
    """Lay out a turn.

    Args:
        request: the arguments of `responses.create`.
        opener: the function that stands in for the code interpreter.
        berthed: the conversation, or what the turn continues, is known to hold a container.

    Raises:
        ValueError: the request has a function of the opener's name.
    """
    given = dict(request)
    for name in ("tools", "input"):  # an iterator can be sent but once
        elements = listed(given.get(name))
        if elements is not None:
            given[name] = elements
    conversation = given.get("conversation")
    if not isinstance(conversation, str):
        conversation = part(conversation, "id")
    previous = given.get("previous_response_id")
    return Turn(
        opener=opener,
        request=given,
        probe=None if berthed else _probe(given, opener, in_conversation=conversation is not None),
        conversation=conversation,
        previous=previous if isinstance(previous, str) else None,
    )


def _probe(
    request: dict[str, Any], opener: Opener, *, in_conversation: bool
) -> dict[str, Any] | None:
    tools = listed(request.get("tools")) or []
    places = [place for place, tool in enumerate(tools) if _is_interpreter(tool)]
    if not places or not all(_is_auto(tools[place]) for place in places):
        return None  # none, or one with a container of its own
    # A stored prompt can attach tools that the request does not show, a background response is
    # not waited for, and a container in the context is used again: none of these is gated.
    if part(request, "prompt") or part(request, "background") is True:
        return None
    if names_container(request.get("input")):
        return None
    if any(part(tool, "name") == opener.name for tool in tools):
        raise ValueError(
            f"tools: a function is named {opener.name!r} already; "
            "give the gate's own another name: Gate(client, name=...)"
        )
    probe = dict(request)
    choice = request.get("tool_choice")
    if _forces_interpreter(choice, tools):
        return None
    if part(choice, "type") == "allowed_tools":
        probe["tool_choice"] = _allowed(choice, opener)
    files = any(listed(part(part(tools[place], "container"), "file_ids")) for place in places)
    probe["tools"] = [
        *(tool for place, tool in enumerate(tools) if place not in places),
        _with_files(opener.tool()) if files else opener.tool(),
    ]
    if _OUTPUTS in (listed(request.get("include")) or ()):
        probe["include"] = [name for name in request["include"] if name != _OUTPUTS]
    if in_conversation:
        # The opener's call shall be the only one that the repeat has to answer.
        probe["parallel_tool_calls"] = False
    return probe


def _is_interpreter(tool: Any) -> bool:
    return bool(part(tool, "type") == "code_interpreter")


def _is_auto(tool: Any) -> bool:
    return bool(part(part(tool, "container"), "type") == "auto")


def _forces_interpreter(choice: Any, tools: list[Any]) -> bool:
    if _is_interpreter(choice):
        return True
    if part(choice, "type") == "allowed_tools":
        allowed = listed(part(choice, "tools")) or []
        return part(choice, "mode") == "required" and all(map(_is_interpreter, allowed))
    return bool(choice == "required") and all(map(_is_interpreter, tools))


def _allowed(choice: Any, opener: Opener) -> dict[str, Any]:
    allowed = listed(part(choice, "tools")) or []
    stand_in = {"type": "function", "name": opener.name}
    return {
        "type": "allowed_tools",
        "mode": part(choice, "mode"),
        "tools": [stand_in if _is_interpreter(tool) else tool for tool in allowed],
    }


def _with_files(tool: dict[str, Any]) -> dict[str, Any]:
    more = " Files that belong to this conversation are at hand in it."
    return {**tool, "description": tool["description"] + more}


def _output(call: Any, words: str) -> dict[str, Any]:
    return {
        "type": "function_call_output",
        "call_id": part(call, "call_id"),
        "output": words,
    }
