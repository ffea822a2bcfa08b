"""Output items: what the pretended model writes."""

from typing import Any

from demurrage.simulator.ask import Berthing
from demurrage.simulator.ids import Ids

_ANSWER = "The answer is 42."
_CODE = "print(6 * 7)"


def answer(ids: Ids, container_id: str | None, *, cite: bool) -> dict[str, Any]:
    """The closing message; with `cite` it points to a file in the container."""
    annotations: list[dict[str, Any]] = []
    if cite and container_id is not None:
        annotations.append(
            {
                "type": "container_file_citation",
                "container_id": container_id,
                "file_id": ids.of("cfile"),
                "filename": "answer.txt",
                "start_index": 0,
                "end_index": len(_ANSWER),
            }
        )
    return {
        "id": ids.of("msg"),
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [
            {"type": "output_text", "text": _ANSWER, "annotations": annotations, "logprobs": []}
        ],
    }


def call(ids: Ids, slot: Berthing, container_id: str) -> list[dict[str, Any]]:
    """The finished items of one run in a container."""
    if slot.tool == "code_interpreter":
        return [
            {
                "id": ids.of("ci"),
                "type": "code_interpreter_call",
                "status": "completed",
                "code": _CODE,
                "container_id": container_id,
                "outputs": None,
            }
        ]
    call_id = ids.of("call")
    return [
        {
            "id": ids.of("sh"),
            "type": "shell_call",
            "status": "completed",
            "call_id": call_id,
            "action": {"commands": [_CODE], "max_output_length": None, "timeout_ms": None},
            "environment": {"type": "container_reference", "container_id": container_id},
        },
        {
            "id": ids.of("sho"),
            "type": "shell_call_output",
            "status": "completed",
            "call_id": call_id,
            "max_output_length": None,
            "output": [
                {"stdout": "42\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}
            ],
        },
    ]


def function_call(ids: Ids, name: str) -> dict[str, Any]:
    """A call of a function that the application is to answer."""
    return {
        "id": ids.of("fc"),
        "type": "function_call",
        "status": "completed",
        "call_id": ids.of("call"),
        "name": name,
        "arguments": "{}",
    }
