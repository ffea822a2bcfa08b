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
    UNKNOWN_ID = "unknown_id"
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
    # what orphans cost
    ORPHAN_RATE_FAST = "orphan_rate_fast"
    ORPHAN_RATE_SLOW = "orphan_rate_slow"
    ORPHAN_COST = "orphan_cost"
    STANDING_LEAK = "standing_leak"
    REAPER_NEVER_REAPS = "reaper_never_reaps"
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
    CYCLE_STALE = "cycle_stale"
    SINK_FAILED = "sink_failed"


class Severity(StrEnum):
    """How soon a person should look."""

    NOTICE = "notice"
    WARNING = "warning"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Cause:
    """A part of what a condition is about: `dimension` is writer, label, model or context.

    `value` is the writer's name, the label as `key=value`, the model or the context style;
    `share` (0 to 1) is the part of the condition's orphans that it accounts for.
    """

    dimension: str
    value: str
    orphans: int
    share: float


@dataclass(frozen=True, slots=True)
class Condition:
    """One fault of one target now; `summary` says in a sentence what it is and what to do.

    `scope` tells conditions of one kind and target apart: a label as `key=value`, a sink's name;
    empty where there can be only one. `causes` come dearest first. `usd_per_hour` is estimated,
    None where the condition is not about money.
    """

    kind: ConditionKind
    target: str
    summary: str
    severity: Severity = Severity.WARNING
    scope: str = ""
    causes: tuple[Cause, ...] = ()
    usd_per_hour: float | None = None
