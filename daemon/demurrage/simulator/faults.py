"""Faults on demand: which request gets which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from typing import Any


class FaultKind(StrEnum):
    """What can be made to go wrong."""

    RATE_LIMITED = "rate_limited"
    RATE_LIMITED_RETRY_AFTER = "rate_limited_retry_after"
    SPEND_LIMIT = "spend_limit"
    SLOW_DOWN = "slow_down"
    OVERLOADED = "overloaded"
    MISSING_SCOPE = "missing_scope"
    BAD_KEY = "bad_key"
    SERVER_ERROR = "server_error"
    HANG = "hang"
    HTML = "html"
    TRUNCATED_JSON = "truncated_json"
    NO_DATA = "no_data"
    EMPTY_LIST = "empty_list"
    ENDLESS_PAGES = "endless_pages"
    REPEATED_CURSOR = "repeated_cursor"
    DELETE_REFUSED = "delete_refused"
    DELETE_NOT_FOUND = "delete_not_found"
    DELETED_STILL_LISTED = "deleted_still_listed"
    UNKNOWN_STATUS = "unknown_status"
    NULL_ACTIVITY = "null_activity"
    LOST_ANSWER = "lost_answer"


@dataclass(slots=True)
class Fault:
    """One rule: requests that fit `match` ("DELETE /v1/containers/*") get the fault.

    Attributes:
        match: method and path, `*` for anything; paths of the Azure flavour count as `/v1/…`.
        kind: what goes wrong.
        count: how many more times, None without end.
        probability: for each fitting request.
        seconds: how long a hang lasts, or what `Retry-After` says; real seconds.
        hits: how often it struck.
    """

    match: str
    kind: FaultKind
    count: int | None = None
    probability: float = 1.0
    seconds: float = 30.0
    hits: int = field(default=0)

    def body(self) -> dict[str, Any]:
        """The rule as the admin endpoint shows it."""
        return {
            "match": self.match,
            "kind": self.kind,
            "count": self.count,
            "probability": self.probability,
            "seconds": self.seconds,
            "hits": self.hits,
        }


def read_fault(body: Mapping[str, Any]) -> Fault:
    """Read one rule.

    Raises:
        ValueError: an unknown kind, or a field of the wrong kind.
    """
    count = body.get("count")
    return Fault(
        match=str(body.get("match", "* *")),
        kind=FaultKind(body["kind"]) if "kind" in body else _no_kind(),
        count=None if count is None else int(count),
        probability=float(body.get("probability", 1.0)),
        seconds=float(body.get("seconds", 30.0)),
    )


def _no_kind() -> FaultKind:
    raise ValueError("a fault needs a kind")


class Faults:
    """The rules in force; the first that fits strikes."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.rules: list[Fault] = []

    def struck(self, method: str, path: str) -> Fault | None:
        """The fault that this request gets, counted."""
        name = f"{method} {path}"
        for rule in self.rules:
            if rule.count == 0 or not fnmatchcase(name, rule.match):
                continue
            if self._rng.random() >= rule.probability:
                continue
            if rule.count is not None:
                rule.count -= 1
            rule.hits += 1
            return rule
        return None
