"""The classic reproduction of the leak: two turns that need no tool, in three styles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from openai import OpenAI
from openai.types.responses import Response

from demurrage.simulator.references import finish_of, start_of
from demurrage.simulator.writer import Writer

_MODEL = "gpt-5"
_TOOL: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
_QUESTIONS = ("Say hello.", "Say it again.", "Now compute 6 * 7. [[use_tool]]")

OnCall = Callable[[dict[str, Any]], Callable[[Response], None]]
"""Told of each request before it leaves; what it returns is told of the response."""


@dataclass(frozen=True, slots=True)
class Reproduced:
    """The response ids of each style, in the order of their turns."""

    replayed: tuple[str, ...]
    previous: tuple[str, ...]
    conversation: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """All of them."""
        return self.replayed + self.previous + self.conversation


def reproduce(
    client: OpenAI, *, on_call: OnCall | None = None, third_turn: bool = False
) -> Reproduced:
    """Hold the three conversations; each tool-less turn leaks one container.

    Args:
        client: the plain SDK client.
        on_call: for whoever logs the requests.
        third_turn: add a turn in each style that uses the tool and so names its container.
    """
    questions = _QUESTIONS if third_turn else _QUESTIONS[:2]

    def ask(**request: Any) -> Response:
        request = {"model": _MODEL, "tools": [_TOOL], **request}
        told = on_call(request) if on_call else None
        response: Response = client.responses.create(**request)
        if told is not None:
            told(response)
        return response

    return Reproduced(
        replayed=_replayed(ask, questions),
        previous=_previous(ask, questions),
        conversation=_conversation(ask, questions, client.conversations.create().id),
    )


def logging_to(writer: Writer) -> OnCall:
    """An `on_call` that logs each request and its answer; the caller beats and flushes."""

    def on_call(request: dict[str, Any]) -> Callable[[Response], None]:
        call_id = str(uuid4())
        writer.note("response.started", call_id=call_id, **start_of(request, background=False))

        def told(response: Response) -> None:
            end = finish_of(response.model_dump(mode="json", warnings=False))
            writer.note("response.finished", call_id=call_id, **end)

        return told

    return on_call


def _replayed(ask: Callable[..., Response], questions: Sequence[str]) -> tuple[str, ...]:
    items: list[dict[str, Any]] = []
    ids: list[str] = []
    for question in questions:
        items.append({"role": "user", "content": question})
        response = ask(input=list(items))
        items += [item.model_dump(mode="json", exclude_none=True) for item in response.output]
        ids.append(response.id)
    return tuple(ids)


def _previous(ask: Callable[..., Response], questions: Sequence[str]) -> tuple[str, ...]:
    ids: list[str] = []
    for question in questions:
        carried = {"previous_response_id": ids[-1]} if ids else {}
        ids.append(ask(input=question, **carried).id)
    return tuple(ids)


def _conversation(
    ask: Callable[..., Response], questions: Sequence[str], conversation: str
) -> tuple[str, ...]:
    return tuple(ask(input=question, conversation=conversation).id for question in questions)
