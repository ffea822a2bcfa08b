"""What is known of a target beyond its log and its listing; the store keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class BreakKind(StrEnum):
    """What makes a target's coverage partial until a person confirms it again."""

    UNSEQUENCED_SOURCE = "unsequenced_source"
    LATE_START = "late_start"
    UNKNOWN_CLOCK = "unknown_clock"
    UNACCOUNTED_USE = "unaccounted_use"
    SHARED_KEY = "shared_key"
    SHARED_PROJECT = "shared_project"


@dataclass(frozen=True, slots=True)
class CoverageBreak:
    """One breach of the operator's word; `about` names the writer, call, container or target.

    `at` is the latest provider time at which it can have happened, which may lie ahead of now.
    `position`: how far in the log reaches what it rests on, 0 where it rests on no line of it, or
    on what goes on without one.
    """

    target: str
    kind: BreakKind
    about: str
    at: float
    detail: str
    position: int = 0

    def repeats(self, known: "CoverageBreak") -> bool:
        """True where it says of the same nothing that was not in the log for the other."""
        same = (self.kind, self.about) == (known.kind, known.about)
        return same and 0 < self.position <= known.position


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """The store's word on one target.

    `coverage_since`: when `evidence.coverage = "complete"` was first true, None while it is
    partial. `breaks`: those that no person has confirmed away; `settled`: those that one has, as
    far as they can be found again. `whole_life_windows`: a late birth was seen. `distrust_before`:
    when a person last said that nothing runs any more that began before a restore, infinite while
    that is asked; births before it are beyond proof. `protected`: container ids that a person
    protects now. `retired`: writers, by source, that a person or proof of death has retired, and
    when. `proven`: since when each standing orphan or release has been proven without a break.
    `confirmed_at`: when a person last confirmed coverage; what happened before it breaks nothing
    any more. `elsewhere`: containers that another target's listing shows as well, with that
    target's name.
    """

    coverage_since: float | None = None
    breaks: tuple[CoverageBreak, ...] = ()
    settled: tuple[CoverageBreak, ...] = ()
    whole_life_windows: bool = False
    distrust_before: float | None = None
    protected: frozenset[str] = frozenset()
    retired: Mapping[str, float] = field(default_factory=dict)
    proven: Mapping[str, float] = field(default_factory=dict)
    confirmed_at: float | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @property
    def vouched_since(self) -> float | None:
        """From when on all that is born may be proven by the word that was given last, if any was.

        While the word was broken somebody may have made a container, and use it yet, without
        logging it.
        """
        since = self.coverage_since
        return None if since is None else max(since, self.confirmed_at or since)
