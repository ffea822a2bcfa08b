"""How a turn is laid out: what is sent first, and what is repeated."""

from typing import Any

import pytest
from openai.types.responses import ResponseCodeInterpreterToolCall, ResponseFunctionToolCall

from demurrage_recorder.gate.known import Known
from demurrage_recorder.gate.turn import Opener, Turn, turn_of

OPENER = Opener("open_code", "Opens it.")
AUTO = {"type": "code_interpreter", "container": {"type": "auto"}}
SEARCH = {"type": "web_search"}
CALL = ResponseFunctionToolCall(
    id="fc_1", type="function_call", call_id="call_1", name="open_code", arguments="{}"
)

RUN = ResponseCodeInterpreterToolCall(
    id="ci_1", container_id="cntr_1", status="completed", type="code_interpreter_call"
)


def _turn(**request: Any) -> Turn:
    return turn_of({"model": "m", "input": "Hi", "tools": [AUTO], **request}, OPENER)


def test_the_function_takes_the_place_of_the_tool() -> None:
    """Everything else of the request stays, and the request itself is not touched."""
    turn = _turn(tools=[AUTO, SEARCH], temperature=0.5)
    assert turn.probe == {
        "model": "m",
        "input": "Hi",
        "temperature": 0.5,
        "tools": [SEARCH, OPENER.tool()],
    }
    assert turn.request["tools"] == [AUTO, SEARCH]


def test_iterators_are_read_once() -> None:
    """Tools and input given as iterators reach both the probe and the repeat."""
    turn = _turn(tools=iter([AUTO]), input=iter([{"role": "user", "content": "Hi"}]))
    assert turn.probe is not None
    for sent in (turn.probe, turn.request):
        assert sent["input"] == [{"role": "user", "content": "Hi"}]
    assert turn.request["tools"] == [AUTO]


@pytest.mark.parametrize(
    "request_part",
    [
        {"tools": []},
        {"tools": [SEARCH]},
        {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
        {"tools": [AUTO, {"type": "code_interpreter", "container": "cntr_1"}]},
        {"input": [{"type": "code_interpreter_call", "container_id": "cntr_1"}]},
        {
            "input": [
                ResponseCodeInterpreterToolCall(
                    id="ci_1",
                    container_id="cntr_1",
                    status="completed",
                    type="code_interpreter_call",
                )
            ]
        },
        {"input": [{"content": [{"annotations": [{"container_id": "cntr_1"}]}]}]},
        {"tool_choice": {"type": "code_interpreter"}},
        {"tool_choice": "required"},
        {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [AUTO]}},
        {"background": True},
        {"prompt": {"id": "pmpt_1"}},
    ],
)
def test_what_is_not_gated_is_sent_as_it_is(request_part: dict[str, Any]) -> None:
    """A container at hand, a forced tool, a background response, a stored prompt."""
    turn = _turn(**request_part)
    assert turn.probe is None
    assert turn.first is turn.request


def test_a_choice_among_tools_means_the_function_instead() -> None:
    """`allowed_tools` names the function where it named the code interpreter."""
    allowed = [{"type": "code_interpreter"}, SEARCH]
    choice = {"type": "allowed_tools", "mode": "required", "tools": allowed}
    turn = _turn(tools=[AUTO, SEARCH], tool_choice=choice)
    assert turn.probe is not None
    stand_in = {"type": "function", "name": "open_code"}
    assert turn.probe["tool_choice"] == {**choice, "tools": [stand_in, SEARCH]}
    assert turn.request["tool_choice"] is choice


def test_what_only_the_tool_could_give_is_not_asked_of_the_probe() -> None:
    """The outputs of code are left out of `include`, files are told of."""
    tool = {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file_1"]}}
    turn = _turn(tools=[tool], include=["code_interpreter_call.outputs", "x"])
    assert turn.probe is not None
    assert turn.probe["include"] == ["x"]
    assert turn.probe["tools"][0]["description"].startswith("Opens it. Files ")


def test_a_name_taken_is_refused_with_the_way_out() -> None:
    """Two functions of one name could not be told apart."""
    with pytest.raises(ValueError, match=r"'open_code' already.*Gate\(client, name=\.\.\.\)"):
        _turn(tools=[AUTO, {"type": "function", "name": "open_code"}])


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
def test_in_a_conversation_the_repeat_answers_the_call(conversation: Any) -> None:
    """Only there, and only if the probe completed and so stands in it."""
    turn = _turn(conversation=conversation)
    assert turn.probe is not None
    assert turn.probe["parallel_tool_calls"] is False
    other = {"type": "function_call", "call_id": "call_2", "name": "weather"}
    response = {"status": "completed", "output": [CALL, other]}
    assert turn.wants_code(response)
    answers = turn.repeat(response)["input"]
    assert [answer["call_id"] for answer in answers] == ["call_1", "call_2"]
    assert answers[0]["output"] != answers[1]["output"]
    assert turn.repeat({**response, "status": "incomplete"}) == turn.request
    assert _turn().repeat(response)["input"] == "Hi"


def test_an_open_call_is_owed_its_output() -> None:
    """A call that has its output is not, nor one of another function."""
    turn = _turn(conversation="conv_1")
    other = {"type": "function_call", "call_id": "call_2", "name": "weather"}
    (owed,) = turn.owed([other, CALL])
    assert (owed["type"], owed["call_id"]) == ("function_call_output", "call_1")
    assert turn.owed([owed, CALL]) == []


def test_a_context_with_a_container_is_known_from_its_answers() -> None:
    """By response, by conversation, and on along the chain."""
    known = Known()
    used = {"id": "resp_1", "output": [{"container_id": "cntr_1"}]}
    known.note(_turn(), {"id": "resp_0", "output": []})
    known.note(_turn(conversation="conv_1"), used)
    known.note(_turn(previous_response_id="resp_1"), {"id": "resp_2", "output": []})
    told = [one in known for one in ("resp_0", "resp_1", "conv_1", "resp_2")]
    assert told == [False, True, True, True]
    request = {"model": "m", "input": "Hi", "tools": [AUTO]}
    assert turn_of(request, OPENER, berthed=True).probe is None
