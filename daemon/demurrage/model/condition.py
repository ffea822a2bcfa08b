"""Named states of the daemon's world that a person should be able to see."""

from dataclasses import dataclass
from enum import StrEnum


class ConditionKind(StrEnum):
    """The name under which a fault shows in `status`, in logs and in metrics."""

    # the API
    RATE_LIMITED = "rate_limited"
    SPEND_LIMIT = "spend_limit"
    OVERLOADED = "overloaded"
    UNAUTHORIZED = "unauthorized"
    MISSING_SCOPE = "missing_scope"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    NOT_JSON = "not_json"
    MALFORMED_JSON = "malformed_json"
    MALFORMED_PAGE = "malformed_page"
    ENDLESS_LISTING = "endless_listing"
    REPEATED_CURSOR = "repeated_cursor"
    LISTING_SHRANK = "listing_shrank"
    UNEXPECTED_ANSWER = "unexpected_answer"
    INVENTORY_PARTIAL = "inventory_partial"
    INVENTORY_STALE = "inventory_stale"
    # deletes
    DELETE_REFUSED = "delete_refused"
    DELETE_FAILED = "delete_failed"
    DELETED_BUT_ALIVE = "deleted_but_alive"
    REFERENCED_DELETED = "referenced_deleted"
    SECOND_REAPER = "second_reaper"
    # containers
    UNKNOWN_STATUS = "unknown_status"
    NULL_ACTIVITY = "null_activity"
    OBSERVER_EFFECT = "observer_effect"
    FOREIGN_CONTAINERS = "foreign_containers"
    UNLOGGED_MAKERS = "unlogged_makers"
    LATE_BIRTHS = "late_births"
    # evidence
    LOG_UNREADABLE = "log_unreadable"
    LOG_RESTORED = "log_restored"
    EVIDENCE_STALE = "evidence_stale"
    SEQUENCE_GAP = "sequence_gap"
    EVENT_CONFLICT = "event_conflict"
    LINE_SET_ASIDE = "line_set_aside"
    SILENT_WRITER = "silent_writer"
    EVENTS_DROPPED = "events_dropped"
    COVERAGE_BROKEN = "coverage_broken"
    NOBODY_LOGS = "nobody_logs"
    UNRETRIEVABLE_RESPONSES = "unretrievable_responses"
    # what the canary found
    ANSWER_CHANGED = "answer_changed"
    # the daemon itself
    CLOCK_JUMP = "clock_jump"
    CLOCK_UNKNOWN = "clock_unknown"
    STORE_FAILED = "store_failed"
    DISK_FULL = "disk_full"
    STORE_RESTORED = "store_restored"
    RAIL_HELD = "rail_held"
    CYCLE_FAILED = "cycle_failed"


class Severity(StrEnum):
    """How soon a person should look."""

    NOTICE = "notice"
    WARNING = "warning"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Condition:
    """One fault of one target now; `summary` says in a sentence what it is and what to do."""

    kind: ConditionKind
    target: str
    summary: str
    severity: Severity = Severity.WARNING
