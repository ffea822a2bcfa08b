"""What an experiment of the canary has found out about a provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Answer(StrEnum):
    """How a question came out. UNCLEAR: nothing may be concluded, in either direction."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


Figure = float | int | str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question at one target.

    `says` is the answer in a few words, which are the same whenever it is the same: together with
    `answer` it is what is compared from run to run. `figures` are what was observed, durations in
    seconds; they change from run to run. `at` is provider time.
    """

    question: str
    answer: Answer
    says: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    at: float = 0.0

    @property
    def clear(self) -> bool:
        """True when something may be concluded."""
        return self.answer is not Answer.UNCLEAR

    @property
    def words(self) -> str:
        """The answer in a line."""
        return f"{self.answer}: {self.says}" if self.says else str(self.answer)

    def agrees(self, other: "Finding") -> bool:
        """True when both say the same, whatever was measured."""
        return (self.answer, self.says) == (other.answer, other.says)


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A finding as it is kept.

    `changed_from` is the clear answer before, in words, where this one differs; `acknowledged_at`
    is when a person has taken note of that.
    """

    finding: Finding
    changed_from: str | None = None
    acknowledged_at: float | None = None

    @property
    def open_change(self) -> bool:
        """True while the answer has changed and nobody has taken note."""
        return self.changed_from is not None and self.acknowledged_at is None
