"""What an answer tells of its response: ids and times, none of its prose."""

from typing import Any

from demurrage_recorder.asking import conversation_of
from demurrage_recorder.ids import LONGEST_ID, is_word

FINAL = ("completed", "failed", "incomplete", "cancelled")
_RUNNING = ("queued", "in_progress")
_NUMBERS = (int, float)
LATEST = 253_402_300_799
"""The last second of the year 9999: the event log takes no later moment."""


def response_id_of(response: Any) -> str | None:
    """The id of a response that reads as one, None for anything else."""
    if not isinstance(response, dict) or not is_word(response.get("id"), LONGEST_ID):
        return None
    found: str = response["id"]
    return found


def status_of(response: dict[str, Any]) -> str | None:
    """The status, if it is one that is known."""
    status = response.get("status")
    return status if status in FINAL or status in _RUNNING else None


def times_of(response: dict[str, Any]) -> dict[str, Any]:
    """Its times on the provider's clock, in epoch seconds, and its conversation."""
    told: dict[str, Any] = {}
    for name in ("created_at", "completed_at"):
        moment = response.get(name)
        if isinstance(moment, _NUMBERS) and 0 <= moment <= LATEST:
            told[name] = moment
    conversation = conversation_of(response)
    if conversation is not None:
        told["conversation"] = conversation
    return told
