"""The audit of deletes: written before the call, completed after it."""

from dataclasses import dataclass
from enum import StrEnum


class DeleteOutcome(StrEnum):
    """What the API made of a delete.

    DELETED and ALREADY_GONE (404) are done. REFUSED is `{"deleted": false}`. FAILED: nothing
    was deleted, says the answer, or the call never left. UNCERTAIN: the answer never came, or
    does not tell (a 5xx); later listings do.
    """

    DELETED = "deleted"
    ALREADY_GONE = "already_gone"
    REFUSED = "refused"
    FAILED = "failed"
    UNCERTAIN = "uncertain"

    @property
    def done(self) -> bool:
        """True when the container is gone for certain."""
        return self in (DeleteOutcome.DELETED, DeleteOutcome.ALREADY_GONE)


@dataclass(frozen=True, slots=True)
class Deletion:
    """One delete of one container, from intent to outcome."""

    id: int
    target: str
    container_id: str
    verdict_id: int
    intended_at: float
    due_at: float
    created_at: int
    tier: str | None
    verdict: str
    hold_id: str | None = None
    finished_at: float | None = None
    outcome: DeleteOutcome | None = None
    detail: str = ""
    saved_usd: float = 0.0
