"""The whole case of one container: what was seen, thought and done, in order."""

from dataclasses import dataclass

from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.plan import Hold
from demurrage.model.verdict import Verdict, VerdictKind


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """One line of the verdict log, with the row's status and activity that it was given on."""

    id: int
    decided_at: float
    status: str
    last_active_at: int | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Protection:
    """A person's protection; `until` None means for ever. It may have run out already."""

    since: float
    until: float | None
    by: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What complete coverage would have said first; `refuted_at` when that proved wrong."""

    kind: VerdictKind
    predicted_at: float
    refuted_at: float | None = None


@dataclass(frozen=True, slots=True)
class ContainerEntry:
    """One container in a list, with its latest verdict if any was recorded."""

    target: str
    sighting: Sighting
    latest: VerdictRecord | None = None


@dataclass(frozen=True, slots=True)
class ContainerCase:
    """All that the store holds on one container; the oldest entry comes first everywhere.

    `sighting` is None when only the audit is left. `observed_at`: when observe mode would have
    deleted it, and `observed_usd` what that would have saved.
    """

    target: str
    container_id: str
    sighting: Sighting | None = None
    verdicts: tuple[VerdictRecord, ...] = ()
    deletions: tuple[Deletion, ...] = ()
    holds: tuple[Hold, ...] = ()
    protection: Protection | None = None
    prediction: Prediction | None = None
    observed_at: float | None = None
    observed_usd: float = 0.0
