"""Moments and durations, as programs and as people write them."""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from demurrage.cli.exits import UsageError

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
# The names under which moments stand in plain data.
_MOMENT = re.compile(r"(?:^|_)(?:at|since|until|before|through|watermark|as_of|time)$")


def rfc3339(moment: float) -> str:
    """A moment for programs, in UTC."""
    said = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return said.replace("+00:00", "Z")


def spell_times(value: Any) -> Any:
    """Plain data with every number that is a moment by its name spelt out."""
    if isinstance(value, Mapping):
        return {name: _spelt(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [spell_times(item) for item in value]
    return value


def _spelt(name: str, item: Any) -> Any:
    number = isinstance(item, int | float) and not isinstance(item, bool)
    return rfc3339(item) if number and _MOMENT.search(name) else spell_times(item)


def local(moment: float | None) -> str:
    """A moment for people, in local time."""
    if moment is None:
        return "-"
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """A duration for people, to two units."""
    whole = round(abs(seconds))
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m"), (1, "s"))
    parts: list[str] = []
    for size, unit in units:
        count, whole = divmod(whole, size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def when(moment: float | None, now: float) -> str:
    """A moment as seen from now."""
    if moment is None:
        return "-"
    return f"{span(now - moment)} ago" if moment <= now else f"in {span(moment - now)}"


def read_until(text: str, name: str, *, now: float | None = None) -> float:
    """The moment that a person means: a duration from now, or a date and time with its zone.

    Args:
        text: what was written.
        name: the option, for the error.
        now: epoch seconds; the present if not given.

    Raises:
        UsageError: it is neither, or is not in the future.
    """
    from demurrage.app.settings_types import parse_duration

    now = time.time() if now is None else now
    try:
        moment = now + parse_duration(text)
    except ValueError:
        moment = _dated(text, name)
    if moment <= now:
        raise UsageError(f"{name}: must lie in the future")
    return moment


def _dated(text: str, name: str) -> float:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise UsageError(
            f'{name}: must be a duration like "30m", or a date and time with its zone like '
            "2026-11-30T18:00:00Z"
        )
    return read.timestamp()


def read_span(text: str, name: str) -> float:
    """A duration in seconds.

    Raises:
        UsageError: it is none.
    """
    from demurrage.app.settings_types import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
