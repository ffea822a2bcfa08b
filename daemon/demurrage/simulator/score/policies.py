"""What other policies would have made of the same orphans, and what harm they would have done.

All work on the truth: nobody has to be replayed to see what a script that only looks at idle
times deletes, nor what somebody who knows every container's maker would do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf

from demurrage.decide.billing import billed_usd
from demurrage.model.container import Container
from demurrage.model.rules import BillingRules
from demurrage.simulator.score.truth import Box


@dataclass(frozen=True, slots=True)
class Script:
    """The usual idle script: it lists every `every` seconds and deletes what is idle longer."""

    idle_after: float = 300.0
    every: float = 60.0

    def deletes_at(self, box: Box) -> float:
        """When it deletes a container; +inf if never."""
        marks = [float(box.created_at), *sorted(box.activity), inf]
        for last, following in pairwise(marks):
            looks_at = ceil((last + self.idle_after) / self.every) * self.every
            if looks_at < min(following, box.expires_at):
                return looks_at
        return inf


def row(box: Box) -> Container:
    """The container as the API shows it, unused."""
    return Container(box.id, box.created_at, "running", box.created_at, box.tier)


def cost(box: Box, deleted_at: float, billing: BillingRules) -> float:
    """Estimated list price of an orphan that is deleted then, or expires before."""
    return billed_usd(row(box), min(deleted_at, box.expires_at), billing)


def best_at(box: Box, billing: BillingRules) -> float:
    """When somebody who knows its maker, but not the future, deletes an orphan.

    As soon as the maker has ended without naming it; the first minutes cost the same whether
    used or not, so there is no haste before they end.
    """
    return max(box.maker_ends_at, box.created_at + billing.minimum)


def harm_of(script: Script, boxes: Iterable[Box]) -> int:
    """How many containers a script deletes that some response needs afterwards."""
    return sum(box.needed_until > script.deletes_at(box) for box in boxes)
