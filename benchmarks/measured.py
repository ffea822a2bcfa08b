"""What a benchmark hands over: figures, each beside its limit and its rival.

A benchmark is a module of this folder with a function `measure(options)` that yields `Measured`
rows; `run.py` finds it by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Of a figure so many digits are shown, and not more than so many where a limit is close.
_DIGITS = 3
_MOST = 6


@dataclass(frozen=True, slots=True)
class Options:
    """How a benchmark is to be run.

    `full`: deeper, for minutes instead of seconds. `plots`: a folder for SVG files, None for none.
    """

    full: bool = False
    plots: Path | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure.

    `limit` is what it may come to at most, or at least where `at_least` is set; None where it is
    told for itself. `rival` says what stands beside it in the same run, and that one's figure.
    `detail` goes into the JSON only.
    """

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    rival: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the limit is kept; None without one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def told(self) -> str:
        """The value with its unit, and with digits enough to tell on which side of a limit it is.

        So many that what they leave out is little beside its distance to the limit.
        """
        digits = _DIGITS
        if self.limit is not None:
            apart = abs(self.value - self.limit)
            while (
                digits < _MOST and abs(float(f"{self.value:.{digits}g}") - self.value) > apart / 10
            ):
                digits += 1
        return f"{figure(self.value, digits)} {self.unit}"

    @property
    def bound(self) -> str:
        """The limit with its sign, empty without one."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {figure(self.limit, _MOST)}"


def figure(value: float, digits: int = _DIGITS) -> str:
    """A number with the digits that mean something."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"
