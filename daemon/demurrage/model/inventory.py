"""What a target's listing amounts to: complete or partial, and the type says which."""

from collections.abc import Mapping
from dataclasses import dataclass

from demurrage.model.condition import ConditionKind
from demurrage.model.container import Sighting


@dataclass(frozen=True, slots=True)
class CompleteInventory:
    """Every live container of the target that was visible at `as_of`.

    Holds the gone ones too that were born recently enough to constrain the matching of
    containers to slots.
    """

    target: str
    as_of: float
    sightings: Mapping[str, Sighting]


@dataclass(frozen=True, slots=True)
class PartialInventory:
    """A listing that did not provably finish; nothing may be decided from it."""

    target: str
    as_of: float
    kind: ConditionKind
    detail: str


Inventory = CompleteInventory | PartialInventory
