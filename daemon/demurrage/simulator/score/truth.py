"""What truly happens under a load: which response makes, names and needs which container.

The daemon deletes only what nobody comes to need, so the truth does not depend on it; a
harmful delete is found by comparing with the truth, and does not change what happens after.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from random import Random

from demurrage.simulator.score.load import Load, Mode, Request

# Births were observed 1 to 7 s after the response's `created_at`, and a container can take half
# a minute to show in the list.
_BIRTH_DELAY = (1.0, 7.0)
_LISTING_LAG = 30.0
# From a request's leaving to the response's `created_at`, and the share of a response's life
# after which its first output item arrives.
_HEAD = (0.1, 0.6)
_FIRST_OUTPUT = (0.15, 0.5)

_AS_TRACED = "as in the trace"


@dataclass(slots=True)
class Box:
    """One container as it truly is.

    `activity` are the moments of its uses; `needed_until` is the end of the last response that
    names or carries it, -inf if none ever does: then it is an orphan.
    """

    id: str
    tier: str
    born: float
    visible_at: float
    maker: str
    maker_ends_at: float
    expires_at: float
    activity: list[float] = field(default_factory=list)
    needed_until: float = -inf

    @property
    def created_at(self) -> int:
        """The birth as the API shows it."""
        return int(self.born)

    @property
    def orphan(self) -> bool:
        """True when no response ever names it."""
        return self.needed_until == -inf


@dataclass(slots=True)
class Call:
    """One response as it truly runs; `names` is the container that its output names.

    `direct`: nothing lies between its application and the API.
    """

    id: str
    session: str
    begins_at: float
    created_at: float
    output_at: float
    ends_at: float
    mode: Mode
    tier: str
    slot: bool
    direct: bool = True
    carries: str | None = None
    names: str | None = None
    previous: str | None = None

    @property
    def response_id(self) -> str:
        """The id that the API gives it."""
        return f"resp_{self.id}"


@dataclass(frozen=True, slots=True)
class Truth:
    """All of it; `begins_at` and `ends_at` are epoch seconds, on the provider's clock."""

    begins_at: float
    ends_at: float
    calls: tuple[Call, ...]
    boxes: dict[str, Box]


@dataclass(slots=True)
class _Session:
    """What a session knows: answers that are under way or in, the newest container named."""

    pending: list[Call] = field(default_factory=list)
    previous: str | None = None
    named: str | None = None

    def catch_up(self, now: float) -> None:
        """Take in the answers that have come."""
        for call in sorted(self.pending, key=lambda call: call.ends_at):
            if call.ends_at <= now:
                self.previous = call.response_id
                self.named = call.names or self.named
        self.pending = [call for call in self.pending if call.ends_at > now]


@dataclass(frozen=True, slots=True)
class Habits:
    """What a load leaves open: the tool-use rate (0 to 1), how responses are had, the tiers.

    `tool_use` is None where the load says of each request whether the tool was called, and `mode`
    where it says of each how it was had. `direct`:
    applications reach the API without a proxy between.
    """

    tool_use: float | None = 0.2
    mode: Mode | None = "blocking"
    tiers: tuple[tuple[str, float], ...] = (("1g", 1.0),)
    direct: bool = True

    @property
    def tool_use_words(self) -> str:
        """The tool-use rate for people."""
        return _AS_TRACED if self.tool_use is None else f"{self.tool_use:.0%}"

    @property
    def mode_words(self) -> str:
        """How responses are had, for people."""
        return self.mode or _AS_TRACED

    def calls_tool(self, draw: float) -> bool:
        """Whether the request that drew so calls the tool."""
        return draw < (1.0 if self.tool_use is None else self.tool_use)


def lay_out(
    load: Load, habits: Habits, *, idle_expiry: float, begins_at: float, seed: int = 0
) -> Truth:
    """What truly happens under a load; always the same for the same arguments.

    Args:
        load: the requests.
        habits: what the load leaves open.
        idle_expiry: when the provider expires an idle container, seconds.
        begins_at: the load's beginning, epoch seconds.
        seed: of delays, lags and tiers.
    """
    boxes: dict[str, Box] = {}
    sessions: dict[str, _Session] = {}
    calls: list[Call] = []
    for number, request in enumerate(load.requests):
        rng = Random(f"{seed}/{number}")  # noqa: S311 - a replay repeats itself from its seed
        session = sessions.setdefault(request.session, _Session())
        call = _call(number, request, habits, begins_at, rng)
        session.catch_up(call.begins_at)
        call.previous = session.previous
        uses = request.tool != "none" and habits.calls_tool(request.draw)
        _sail(call, session, boxes, idle_expiry, rng, uses=uses, shell=request.tool == "shell")
        session.pending.append(call)
        calls.append(call)
    ends_at = max((each.expires_at for each in boxes.values()), default=begins_at)
    return Truth(begins_at, ends_at, tuple(calls), boxes)


def _call(number: int, request: Request, habits: Habits, begins_at: float, rng: Random) -> Call:
    begins = begins_at + request.start
    created = begins + min(rng.uniform(*_HEAD), request.seconds)
    ends = begins + request.seconds
    tiers, weights = zip(*habits.tiers, strict=True)
    drawn = rng.choices(tiers, weights)[0]
    return Call(
        id=f"call{number}",
        session=request.session,
        begins_at=begins,
        created_at=created,
        output_at=created + rng.uniform(*_FIRST_OUTPUT) * (ends - created),
        ends_at=ends,
        mode=request.mode or habits.mode or "blocking",
        tier=request.tier or drawn,
        slot=request.tool != "none",
        direct=habits.direct,
    )


def _sail(
    call: Call,
    session: _Session,
    boxes: dict[str, Box],
    idle_expiry: float,
    rng: Random,
    *,
    uses: bool,
    shell: bool,
) -> None:
    """Find or make the call's container, and use it or not."""
    # Drawn in any case, so that another rate finds the same births at the same times.
    delay, lag = rng.uniform(*_BIRTH_DELAY), rng.uniform(0.0, _LISTING_LAG)
    held = boxes.get(session.named) if session.named is not None else None
    box = held if held is not None and held.expires_at > call.created_at else None
    if box is not None:
        call.carries = box.id
        box.needed_until = max(box.needed_until, call.ends_at)
    elif call.slot:
        born = min(call.created_at + delay, call.output_at)
        box = Box(
            id=f"cntr_{call.id}",
            tier=call.tier,
            born=born,
            visible_at=born + lag,
            maker=call.id,
            maker_ends_at=call.ends_at,
            expires_at=int(born) + idle_expiry,
        )
        boxes[box.id] = box
    # A shell's answer names its container, used or not.
    if box is not None and call.slot and (uses or shell):
        call.names = box.id
        box.needed_until = max(box.needed_until, call.ends_at)
        if uses:
            box.activity += [call.output_at, call.ends_at]
            box.expires_at = max(box.expires_at, int(call.ends_at) + idle_expiry)


def uses_in_order(truth: Truth) -> Iterator[tuple[float, str]]:
    """All uses of all containers by their times."""
    yield from sorted((at, box.id) for box in truth.boxes.values() for at in box.activity)
