"""What the daemon thinks of one container now."""

from dataclasses import dataclass
from enum import StrEnum


class VerdictKind(StrEnum):
    """The eight verdicts; `decide` gives the first that holds, in this order."""

    UNKNOWN = "unknown"
    PROTECTED = "protected"
    RELEASED = "released"
    REFERENCED = "referenced"
    EXPLICIT = "explicit"
    ORPHAN = "orphan"
    PENDING = "pending"
    UNPROVEN = "unproven"


class Code(StrEnum):
    """Why: a stable code for programs; the sentence beside it is for people."""

    STATUS_UNKNOWN = "status_unknown"
    ID_UNKNOWN = "id_unknown"
    ACTIVITY_NULL = "activity_null"
    PROTECTED_BY_PERSON = "protected_by_person"
    PROTECTED_BY_NAME = "protected_by_name"
    LINEAGES_ENDED = "lineages_ended"
    RELEASED_BY_APPLICATION = "released_by_application"
    POLICY_KEEPS = "policy_keeps"
    NAMED_BY_RESPONSE = "named_by_response"
    PINNED = "pinned"
    ACTIVE_SINCE_BIRTH = "active_since_birth"
    CREATED_BY_APPLICATION = "created_by_application"
    CREATE_UNANSWERED = "create_unanswered"
    NAME_NOT_AUTO = "name_not_auto"
    NO_REFERENCE = "no_reference"
    CANDIDATES_DONE = "candidates_done"
    MAKERS_DEDUCED = "makers_deduced"
    COUNT_FITS = "count_fits"
    RELEASE_WAITS = "release_waits"
    EVENTS_MAY_BE_LATE = "events_may_be_late"
    LOG_NOT_COMPLETE = "log_not_complete"
    RESPONSE_RUNNING = "response_running"
    RESPONSE_END_UNKNOWN = "response_end_unknown"
    BORN_BEFORE_RESTORE = "born_before_restore"
    UNDECODABLE_REFERENCE = "undecodable_reference"
    FOREIGN = "foreign"
    SUSPECT = "suspect"
    COVERAGE_PARTIAL = "coverage_partial"
    COVERAGE_BROKEN = "coverage_broken"
    BORN_BEFORE_COVERAGE = "born_before_coverage"
    UNPROVEN_DELETE = "unproven_delete"


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground of a verdict. `about` is the id (response, call, writer) that it turns on."""

    code: Code
    text: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The standing of one live container.

    `due_at` is set when the container is to be deleted, and says from when. `proven_at` is
    when the proof first held without a break since. `maker` is the call id of the response
    that most likely made it. `shadow`, under partial coverage, is what complete coverage
    would have said.
    """

    container_id: str
    kind: VerdictKind
    reasons: tuple[Reason, ...]
    due_at: float | None = None
    proven_at: float | None = None
    maker: str | None = None
    shadow: VerdictKind | None = None

    @property
    def codes(self) -> tuple[Code, ...]:
        """The reason codes, in order."""
        return tuple([reason.code for reason in self.reasons])
