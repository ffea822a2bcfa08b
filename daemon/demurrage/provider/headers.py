"""Headers that speak of time: `Date`, `Retry-After`, and the rate-limit family."""

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

# An answer that asks for more silence than this gets this: a typo must not stop the daemon
# for good.
LONGEST_RETRY_AFTER = 3600.0

# Go's duration notation, as the API writes it: "1s", "6m0s", "8.64s", "120ms".
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNIT = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def http_date(text: str | None) -> float | None:
    """An HTTP date in epoch seconds; None when missing or garbage."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to stay silent, from `retry-after-ms` or `Retry-After`; None when not said.

    A date counts from the same answer's `Date` header, so that no clock of ours matters.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return _bounded(milliseconds / 1000)
    text = headers.get("retry-after")
    seconds = _number(text)
    if seconds is not None:
        return _bounded(seconds)
    until, sent = http_date(text), http_date(headers.get("date"))
    return _bounded(until - sent) if until is not None and sent is not None else None


def requests_limit(headers: Mapping[str, str]) -> int | None:
    """`x-ratelimit-limit-requests`: what the organisation may send in a minute."""
    return _count(headers.get("x-ratelimit-limit-requests"))


def requests_remaining(headers: Mapping[str, str]) -> int | None:
    """`x-ratelimit-remaining-requests`."""
    return _count(headers.get("x-ratelimit-remaining-requests"))


def requests_reset(headers: Mapping[str, str]) -> float | None:
    """`x-ratelimit-reset-requests` in seconds: until the limit is whole again."""
    text = headers.get("x-ratelimit-reset-requests", "").strip()
    if _DURATION.fullmatch(text):
        parts = _DURATION_PART.findall(text)
        return _bounded(sum(float(amount) * _UNIT[unit] for amount, unit in parts))
    seconds = _number(text)
    return _bounded(seconds) if seconds is not None else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _count(text: str | None) -> int | None:
    value = _number(text)
    return int(value) if value is not None and value >= 0 else None
