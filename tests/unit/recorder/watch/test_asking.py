"""What a request may bring about, told from its body."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage_recorder.asking import UNKNOWN, start_of

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
    assert start_of(json.dumps({"tools": [tool]}).encode())["slots"] == slots
    found = {"type": "tool_search_output", "tools": [tool]}
    assert start_of(json.dumps({"input": ["hi", found]}).encode())["slots"] == slots


def test_a_stored_prompt_may_hold_any_tool() -> None:
    """Its tools are not shown, so it has an unknown slot beside those that are."""
    body = {"prompt": {"id": "pmpt_1"}, "tools": [{"type": CI, "container": {"type": "auto"}}]}
    assert start_of(json.dumps(body).encode())["slots"] == [UNKNOWN, slot(CI, "1g")]


@pytest.mark.parametrize("body", [None, b"", b"\xff", b"[]", b"--form", b'{"tools": ['])
def test_what_cannot_be_read_may_do_anything(body: bytes | None) -> None:
    """An unknown slot, perhaps in the background."""
    start = start_of(body)
    assert (start["slots"], start["background"]) == ([UNKNOWN], True)


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
    assert start_of(json.dumps(body).encode()) == {
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
    start = start_of(json.dumps(body).encode())
    assert prose not in json.dumps({**start, "model": ""})
    assert len(start.get("model", "")) <= 512
