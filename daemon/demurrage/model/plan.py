"""What one cycle means to delete, and what the rails make of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from demurrage.model.condition import Condition
from demurrage.model.verdict import Verdict


class Mode(StrEnum):
    """OBSERVE decides and records only; ENFORCE also deletes."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class PlannedDelete:
    """One container that is due, with the estimated USD that deleting it now still saves."""

    container_id: str
    verdict: Verdict
    created_at: int
    tier: str | None
    saves_usd: float
    next_tick_at: float

    @property
    def due_at(self) -> float:
        """From when it was to be deleted."""
        return self.verdict.due_at if self.verdict.due_at is not None else float(self.created_at)


@dataclass(frozen=True, slots=True)
class Plan:
    """The due deletions of one target, the dearest waste first."""

    target: str
    made_at: float
    deletes: tuple[PlannedDelete, ...]


class Rail(StrEnum):
    """The guards that hold a sweep until a person resumes it."""

    DELETES_PER_HOUR = "deletes_per_hour"
    DELETES_PER_CYCLE = "deletes_per_cycle"
    DELETED_SHARE = "deleted_share"
    REFERENCED_DELETED = "referenced_deleted"
    SECOND_REAPER = "second_reaper"
    STORE_RESTORED = "store_restored"
    LOG_RESTORED = "log_restored"
    OBSERVER_EFFECT = "observer_effect"


# These hold one wave of deletes; the others hold the target, whatever is due.
WAVE_RAILS = frozenset({Rail.DELETES_PER_HOUR, Rail.DELETES_PER_CYCLE, Rail.DELETED_SHARE})

# A person's resume of one of these says that nothing runs any more that began before a restore.
RESTORE_RAILS = frozenset({Rail.STORE_RESTORED, Rail.LOG_RESTORED})


@dataclass(frozen=True, slots=True)
class Hold:
    """A tripped rail. It holds the whole sweep of its target until a person resumes it.

    `containers` are those that were due while it was open. `resumed_until`: a person's yes,
    good for these containers and until then; on rails that are not waves it ends the hold.
    """

    id: str
    target: str
    rail: Rail
    opened_at: float
    summary: str
    containers: frozenset[str] = frozenset()
    resumed_at: float | None = None
    resumed_until: float | None = None
    resumed_by: str | None = None
    lapsed_at: float | None = None

    @property
    def ended(self) -> bool:
        """True when it holds nothing any more and permits nothing any more."""
        return self.lapsed_at is not None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rails let through: all of the plan, what a person resumed, or nothing.

    `tripped` are rails that were exceeded now and are not yet held; `held` are the deletes that
    these or the open holds keep back, and that belong into them; `withheld` are conditions that
    stop this cycle's sweep and heal by themselves. `resumed_by` maps the containers that go by
    a person's yes to the id of the hold that it was given for.
    """

    allowed: tuple[PlannedDelete, ...]
    tripped: tuple[tuple[Rail, str], ...] = ()
    held: tuple[PlannedDelete, ...] = ()
    withheld: tuple[Condition, ...] = ()
    resumed_by: Mapping[str, str] = field(default_factory=dict)
