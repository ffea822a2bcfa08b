"""What a benchmark hands over: figures, each beside its limit and its rival.

A benchmark is a module of this folder with a function `measure(options)` that yields `Measured`
rows; `run.py` finds it by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


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


def figure(value: float) -> str:
    """A number with the digits that mean something."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
