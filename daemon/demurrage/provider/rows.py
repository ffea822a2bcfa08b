"""Reads one page of the listing, and believes nothing that does not fit.

The SDK lets missing fields become None and wrong types pass. Here one bad row makes the whole
page malformed: what is not understood is not acted on.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container
from demurrage.model.listing import Failure
from demurrage.provider.answer import Answer, BrokenJsonError, NotJsonError
from demurrage.provider.faults import broken_json, fault_of, not_json
from demurrage.provider.guard import safe_id

# Seconds between 2001 and 5138: anything else is not a creation time in seconds.
_PLAUSIBLE_SECONDS = range(10**9, 10**11)
_STATUS = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Page:
    """One valid page. `has_more` is None when the API did not say so in a plain boolean.

    Rows are in the API's order; `first_id` and `last_id` may be null and are not used.
    """

    rows: tuple[Container, ...]
    has_more: bool | None


class _MalformedError(ValueError):
    """A field is missing or of the wrong type; the message names the field alone."""


def read_page(answer: Answer) -> Page | Failure:
    """The page in an answer, or why there is none."""
    if (fault := fault_of(answer)) is not None:
        return fault
    try:
        body = answer.json()
    except NotJsonError:
        return not_json(answer)
    except BrokenJsonError:
        return broken_json(answer)
    try:
        return _page(body)
    except _MalformedError as error:
        return malformed(f"the page is malformed: {error}", answer.status)


def malformed(detail: str, http_status: int | None = None) -> Failure:
    """A page that cannot be trusted."""
    return Failure(ConditionKind.MALFORMED_PAGE, detail, http_status)


def _page(body: Any) -> Page:
    if not isinstance(body, dict):
        raise _MalformedError("not an object")
    data = body.get("data")
    if not isinstance(data, list):
        raise _MalformedError("no list under data")
    rows = tuple(_row(item) for item in data)
    if len({row.id for row in rows}) != len(rows):
        raise _MalformedError("a row shows twice")
    has_more = body.get("has_more")
    return Page(rows, has_more if isinstance(has_more, bool) else None)


def _row(item: Any) -> Container:
    if not isinstance(item, dict):
        raise _MalformedError("a row is not an object")
    container_id, status = item.get("id"), item.get("status")
    if not isinstance(container_id, str) or not safe_id(container_id):
        raise _MalformedError("id")
    if not isinstance(status, str) or not _STATUS.fullmatch(status):
        raise _MalformedError("status")
    created_at = _seconds(item, "created_at")
    if created_at is None:
        raise _MalformedError("created_at")
    return Container(
        id=container_id,
        created_at=created_at,
        status=status,
        last_active_at=_seconds(item, "last_active_at"),
        tier=_text(item, "memory_limit"),
        name=_text(item, "name") or "",
        idle_expiry=_idle_expiry(item.get("expires_after")),
    )


def _seconds(item: Mapping[str, Any], name: str) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if type(value) is not int or value not in _PLAUSIBLE_SECONDS:
        raise _MalformedError(name)
    return value


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise _MalformedError(name)
    return value


def _idle_expiry(value: Any) -> float | None:
    """Seconds of idleness after which the container expires; None for any other rule."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _MalformedError("expires_after")
    minutes = value.get("minutes")
    if value.get("anchor") != "last_active_at" or minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes <= 0:
        raise _MalformedError("expires_after.minutes")
    return float(minutes) * 60
