"""The parameters of one world: everything else follows from them and the seed."""

from argparse import ArgumentTypeError
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Literal

from tests.simulation.faults import FAULTS

Wire = Literal["thin", "sdk"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is drawn from a seed, and what a reduction makes smaller.

    `rate` is containers born a second, over all `targets`, of which there are one or two; `use`
    the share of turns that use the tool; `long_share` that of turns that run for minutes; `ends`
    that of conversations that end. `turns` is how many more than one a conversation has at most,
    and `pause` the usual seconds between two of them; `retention` the seconds for which the daemon
    keeps the log, 0 for as long as it does unasked. `forks` is how often a turn, or a
    conversation's end, is where another one takes over what it holds. `ids` is the share of calls
    with an early id of which nothing but that is logged. `faults` are switched on; `fury`
    multiplies how often they strike; `calm` are seconds at the end without new ones, in which the
    daemon has to catch up; under `early_calm` they begin with the last birth, while much is yet to
    become due. `page` is how many rows the API shows at most.
    `mode`, `proof`, `coverage` and the rest are the daemon's settings; a `share_cap` of 0 is its
    own idea of what share of the newborn may be deleted.
    """

    seed: int = 0
    containers: int = 1000
    rate: float = 1.0
    writers: int = 3
    targets: int = 1
    use: float = 0.3
    long_share: float = 0.1
    ends: float = 0.5
    turns: int = 12
    pause: float = 40.0
    retention: float = 0.0
    forks: float = 0.0
    ids: float = 0.0
    calm: float = 600.0
    faults: frozenset[str] = field(default_factory=frozenset)
    fury: float = 1.0
    wire: Wire = "thin"
    mode: str = "enforce"
    proof: str = "strict"
    coverage: str = "complete"
    interval: float = 10.0
    requests_per_minute: int = 600
    early_calm: bool = False
    page: int = 100
    free_grace: bool = True
    tight_rails: bool = False
    share_cap: float = 0.0

    @property
    def horizon(self) -> float:
        """Seconds within which conversations begin."""
        return self.containers / self.rate


def draw(seed: int, containers: int) -> Shape:
    """The world of a seed: settings that users have, and faults inside the assumptions.

    Every tenth world has no fault at all, and has to be perfect.

    Args:
        seed: which world.
        containers: how many containers are born in it, about.
    """
    dice = Random(f"shape/{seed}")
    inside = sorted(name for name, fault in FAULTS.items() if fault.inside)
    share = dice.choice([0.15, 0.3, 0.5])
    chosen = frozenset(name for name in inside if dice.random() < share)
    faults = chosen if seed % 10 else frozenset()
    shape = Shape(
        seed=seed,
        containers=containers,
        calm=450.0,
        rate=dice.choice([1.0, 3.0, 4.0, 6.0, 8.0]),
        writers=dice.choice([1, 2, 3, 5]),
        targets=2 if seed % 8 in (2, 5) else 1,
        use=dice.choice([0.04, 0.2, 0.3, 0.5, 0.83]),
        long_share=dice.choice([0.0, 0.03, 0.1]),
        ends=dice.choice([0.2, 0.5, 0.9]),
        faults=faults,
        wire="sdk" if seed % 20 == 7 else "thin",
        mode="observe" if seed % 25 == 11 else "enforce",
        proof="deduced" if seed % 2 else "strict",
        coverage="partial" if seed % 25 == 13 else "complete",
        interval=dice.choice([10.0, 20.0, 20.0, 20.0, 30.0, 30.0, 30.0]),
        early_calm=dice.random() < 0.4,
        requests_per_minute=dice.choice([60, 200, 600, 1200]),
        page=dice.choice([100, 100, 100, 40]),
        free_grace=dice.random() < 0.6,
        tight_rails=dice.random() < 0.15,
        ids=0.2 if seed % 4 == 2 else 0.0,
    )
    # A lazy provider makes no container for a turn that does not use it: where few do, a world
    # is nearly all requests.
    return replace(shape, use=max(shape.use, 0.4)) if "lazy" in faults else shape


def lasting(seed: int) -> Shape:
    """The hours of a seed: conversations go on and are taken over, and the log is short.

    A container that is in use for longer than anything is kept is what these worlds are about.

    Args:
        seed: which world; its faults and settings are those of the same seed's lively one.
    """
    drawn = draw(seed, 150)
    return replace(
        drawn,
        rate=0.012,
        use=max(0.08, drawn.use / 5),
        turns=250,
        pause=150.0,
        retention=600.0,
        forks=0.06,
        ids=0.2 if seed % 2 else 0.0,
        interval=30.0,
    )


def smaller(shape: Shape) -> list[Shape]:
    """Worlds that are simpler by one step each, the biggest steps first."""
    found = [
        replace(shape, containers=max(1, int(shape.containers * share)))
        for share in (0.1, 0.25, 0.5, 0.75, 0.9)
        if int(shape.containers * share) < shape.containers
    ]
    names = sorted(shape.faults)
    if len(names) > 2:
        halves = (names[: len(names) // 2], names[len(names) // 2 :])
        found += [replace(shape, faults=frozenset(half)) for half in ([], *halves)]
    found += [replace(shape, faults=shape.faults - {name}) for name in names]
    plain = Shape(
        seed=shape.seed,
        writers=1,
        targets=1,
        long_share=0.0,
        ends=0.0,
        calm=shape.calm,
        containers=shape.containers,
        rate=shape.rate,
    )
    for name in (
        "wire",
        "targets",
        "writers",
        "long_share",
        "tight_rails",
        "free_grace",
        "proof",
        "forks",
        "ids",
        "retention",
    ):
        value = getattr(plain, name)
        if getattr(shape, name) != value:
            found.append(replace(shape, **{name: value}))
    return found


def command(shape: Shape) -> str:
    """What repeats exactly this world."""
    said = []
    usual = Shape()
    for each in fields(shape):
        value = getattr(shape, each.name)
        if value != getattr(usual, each.name):
            text = ",".join(sorted(value)) if isinstance(value, frozenset) else value
            said.append(f"{each.name}={text}")
    return "python -m tests.simulation --shape '" + " ".join(said) + "'"


def seeds_of(text: str) -> range:
    """The seeds that `7` or `1..100` names.

    Raises:
        ArgumentTypeError: it names none.
    """
    first, _, last = text.partition("..")
    if first.isdecimal() and (last or first).isdecimal() and int(first) <= int(last or first):
        return range(int(first), int(last or first) + 1)
    raise ArgumentTypeError(f"{text!r} is neither a seed nor a range such as 1..100")


def parse(text: str) -> Shape:
    """A shape from `name=value` pairs, as `command` prints them.

    Raises:
        ValueError: a name or value is not one of a shape.
    """
    changes: dict[str, object] = {}
    usual = Shape()
    for pair in text.split():
        name, _, value = pair.partition("=")
        known = getattr(usual, name, None)
        if known is None or name == "horizon":
            raise ValueError(f"{name!r} is no parameter of a shape")
        if isinstance(known, frozenset):
            names = frozenset(each for each in value.split(",") if each)
            if unknown := names - FAULTS.keys():
                raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
            changes[name] = names
        elif isinstance(known, bool):
            changes[name] = value == "True"
        else:
            changes[name] = type(known)(value)
    return replace(usual, **changes)  # type: ignore[arg-type]  # checked above
