"""What a request may bring about, told from its body."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage_recorder.asking import UNKNOWN, Start, copied_by, start_of

from .conftest import CONTAINER

CI, SHELL = "code_interpreter", "shell"


def slot(tool: str, tier: str | None, container: str = "auto") -> dict[str, Any]:
    """A slot as the log has it."""
    return {"tool": tool, "tier": tier, "container": container}


@pytest.mark.parametrize(
    ("tool", "slots"),
    [
        ({"type": CI, "container": {"type": "auto"}}, [slot(CI, "1g")]),
        ({"type": CI, "container": {"type": "auto", "memory_limit": "64g"}}, [slot(CI, "64g")]),
        ({"type": CI, "container": {"type": "auto", "memory_limit": 4}}, [slot(CI, None)]),
        ({"type": CI, "container": {"type": "later"}}, [slot(CI, None)]),
        ({"type": CI}, [slot(CI, None)]),
        ({"type": CI, "container": CONTAINER}, [slot(CI, None, CONTAINER)]),
        ({"type": SHELL, "environment": {"type": "container_auto"}}, [slot(SHELL, "1g")]),
        (
            {"type": SHELL, "environment": {"type": "container_auto", "memory_limit": "4g"}},
            [slot(SHELL, "4g")],
        ),
        (
            {
                "type": SHELL,
                "environment": {"type": "container_reference", "container_id": CONTAINER},
            },
            [slot(SHELL, None, CONTAINER)],
        ),
        ({"type": SHELL, "environment": {"type": "local"}}, []),
        ({"type": SHELL}, [slot(SHELL, None)]),
        ({"type": "function", "name": "f"}, []),
        ({"type": "web_search_2025_08_26"}, []),
        ({"type": "computer_use_preview"}, []),
        ({"type": "quantum_interpreter"}, [UNKNOWN]),
        ({"type": 7}, [UNKNOWN]),
        ("code_interpreter", [UNKNOWN]),
    ],
)
def test_slots(tool: Any, slots: list[dict[str, Any]]) -> None:
    """Each tool that makes or names a container is a slot; a tool nobody knows may make one."""
    assert start_of(json.dumps({"tools": [tool]}).encode()).data["slots"] == slots
    found = {"type": "tool_search_output", "tools": [tool]}
    assert start_of(json.dumps({"input": ["hi", found]}).encode()).data["slots"] == slots


def test_a_stored_prompt_may_hold_any_tool() -> None:
    """Its tools are not shown, so it has an unknown slot beside those that are."""
    body = {"prompt": {"id": "pmpt_1"}, "tools": [{"type": CI, "container": {"type": "auto"}}]}
    assert start_of(json.dumps(body).encode()).data["slots"] == [UNKNOWN, slot(CI, "1g")]


@pytest.mark.parametrize("body", [None, b"", b"\xff", b"[]", b"--form", b'{"tools": ['])
def test_what_cannot_be_read_may_do_anything(body: bytes | None) -> None:
    """An unknown slot, perhaps in the background, late, or going on from anything."""
    start, at_once, spreads = start_of(body)
    assert (start["slots"], start["background"], start["opaque"]) == ([UNKNOWN], True, True)
    assert (at_once, spreads) == (False, True)


def asked(**body: Any) -> Start:
    """What a request with such a body may bring about."""
    return start_of(json.dumps(body).encode())


AUTO = {"type": CI, "container": {"type": "auto"}}
SEARCH = {"type": "tool_search", "execution": "client"}


@pytest.mark.parametrize("kind", ["item_reference", "compaction"])
def test_what_stands_for_earlier_items_hides_what_they_name(kind: str) -> None:
    """Their response and their containers are in the context, and nowhere in the request."""
    assert asked(input=["hi", {"type": kind, "id": "ci_1"}]).data["opaque"] is True
    assert "opaque" not in asked(input=[{"type": "message"}], previous_response_id="r").data


@pytest.mark.parametrize("item", [{"id": "ci_1"}, {"id": "ci_1", "type": None}])
def test_a_reference_need_not_say_that_it_is_one(item: dict[str, Any]) -> None:
    """The API asks for no type of it; a message without one has a role."""
    body = {"input": [item, {"role": "user", "content": "go on"}], "tools": [SEARCH]}
    assert asked(**body).data["opaque"] is True
    assert asked(**body).data["slots"] == [UNKNOWN]
    written = json.dumps({"items": [item]}).encode()
    assert copied_by(written) == {"slots": [], "containers": [], "opaque": True}
    spoken = {"id": "msg_1", "role": "user", "content": "go on"}
    assert "opaque" not in asked(input=[spoken]).data


@pytest.mark.parametrize(
    ("tier", "at_once"),
    [(None, True), ("default", True), ("priority", True), ("flex", False), ("later", False)],
)
def test_a_tier_in_which_a_request_may_wait(tier: str | None, *, at_once: bool) -> None:
    """Then nothing that is known of its arrival bounds when it begins."""
    assert asked(service_tier=tier, tools=[AUTO]).at_once is at_once


@pytest.mark.parametrize("agents", [{"enabled": True}, {"later": 1}, 7])
def test_agents_beside_the_first(agents: Any) -> None:
    """They make containers of their own, as long as the response runs."""
    start = asked(multi_agent=agents, tools=[AUTO])
    assert start.data["slots"] == [UNKNOWN, slot(CI, "1g")]
    assert (start.data["background"], start.spreads) == (True, True)
    alone = asked(multi_agent={"enabled": False}, tools=[AUTO])
    assert (alone.data["slots"], alone.spreads) == ([slot(CI, "1g")], False)


@pytest.mark.parametrize(
    "body",
    [
        {"previous_response_id": "resp_1", "tools": [SEARCH], "input": "plot it"},
        {"conversation": "conv_1", "tools": [SEARCH], "input": "plot it"},
        {"tools": [SEARCH], "input": [{"type": "item_reference", "id": "tso_1"}]},
        {"previous_response_id": "resp_1", "input": [{"type": "tool_search_call"}]},
        {"conversation": "conv_1", "input": [{"type": "additional_tools", "tools": []}]},
    ],
)
def test_tools_that_an_earlier_turn_has_loaded(body: dict[str, Any]) -> None:
    """They are in the context, and in no request that goes on from there."""
    assert asked(**body).data["slots"] == [UNKNOWN]


def test_a_first_turn_has_loaded_nothing() -> None:
    """It says all that it may make."""
    assert asked(tools=[SEARCH], input="plot it").data["slots"] == []
    assert asked(previous_response_id="resp_1", input="plot it").data["slots"] == []


def test_the_tools_of_a_server_make_nothing_here() -> None:
    """They bear no type, and run where they are offered."""
    listed = {"type": "mcp_list_tools", "tools": [{"name": f"t{n}"} for n in range(40)]}
    assert asked(input=[listed]).data["slots"] == []


@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
def test_lineage(conversation: Any) -> None:
    """The conversation by id or as an object, the response before, every container in sight."""
    body = {
        "model": "gpt-5",
        "conversation": conversation,
        "previous_response_id": "resp_0",
        "background": True,
        "input": [{"type": "code_interpreter_call", "container_id": CONTAINER}],
    }
    assert start_of(json.dumps(body).encode()).data == {
        "slots": [],
        "background": True,
        "containers": [CONTAINER],
        "model": "gpt-5",
        "previous_response_id": "resp_0",
        "conversation": "conv_1",
    }


@given(
    prose=st.text(alphabet="ABCXYZ ", min_size=8, max_size=40),
    model=st.none() | st.integers() | st.text(max_size=600),
)
def test_no_prose(prose: str, model: Any) -> None:
    """Whatever a person wrote stays out, and no field is more than the log takes."""
    body = {
        "model": model,
        "input": [{"role": "user", "content": prose}],
        "instructions": prose,
        "metadata": {"note": prose},
        "tools": [{"type": "function", "name": prose, "description": prose}],
    }
    start = start_of(json.dumps(body).encode()).data
    assert prose not in json.dumps({**start, "model": ""})
    assert len(start.get("model", "")) <= 512
