"""What the log is told of requests and responses: slots, ids, containers, no prose."""

from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = ("container_id", "container")


def named_containers(value: Any) -> list[str]:
    """Every `cntr_…` under `container_id` or `container`, sorted, each once."""
    return sorted(set(_walk(value)))


def start_of(
    request: Mapping[str, Any], *, background: bool, labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The data of a start event for the arguments of `responses.create`."""
    return {
        "slots": list(_slots(request.get("tools", ()))),
        "containers": named_containers(request),
        "previous_response_id": request.get("previous_response_id"),
        "conversation": request.get("conversation"),
        "background": background,
        "direct": True,
        "model": request["model"],
        "labels": dict(labels or {}),
    }


def finish_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an end event for a response that came back."""
    return {
        "response_id": response["id"],
        "status": response["status"],
        "created_at": response["created_at"],
        "completed_at": response.get("completed_at"),
        "conversation": (response.get("conversation") or {}).get("id"),
        "containers": named_containers(response),
    }


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, str):
                if name in _NAMES and inner.startswith("cntr_"):
                    yield inner
            else:
                yield from _walk(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner)


def _slots(tools: Any) -> Iterator[dict[str, Any]]:
    for tool in tools:
        if tool["type"] == "code_interpreter":
            container = tool["container"]
            if isinstance(container, str):
                yield {"tool": "code_interpreter", "tier": None, "container": container}
            else:
                tier = container.get("memory_limit", "1g")
                yield {"tool": "code_interpreter", "tier": tier, "container": "auto"}
        elif tool["type"] == "shell":
            tier = tool["environment"].get("memory_limit", "1g")
            yield {"tool": "shell", "tier": tier, "container": "auto"}
