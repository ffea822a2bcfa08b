"""Running totals: they only grow, and retention does not touch them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class Tally:
    """Figures of one target or one tier since the store began.

    `created`: containers seen. `referenced` and `orphans`: containers that were ever judged so.
    `swept`: deletes that are done; `swept_before_floor` of those, the ones done within the
    billing minimum. `refused` and `failed`: deletes that ended so. `observed`: containers that
    observe mode would have deleted. `predicted` and `refuted`: under partial coverage, the
    containers that complete coverage would have let go, and those where that proved wrong.
    Money is estimated USD.
    """

    created: int = 0
    referenced: int = 0
    orphans: int = 0
    swept: int = 0
    swept_before_floor: int = 0
    refused: int = 0
    failed: int = 0
    observed: int = 0
    predicted: int = 0
    refuted: int = 0
    saved_usd: float = 0.0
    observed_usd: float = 0.0

    @property
    def standing(self) -> int:
        """Predictions that nothing has proven wrong."""
        return self.predicted - self.refuted

    def __add__(self, other: "Tally") -> "Tally":
        """The sum, figure by figure."""
        return Tally(
            **{
                each.name: getattr(self, each.name) + getattr(other, each.name)
                for each in fields(Tally)
            }
        )


@dataclass(frozen=True, slots=True)
class Totals:
    """A target's totals by tier; a container whose tier is not known counts as "unknown"."""

    by_tier: Mapping[str, Tally] = field(default_factory=dict)

    @property
    def all(self) -> Tally:
        """All tiers together."""
        return sum(self.by_tier.values(), Tally())
