"""How patient the experiments are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds.

    Attributes:
        poll: between two listings.
        patience: how long a new container is waited for before it counts as not made; half as
            long again as the longest delay that was ever reported.
        late: a container that shows later than this is late.
        quiet: for how long an idle container is listed to see whether that keeps it active.
        tombstone: how long a deleted container may stay listed and yet be gone.
        head_start: how long a call is under way before its container is taken; a model needs some
            seconds to begin with its code.
        control: how far back the births of others are counted.
        beat: between two heartbeats.
    """

    poll: float = 5.0
    patience: float = 45.0
    late: float = 30.0
    quiet: float = 30.0
    tombstone: float = 300.0
    head_start: float = 10.0
    control: float = 600.0
    beat: float = 15.0
