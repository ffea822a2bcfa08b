"""Rows with a past, for whoever surveys a project that has run for a while."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from demurrage.simulator.ask import TIERS
from demurrage.simulator.port import Port
from demurrage.simulator.settings import Span

_DAY = 86_400.0
# A used row was active for at least so many seconds: no reader may take it for unused.
_USE = 5.0


@dataclass(frozen=True, slots=True)
class Planting:
    """What to plant.

    Attributes:
        expired: how many expired rows, born within `expired_age` seconds ago.
        live: how many live ones.
        used_share: how many of each were used, from 0 to 1, exactly to the nearest row.
        tiers: relative weights.
        expired_age: youngest and oldest birth of an expired row, in seconds ago.
        live_age: the same for live rows; an unused one is never older than the idle expiry.
    """

    expired: int = 0
    live: int = 0
    used_share: float = 0.5
    tiers: Mapping[str, float] = field(default_factory=lambda: {"1g": 1.0})
    expired_age: Span = (3_600.0, 7 * _DAY)
    live_age: Span = (10.0, 1_000.0)


def read_planting(body: Mapping[str, Any]) -> Planting:
    """Read what the admin endpoint was sent.

    Raises:
        ValueError: a field is unknown or of the wrong kind.
    """
    fields = dict(body)
    for name in ("expired_age", "live_age"):
        if name in fields:
            low, high = fields[name]
            fields[name] = (float(low), float(high))
    try:
        planting = Planting(**fields)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if not set(planting.tiers) <= set(TIERS):
        raise ValueError(f"tiers are {', '.join(TIERS)}")
    return planting


def plant(port: Port, planting: Planting) -> dict[str, int]:
    """Plant; returns how many expired, live and used rows came of it."""
    rng, idle = port.rng, port.settings.idle_expiry / port.settings.scale
    tiers, weights = list(planting.tiers), list(planting.tiers.values())
    counts = {"expired": planting.expired, "live": planting.live, "used": 0}
    for used in _uses(planting.expired, planting.used_share):
        age = max(rng.uniform(*planting.expired_age), idle + _USE + 1.0)
        longest = max(_USE, min(idle, age - idle - 1.0))
        active = rng.uniform(_USE, longest) if used else 0.0
        tier = rng.choices(tiers, weights)[0]
        port.quay.plant(age=age, active_for=active, idle_for=age - active, tier=tier)
        counts["used"] += used
    for used in _uses(planting.live, planting.used_share):
        age = rng.uniform(*planting.live_age)
        if not used:
            age = min(age, 0.9 * idle)
        quiet = rng.uniform(0.0, 0.5) * min(age, 0.9 * idle)
        tier = rng.choices(tiers, weights)[0]
        port.quay.plant(age=age, active_for=age - quiet if used else 0.0, idle_for=quiet, tier=tier)
        counts["used"] += used
    return counts


def _uses(count: int, share: float) -> Iterator[bool]:
    return (index < round(count * share) for index in range(count))
