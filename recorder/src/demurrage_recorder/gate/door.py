"""The gate in front of a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from demurrage_recorder.gate import asynchronous, blocking
from demurrage_recorder.gate.known import Known
from demurrage_recorder.gate.turn import Opener, Turn, turn_of
from demurrage_recorder.gate.values import part

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from openai import AsyncOpenAI, OpenAI
    from openai.types.responses import Response

Client = TypeVar("Client", "OpenAI", "AsyncOpenAI")

_NAME = "open_code_interpreter"
_DESCRIPTION = (
    "Opens the code interpreter: a sandbox that runs Python code, for calculations, data, files "
    "and charts. Call this whenever you would run code; the code interpreter is then yours to "
    "use. Do not guess what code could compute, and do not call this for what needs no code."
)


class Gate(Generic[Client]):
    """Sends turns without the code interpreter until the model asks for it.

    `create` takes the arguments of `client.responses.create` and gives the SDK's own responses
    and events. A request with an auto code interpreter is sent without it first, with a plain
    function in its place. If the model answers without calling that function, its answer is the
    answer: one call, no container. If it calls it, the request is repeated as it was given, and
    that answer is the answer: **one more model call for each turn that needs the tool**. Probe
    and repeat have different tools, and so a prompt cache each.

    What the probe leaves behind, by the way context is carried:

    * replayed input, `previous_response_id`: nothing. The repeat continues what the caller
      named; the probe is a stored response that nobody continues.
    * `conversation`: the probe runs inside the conversation, so that its answer stands there
      like any other. If it calls the function, the repeat answers that call; the call and its
      answer stay among the conversation's items. If the repeat fails, the next turn through a
      gate settles the open call. A probe makes one call at a time (`parallel_tool_calls` off).

    Passed through as they are: requests that name a container (explicit, or in replayed items),
    that continue what is known to hold one, whose `tool_choice` forces the code interpreter,
    with `background=True` or a stored `prompt`, and requests without an auto code interpreter.
    A gate knows of containers by the turns that went through it: use one gate for a
    conversation. To another one the turn looks new; it is probed, and works, but a probe does
    not keep an older container alive.

    A stream's events are held back until a message begins. A model that announces in a message
    what it is about to compute has that message passed on; then the events of the repeat
    follow, beginning with its own `response.created`. The last response is the answer.

    Other tools stay as they are. A hosted shell (`container_auto`) still makes its container.

    Args:
        client: an `OpenAI` or `AsyncOpenAI` client, or one of their Azure kinds.
        name: the function's name; no other tool may bear it.
        description: tells the model when to call it.
    """

    def __init__(
        self, client: Client, *, name: str = _NAME, description: str = _DESCRIPTION
    ) -> None:
        self._client: Any = client
        self._opener = Opener(name, description)
        self._known = Known()
        self._awaited = hasattr(type(client), "__aenter__")

    @overload
    def create(
        self: Gate[OpenAI], *, stream: Literal[False] | None = None, **request: Any
    ) -> Response: ...
    @overload
    def create(
        self: Gate[OpenAI], *, stream: Literal[True], **request: Any
    ) -> blocking.GateStream: ...
    @overload
    def create(
        self: Gate[AsyncOpenAI], *, stream: Literal[False] | None = None, **request: Any
    ) -> Coroutine[Any, Any, Response]: ...
    @overload
    def create(
        self: Gate[AsyncOpenAI], *, stream: Literal[True], **request: Any
    ) -> Coroutine[Any, Any, asynchronous.AsyncGateStream]: ...
    def create(self, **request: Any) -> Any:
        """Create a response; to be awaited if the client is asynchronous.

        Raises:
            ValueError: a function of the request bears the gate's own name.
            OpenAIError: whatever `client.responses.create` raises.
        """
        side = asynchronous if self._awaited else blocking
        streamed = request.get("stream") is True
        send = side.streamed if streamed else side.answered
        return send(self._client, self._turn(request), self._known)

    def _turn(self, request: dict[str, Any]) -> Turn:
        conversation = request.get("conversation")
        contexts = (conversation, part(conversation, "id"), request.get("previous_response_id"))
        berthed = any(isinstance(one, str) and one in self._known for one in contexts)
        return turn_of(request, self._opener, berthed=berthed)
