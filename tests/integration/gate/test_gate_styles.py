"""The gate in each style of context, blocking and streamed, with both kinds of client."""

from types import SimpleNamespace
from typing import Any

import pytest
from openai import OpenAI
from openai.types.responses import Response

from demurrage.simulator.reproduction import reproduce
from demurrage.simulator.serve import HarbourServer
from demurrage_recorder.gate import Gate

from .conftest import STYLES, TALK, USE, Ask, Talk, made, posts


@pytest.fixture(params=STYLES)
def talk(request: pytest.FixtureRequest, client: OpenAI, ask: Ask) -> Talk:
    """A conversation behind the gate."""
    return Talk(ask, request.param, client.conversations.create().id)


def test_turns_that_need_no_tool_make_no_container(server: HarbourServer, talk: Talk) -> None:
    """Three turns: three calls, three answers, nothing in the harbour."""
    answers = [talk.say(TALK) for _ in range(3)]
    assert [answer.output_text for answer in answers] == ["The answer is 42."] * 3
    assert posts(server) == 3
    assert made(server) == []


def test_a_turn_that_needs_the_tool_makes_one_and_uses_it(
    server: HarbourServer, talk: Talk
) -> None:
    """One call more for the first use; from then on the container is in the context."""
    talk.say(TALK)
    used = talk.say(USE)
    assert posts(server) == 3
    talk.say(TALK)
    again = talk.say(USE)
    assert posts(server) == 5
    (case,) = made(server)
    assert case["used_by"] == [used.id, again.id]
    assert isinstance(used, Response)
    kinds = [item.type for item in used.output]
    assert kinds == ["code_interpreter_call", "message"]


def test_the_answer_stands_where_its_context_is(
    server: HarbourServer, client: OpenAI, talk: Talk
) -> None:
    """The repeat continues what the caller named; a conversation holds question and answer."""
    first, second, third = talk.say(TALK), talk.say(USE), talk.say(TALK)
    assert second.tools[0].type == "code_interpreter"
    if talk.style == "previous":
        assert (second.previous_response_id, third.previous_response_id) == (first.id, second.id)
    if talk.style == "conversation":
        items = client.conversations.items.list(talk.conversation, order="asc")
        assert [item.type for item in items] == [
            *("message", "message"),
            *("message", "function_call", "function_call_output"),
            *("code_interpreter_call", "message"),
            *("message", "message"),
        ]
    assert len(made(server)) == 1


@pytest.mark.parametrize(("third_turn", "containers"), [(False, 0), (True, 3)])
def test_the_reproduction_leaks_nothing_behind_the_gate(
    server: HarbourServer, client: OpenAI, *, third_turn: bool, containers: int
) -> None:
    """Only the turns that use the tool have containers, one in each style."""
    gated: Any = SimpleNamespace(responses=Gate(client), conversations=client.conversations)
    reproduced = reproduce(gated, third_turn=third_turn)
    cases = made(server)
    assert len(cases) == containers
    users = {style[-1] for style in (reproduced.replayed, reproduced.previous)}
    users.add(reproduced.conversation[-1])
    assert {user for case in cases for user in case["used_by"]} == (users if third_turn else set())
