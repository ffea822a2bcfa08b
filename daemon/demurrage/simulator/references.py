"""What the log is told of requests and responses: slots, ids, containers, no prose."""

from collections.abc import Iterator, Mapping
from typing import Any

from demurrage.provider.references import containers_in


def named_containers(value: Any) -> list[str]:
    """Every container that it names, sorted, each once."""
    return sorted(containers_in(value))


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
