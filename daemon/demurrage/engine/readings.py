"""What the daemon has read of a response, as events of its own for the log.

In the log it survives restarts and folds like everything else. Its call id is the response's own
id, so that a person can settle it by that, and its moments are the provider's time.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from demurrage.model.event import RESOLVER
from demurrage.model.resolution import ResponseReading

# `completed_at` may have been cut to whole seconds.
_CUT = 1.0


def events_of(target: str, reading: ResponseReading, *, begun: bool) -> list[dict[str, Any]]:
    """The events that a reading comes to, to be appended together.

    The start is the server's own moment, for nobody knows the client's. A response that was
    still queued when it was read may have begun right after it was asked for; one that runs had
    begun when the answer came. Of an end without a moment of its own, it is known that it had
    come by then.

    Args:
        target: whose response it is.
        reading: what was read.
        begun: True when its start is in the log already.
    """
    started = [] if begun else [_event(target, "started", reading.created_at, _start(reading))]
    response = {
        "call_id": reading.response_id,
        "response_id": reading.response_id,
        "status": reading.status,
        "created_at": reading.created_at,
        "conversation": reading.conversation,
        "containers": sorted(reading.named),
    }
    if reading.ending is None:
        queued = reading.status == "queued"
        if reading.spreads and not queued:
            # That it runs would close its window.
            response["status"] = None
        seen_at = reading.asked_at if queued else reading.answered_at
        return [*started, _event(target, "created", seen_at, response)]
    response["completed_at"] = reading.completed_at
    return [*started, _event(target, "finished", _ended_at(reading), response)]


def _start(reading: ResponseReading) -> dict[str, Any]:
    return {
        "call_id": reading.response_id,
        "slots": [
            {"tool": slot.tool, "tier": slot.tier, "container": slot.container}
            for slot in reading.slots
        ],
        "containers": sorted(reading.carried or ()),
        "previous_response_id": reading.previous_response_id,
        "conversation": reading.conversation,
        "background": reading.background or reading.spreads,
        "opaque": reading.opaque or None,
        "model": reading.model,
    }


def _ended_at(reading: ResponseReading) -> float:
    completed_at = reading.completed_at
    if completed_at is None or completed_at < reading.created_at:
        return reading.answered_at
    return min(completed_at + _CUT, reading.answered_at)


def _event(target: str, kind: str, at: float, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": RESOLVER,
        "type": f"demurrage.response.{kind}",
        "time": datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "target": target,
            **{key: value for key, value in data.items() if value is not None},
        },
    }
