"""What the rails judge a plan against: the target's own past."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# Those of an hour's figures to which a container may be told to belong more than once.
Figure = Literal["logged", "deleted"]


@dataclass(frozen=True, slots=True)
class HourTally:
    """One hour of one target, by hour of birth.

    `births`: containers first seen. `logged`: those that a logged slot accounts for.
    `deleted`: those that the daemon has deleted since, or in observe mode would have.
    """

    births: int = 0
    logged: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class RailHistory:
    """The past week by the hour (key: epoch seconds // 3600), and the recent sweeps.

    `deletes_last_hour` leaves out what went under a resumed hold: a person has answered for
    those. `born_last_hour` and `deleted_of_those` describe containers born within the last
    3,600 s. `last_sweep_at` is None before the first.
    """

    hours: Mapping[int, HourTally] = field(default_factory=dict)
    deletes_last_hour: int = 0
    born_last_hour: int = 0
    deleted_of_those: int = 0
    last_sweep_at: float | None = None
