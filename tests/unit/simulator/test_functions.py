"""The pretended model calls functions, and the harbour wants their outputs."""

from typing import Any

import pytest

from demurrage.simulator.refusal import Refusal
from demurrage.simulator.voyage import Voyage

from .conftest import AUTO, Scene

RUN_CODE: Any = {"type": "function", "name": "open_code_interpreter", "parameters": {}}
WEATHER: Any = {"type": "function", "name": "weather", "parameters": {}}


def _kinds(voyage: Voyage) -> list[str]:
    return [item["type"] for item in voyage.items]


def _output(voyage: Voyage) -> list[dict[str, Any]]:
    calls = [item for item in voyage.items if item["type"] == "function_call"]
    return [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "It is sunny."}
        for item in calls
    ]


def test_without_a_code_tool_the_model_calls_the_function_that_runs_code(scene: Scene) -> None:
    """Only if it would have used the tool; no container is made either way."""
    calm = scene.ended(tools=[WEATHER, RUN_CODE])
    keen = scene.ended(tools=[WEATHER, RUN_CODE], use_tool=True)
    assert _kinds(calm) == ["message"]
    assert [item.get("name") for item in keen.items] == ["open_code_interpreter"]
    assert scene.cases() == []


def test_with_a_code_tool_it_calls_no_function(scene: Scene) -> None:
    """The real tool comes first."""
    both = scene.ended(tools=[RUN_CODE, AUTO], use_tool=True)
    assert _kinds(both) == ["code_interpreter_call", "message"]


def test_named_functions_are_called_if_they_are_offered(scene: Scene) -> None:
    """`harbour_call` names them; a preamble comes first when told so."""
    metadata = {"harbour_call": "weather,nothing", "harbour_preamble": "true"}
    called = scene.ended(tools=[WEATHER], metadata=metadata)
    assert _kinds(called) == ["message", "function_call"]


def test_a_model_that_may_call_nothing_uses_no_tool(scene: Scene) -> None:
    """Yet the container is made."""
    still = scene.ended(use_tool=True, tool_choice="none")
    assert _kinds(still) == ["message"]
    assert len(scene.cases()) == 1


@pytest.mark.parametrize("style", ["previous", "conversation", "replayed"])
def test_a_call_wants_its_output_in_each_style(scene: Scene, style: str) -> None:
    """Without it the next turn is refused; with it the model goes on to run its code."""
    conversation = scene.harbour.port.conversations.create(0, {}).id
    carried: dict[str, Any] = {"conversation": conversation} if style == "conversation" else {}
    first = scene.ended(use_tool=True, tools=[RUN_CODE], **carried)
    if style == "previous":
        carried = {"previous_response_id": first.id}
    replayed = first.items if style == "replayed" else []
    with pytest.raises(Refusal, match="No tool output found for function call"):
        scene.begin(input=[*replayed, {"role": "user", "content": "Go on"}], **carried)
    with pytest.raises(Refusal, match="No tool call found"):
        scene.begin(input=[{"type": "function_call_output", "call_id": "call_x"}], **carried)
    second = scene.ended(input=[*replayed, *_output(first)], **carried)
    assert ("code_interpreter_call" in _kinds(second)) == (style != "replayed")
