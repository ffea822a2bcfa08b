"""What the engine asks the store to keep, and what the store answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demurrage.model.container import Container
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.plan import PlannedDelete
from demurrage.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the daemon has read the log; `read_at` is the provider time of that reading."""

    generation: str
    position: int
    read_at: float


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict about to be recorded, with the row that it was given on."""

    container: Container
    verdict: Verdict
    decided_at: float


@dataclass(frozen=True, slots=True)
class Intent:
    """One delete about to be made."""

    planned: PlannedDelete
    verdict_id: int
    hold_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How one intended delete ended."""

    deletion_id: int
    outcome: DeleteOutcome
    finished_at: float
    detail: str = ""
    saved_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class BirthTally:
    """Births of one hour that became known or accounted for since the last cycle."""

    hour: int
    births: int = 0
    logged: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class StatusSnapshot:
    """What the engine last said of a target, as plain JSON values, and when."""

    target: str
    at: float
    status: Mapping[str, Any]

    @property
    def offset(self) -> float:
        """The provider's clock less the daemon's in seconds, 0 where nothing has told it."""
        return (self.status.get("clock") or {}).get("offset") or 0.0

    @property
    def looked_at(self) -> float | None:
        """When the target was last looked at, provider time; None where that was in doubt."""
        clock = self.status.get("clock") or {}
        told = clock.get("offset") is not None and not clock.get("jumped")
        return self.at if told else None

    def now(self, here: float) -> float:
        """Provider time by a clock that is most likely the daemon's, not before the last look."""
        return max(here + self.offset, self.looked_at or 0.0)


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did through the daemon. `what` names the act; `about` what it was done to."""

    id: int
    at: float
    by: str
    what: str
    target: str | None = None
    about: str | None = None
    detail: str = ""
