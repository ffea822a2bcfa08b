"""What truly happens in a world: requests, containers, and until when each container is needed.

All times are seconds after the world's beginning, on the provider's clock.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any

from demurrage.model.event import Ending

EPOCH = 1_800_000_000.0  # the world's beginning, in epoch seconds of the provider
TARGETS = ("default", "second")


@dataclass(slots=True)
class Hand:
    """One process that logs. It says goodbye at `leaves`, or is killed at `dies`."""

    name: str
    begins: float
    leaves: float
    offset: float = 0.0
    dies: float = inf
    taken_over: float = inf
    retired: float = inf

    @property
    def works_until(self) -> float:
        """Until when it begins requests."""
        return min(self.leaves, self.dies)


@dataclass(slots=True, eq=False)
class Made:
    """One container. `until`: nobody needs it any more from then on; inf where somebody may.

    `shared`: more than one conversation has come to hold it.
    """

    id: str
    born: float
    tier: str | None
    maker: "Call | None"
    lag: float = 0.0
    name: str = "auto"
    activity: list[float] = field(default_factory=list)
    named: bool = False
    until: float = -inf
    talk: str | None = None
    shared: bool = False
    target: str = TARGETS[0]

    def last_active(self, now: float) -> float:
        """Its last activity by then."""
        return max((at for at in self.activity if at <= now), default=self.born)

    @property
    def latest(self) -> float:
        """Its last activity of all that is planned so far."""
        return max(self.activity, default=self.born)


@dataclass(slots=True, eq=False)
class Call:
    """One HTTP attempt at a response, as the server sees it and as its writer tells it.

    `creation` … `ends` are the server's; `told_at` is when its writer learns `ending`, inf where
    it never does; `settled_at` is when a person says how it ended. `sent` is when its last byte
    had reached whom its connection leads to, the API itself only where it is `direct`. An
    `opaque` one goes on from what it does not name. Of one that is told `by_id` nothing is ever
    logged but its response's id, at `known_at`; the API holds it if it was `stored`.
    """

    id: str
    hand: Hand
    talk: str
    style: str
    starts: float
    slots: list[dict[str, Any]]
    previous: str | None
    carried: tuple[str, ...]
    direct: bool
    sent: float
    creation: float
    runs: float
    output: float
    ends: float
    ending: Ending
    told_at: float
    settled_at: float = inf
    conversation: str | None = None
    opaque: bool = False
    by_id: bool = False
    stored: bool = True
    tells_creation: bool = False
    tells_output: bool = False
    target: str = TARGETS[0]
    names: list[Made] = field(default_factory=list)
    born: list[Made] = field(default_factory=list)

    @property
    def response_id(self) -> str:
        """The API's id of it."""
        return f"resp_{self.id}"

    @property
    def known_at(self) -> float:
        """When its writer has seen its id: with the first event of a stream, or a poll's answer."""
        return self.creation + 0.5

    @property
    def first_told_at(self) -> float:
        """When its writer first says anything of it."""
        return self.known_at if self.by_id else self.starts

    @property
    def done_at(self) -> float:
        """When somebody knows for certain how it ended."""
        certain = self.told_at if self.ending is not Ending.LOST else inf
        return min(certain, self.settled_at)


def call_of(response_id: str) -> str:
    """The call that a response is of."""
    return response_id.removeprefix("resp_")


@dataclass(slots=True)
class Line:
    """One event, said by `hand` at `at` (true time)."""

    hand: Hand
    at: float
    kind: str
    data: dict[str, Any]
    target: str = TARGETS[0]


@dataclass(slots=True)
class Story:
    """All that truly happens, and all that is said of it."""

    hands: list[Hand] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    made: dict[str, Made] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    over: float = 0.0
