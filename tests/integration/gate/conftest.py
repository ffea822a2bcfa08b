"""A harbour, and a gate in front of each kind of client, asked in each way."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import Response

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage_recorder.gate import Gate

AUTO: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {}},
    "strict": False,
}
USE = "Compute. [[use_tool]] [[cite]] [[seconds=8]]"
TALK = "Say hello. [[seconds=8]]"
STYLES = ("replayed", "previous", "conversation")


class Ask(Protocol):
    """Takes one turn and gives its response."""

    def __call__(self, **request: Any) -> Response:
        """Create a response."""


@dataclass(slots=True)
class Talk:
    """One conversation in one of the three styles."""

    ask: Ask
    style: str
    conversation: str
    said: list[Any] = field(default_factory=list)
    turns: list[Response] = field(default_factory=list)

    def say(self, words: str, **more: Any) -> Response:
        """Take a turn with an auto code interpreter."""
        request: dict[str, Any] = {"model": "gpt-5", "input": words, "tools": [AUTO], **more}
        if self.style == "replayed":
            self.said.append({"role": "user", "content": words})
            request["input"] = list(self.said)
        elif self.style == "conversation":
            request["conversation"] = self.conversation
        elif self.turns:
            request["previous_response_id"] = self.turns[-1].id
        response = self.ask(**request)
        self.said += response.output
        self.turns.append(response)
        return response


def posts(server: HarbourServer) -> int:
    """How many responses were asked for so far."""
    counts: dict[str, int] = server.admin.calls()["counts"]
    return counts.get("POST /v1/responses", 0)


def made(server: HarbourServer) -> list[dict[str, Any]]:
    """The truth about every container, oldest first."""
    told: list[dict[str, Any]] = server.admin.truth()["containers"]
    return told


@pytest.fixture
def server() -> Iterator[HarbourServer]:
    """A harbour whose hour takes twelve seconds."""
    settings = HarbourSettings(scale=300, visibility_lag=(0, 0), delete_lag=(0, 0))
    with HarbourServer(Harbour(settings, seed=5)) as running:
        yield running


@pytest.fixture
def client(server: HarbourServer) -> Iterator[OpenAI]:
    """The SDK, without retries."""
    with OpenAI(base_url=server.base_url, api_key="key", max_retries=0) as made:
        yield made


@pytest.fixture(params=["blocking", "streamed", "async", "async streamed"])
def ask(request: pytest.FixtureRequest, server: HarbourServer) -> Iterator[Ask]:
    """A gate, asked in each way that there is."""
    if request.param in ("blocking", "streamed"):
        with OpenAI(base_url=server.base_url, api_key="key", max_retries=0) as client:
            gate = Gate(client)
            yield gate.create if request.param == "blocking" else _last_of(gate)
        return
    awaited = AsyncOpenAI(base_url=server.base_url, api_key="key", max_retries=0)
    other = Gate(awaited)
    streamed = request.param == "async streamed"

    async def once(**asked: Any) -> Response:
        return await (_async_last_of(other, asked) if streamed else other.create(**asked))

    with asyncio.Runner() as runner:
        yield lambda **asked: runner.run(once(**asked))
        runner.run(awaited.close())


def _last_of(gate: Gate[OpenAI]) -> Ask:
    def ask(**request: Any) -> Response:
        with gate.create(**request, stream=True) as stream:
            events = list(stream)
        return _final(events)

    return ask


async def _async_last_of(gate: Gate[AsyncOpenAI], request: dict[str, Any]) -> Response:
    async with await gate.create(**request, stream=True) as stream:
        return _final([event async for event in stream])


def _final(events: list[Any]) -> Response:
    names = [event.type for event in events]
    assert (names[0], names[-1]) == ("response.created", "response.completed")
    assert [event.sequence_number for event in events] == list(range(len(events)))
    final: Response = events[-1].response
    return final
