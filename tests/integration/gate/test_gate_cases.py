"""What the gate lets through as it is, and what it does when something goes wrong."""

from typing import Any

import openai
import pytest
from openai import OpenAI

from demurrage.simulator.serve import HarbourServer
from demurrage_recorder.gate import Gate

from .conftest import AUTO, TALK, USE, WEATHER, made, posts


@pytest.fixture
def gate(client: OpenAI) -> Gate[OpenAI]:
    """A gate."""
    return Gate(client)


@pytest.mark.parametrize(
    "more",
    [
        {"tool_choice": {"type": "code_interpreter"}},
        {"tool_choice": "required"},
        {"background": True},
        {"prompt": {"id": "pmpt_1"}},
    ],
)
def test_what_cannot_be_gated_passes_through(
    server: HarbourServer, gate: Gate[OpenAI], more: dict[str, Any]
) -> None:
    """One call, with the code interpreter attached."""
    response = gate.create(model="gpt-5", input=USE, tools=[AUTO], **more)
    assert response.tools[0].type == "code_interpreter"
    assert posts(server) == 1


def test_a_container_that_the_caller_brings_is_used_at_once(
    server: HarbourServer, client: OpenAI, gate: Gate[OpenAI]
) -> None:
    """An explicit container needs no gate."""
    tool: Any = {"type": "code_interpreter", "container": client.containers.create(name="mine").id}
    gate.create(model="gpt-5", input=USE, tools=[tool])
    assert posts(server) == 1
    assert len(made(server)) == 1


def test_other_tools_stay(server: HarbourServer, gate: Gate[OpenAI]) -> None:
    """The model may call another function instead; then no container is made."""
    metadata = {"harbour_call": "weather"}
    asked: Any = {"model": "gpt-5", "input": TALK, "tools": [AUTO, WEATHER], "metadata": metadata}
    response = gate.create(**asked)
    assert [item.type for item in response.output] == ["function_call"]
    gate.create(**{**asked, "input": USE, "tool_choice": "none"})
    assert posts(server) == 2
    assert made(server) == []


def test_a_message_goes_on_while_the_probe_still_runs(
    server: HarbourServer, client: OpenAI, gate: Gate[OpenAI]
) -> None:
    """The first words are there before the answer is complete."""
    server.admin.settings(scale=20)
    words = "Say hello. [[seconds=40]]"
    with gate.create(model="gpt-5", input=words, tools=[AUTO], stream=True) as stream:
        created = next(stream)
        assert next(event for event in stream if event.type == "response.output_text.delta")
        assert client.responses.retrieve(created.response.id).status == "in_progress"
        assert list(stream)[-1].type == "response.completed"


def test_a_message_before_the_call_is_passed_on(server: HarbourServer, gate: Gate[OpenAI]) -> None:
    """Then the repeat follows with its own beginning; the last response is the answer."""
    words = f"{USE} [[preamble]]"
    with gate.create(model="gpt-5", input=words, tools=[AUTO], stream=True) as stream:
        events = list(stream)
    names = [event.type for event in events]
    assert names.count("response.created") == 2
    assert names.count("response.completed") == 1
    assert not any("function_call" in name for name in names)
    (case,) = made(server)
    assert case["used_by"] == [events[-1].response.id]


def test_a_failed_repeat_leaves_a_conversation_that_goes_on(
    server: HarbourServer, client: OpenAI, gate: Gate[OpenAI]
) -> None:
    """Its call lacks an output; the next turn through any gate settles it."""
    conversation = client.conversations.create().id
    asked: Any = {"model": "gpt-5", "tools": [AUTO], "conversation": conversation}
    stream = gate.create(**asked, input=USE, stream=True)
    server.admin.fault(match="POST /v1/responses", kind="server_error", count=1)
    with pytest.raises(openai.InternalServerError):
        list(stream)
    with pytest.raises(openai.BadRequestError, match="No tool output found"):
        client.responses.create(**asked, input=TALK)
    answer = Gate(client).create(**asked, input=USE)
    assert answer.output[0].type == "code_interpreter_call"
    client.responses.create(**asked, input=TALK)
    assert len(made(server)) == 1


def test_a_refusal_is_the_callers(gate: Gate[OpenAI], client: OpenAI) -> None:
    """A 400 that no open call explains comes through, in a conversation too."""
    asked: Any = {"model": "gpt-5", "input": TALK, "tools": [AUTO]}
    with pytest.raises(openai.BadRequestError):
        gate.create(**asked, previous_response_id="resp_none")
    conversation = client.conversations.create().id
    with pytest.raises(openai.BadRequestError, match="not both"):
        gate.create(**asked, conversation=conversation, previous_response_id="resp_none")
