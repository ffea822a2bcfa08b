"""What one check comes to."""

from dataclasses import dataclass
from enum import StrEnum

from demurrage.model.error import DemurrageError


class Grade(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `advice` says what to do, empty where nothing is."""

    name: str
    grade: Grade
    finding: str
    advice: str = ""


def refused(name: str, error: DemurrageError) -> Check:
    """A check that an error of ours ended; its words hold the advice, too."""
    finding, _, advice = str(error).partition("; ")
    return Check(name, Grade.FAIL, finding, advice)
