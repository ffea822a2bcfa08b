"""What answers mean: to a request for a response, to a look at one, for a new container."""

from collections.abc import Collection
from typing import Any

from demurrage_recorder.calls import Call, Directory, Note, follow
from demurrage_recorder.ids import LONGEST_ID, is_word
from demurrage_recorder.telling import FINAL, response_id_of

_PREFIX = "response."
# What the model itself puts out. Before it may come what only prepares the ground: lists of tools,
# tools that were loaded, a context made smaller. What nobody knows yet may be such.
_MODELS_OWN = frozenset(
    {
        "apply_patch_call",
        "code_interpreter_call",
        "computer_call",
        "custom_tool_call",
        "file_search_call",
        "function_call",
        "image_generation_call",
        "local_shell_call",
        "mcp_call",
        "message",
        "reasoning",
        "shell_call",
        "web_search_call",
    }
)


class Making:
    """Hears the answer to a `POST /responses`.

    Args:
        call: the attempt that it answers.
        begun_at: when the request was about to leave, in epoch seconds.
    """

    def __init__(self, call: Call, begun_at: float) -> None:
        self._call = call
        self._begun_at = begun_at
        self._understood = False

    @property
    def sated(self) -> bool:
        """True once the first output item was seen."""
        return self._call.began

    def value(self, value: Any, ids: Collection[str]) -> None:
        """A blocking answer, or the first word of a background response."""
        self._understood = isinstance(value, dict) and follow(
            self._call, value, ids, self._begun_at
        )

    def event(self, event: dict[str, Any], ids: Collection[str]) -> None:
        """One event of the stream."""
        hear(self._call, event, ids, self._begun_at)

    def ids(self, ids: Collection[str], event: str = "") -> None:
        """Ids in what could not be read, and perhaps that it was the last event."""
        unread(self._call, ids, event)

    def over(self) -> None:
        """Without a definite end, nobody knows; one that was only begun may be looked at."""
        if not self._understood:
            self._call.lost()


class Looking:
    """Hears the answer to a look at a response, or to its cancellation.

    Args:
        note: where events go.
        directory: which call a response was.
        response_id: the response that was asked for.
        asked_at: when, in epoch seconds.
    """

    def __init__(self, note: Note, directory: Directory, response_id: str, asked_at: float) -> None:
        self._note = note
        self._directory = directory
        self._response_id = response_id
        self._asked_at = asked_at

    @property
    def sated(self) -> bool:
        """True when the response is another's, or its first output item was seen."""
        call = self._directory.call_of(self._response_id)
        return call is None or call.began

    def value(self, value: Any, ids: Collection[str]) -> None:
        """The response as it stands."""
        found = response_id_of(value)
        if found is not None:
            call = self._find(found)
            if call is not None:
                follow(call, value, ids, self._asked_at)

    def event(self, event: dict[str, Any], ids: Collection[str]) -> None:
        """One event of the stream, taken up again: a stream tells once more what is long past."""
        call = self._find(self._response_id)
        if call is not None:
            hear(call, event, ids, None)

    def ids(self, ids: Collection[str], event: str = "") -> None:
        """Ids in what could not be read."""
        call = self._directory.call_of(self._response_id)
        if call is not None:
            unread(call, ids, event)

    def over(self) -> None:
        """A look that brought nothing is no end: the next one may."""

    def _find(self, response_id: str) -> Call | None:
        """The call, or None and the daemon's task to find out: the response is another's."""
        call = self._directory.call_of(response_id)
        if call is None and self._directory.is_news(response_id):
            self._directory.remember(response_id, None)
            self._note("response.known", {"response_id": response_id}, None)
        return call


class Founding:
    """Hears the answer to a `POST /containers`."""

    sated = True

    def __init__(self, note: Note) -> None:
        self._note = note

    def value(self, value: Any, ids: Collection[str]) -> None:  # noqa: ARG002 - it is in `id`
        """The container that was made."""
        if isinstance(value, dict) and is_word(value.get("id"), LONGEST_ID):
            self._note("container.created", {"container_id": value["id"]}, None)

    def event(self, event: dict[str, Any], ids: Collection[str]) -> None:
        """Containers come in no stream."""

    def ids(self, ids: Collection[str], event: str = "") -> None:  # noqa: ARG002 - no such stream
        """An answer that could not be read names its container all the same."""
        for each in sorted(ids):
            self._note("container.created", {"container_id": each}, None)

    def over(self) -> None:
        """Without an answer the application knows no container either."""


class Copying:
    """Hears the answer to items that were written into a conversation.

    Args:
        call: what stands for it in the log.
        conversation: which; None where it is made with them, and the answer tells.
    """

    sated = True

    def __init__(self, call: Call, conversation: str | None) -> None:
        self._call = call
        self._conversation = conversation

    def value(self, value: Any, ids: Collection[str]) -> None:  # noqa: ARG002 - the request had them
        """The items, or the conversation, as the API has them now."""
        found = self._conversation or response_id_of(value)
        if found is not None:
            self._call.copied(found)

    def event(self, event: dict[str, Any], ids: Collection[str]) -> None:
        """Items come in no stream."""

    def ids(self, ids: Collection[str], event: str = "") -> None:
        """An answer that could not be read does not say that it is done."""

    def over(self) -> None:
        """Without an answer nobody knows which conversation has them."""
        self._call.lost()


def hear(call: Call, event: dict[str, Any], ids: Collection[str], asked_at: float | None) -> None:
    """Tell a call what an event of its stream says; `asked_at` is None where it is replayed."""
    response, status = event.get("response"), _ending(event.get("type"))
    if not isinstance(response, dict) or _is_an_agent_s(call, response):
        call.passing(ids, output=_is_output(event))
    elif status is not None:
        call.ended(response, status, ids)
    elif response_id_of(response) is not None:
        call.alive(response, ids, asked_at)


def _is_an_agent_s(call: Call, response: dict[str, Any]) -> bool:
    """True where agents run in the call's response, and the event is about another one's."""
    found = response_id_of(response)
    return call.spreads and found is not None and call.response_id not in (None, found)


def _is_output(event: dict[str, Any]) -> bool:
    """True where the event brings an item that the model put out."""
    item = event.get("item")
    kind = item.get("type") if isinstance(item, dict) else None
    return "output_index" in event and isinstance(kind, str) and kind in _MODELS_OWN


def unread(call: Call, ids: Collection[str], event: str) -> None:
    """Tell a call of ids in an event that could not be read, and of its end if it was that."""
    call.passing(ids, output=False)
    status = _ending(event)
    if status is not None:
        call.ended_unread(status)


def _ending(kind: Any) -> str | None:
    """The status that an event's type says a response ended with, None if it goes on."""
    if not isinstance(kind, str) or not kind.startswith(_PREFIX):
        return None
    status = kind.removeprefix(_PREFIX)
    return status if status in FINAL else None
