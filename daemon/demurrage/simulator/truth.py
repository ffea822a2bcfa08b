"""What really happened in the harbour: the judge of every daemon that works there."""

from math import ceil
from typing import Any

from demurrage.model.rules import BillingRules
from demurrage.simulator.berths import Berth
from demurrage.simulator.port import Port

_BILLING = BillingRules()


def case(port: Port, berth: Berth) -> dict[str, Any]:
    """The truth about one container.

    `orphan`: a request made it, that request has ended, and no response names it. Moments are
    on the harbour's shown clock; minutes and money in nominal time, with the vendor's floor.
    """
    now, scale = port.clock.now(), port.settings.scale
    ended = berth.gone(now)
    alone = max(0.0, berth.expires_at - berth.born) * scale
    actual = max(0.0, (now if ended is None else ended[0]) - berth.born) * scale
    return {
        "id": berth.id,
        "created_at": berth.created_at,
        "born": port.clock.shown(berth.born),
        "tier": berth.tier,
        "tool": berth.tool,
        "explicit": berth.explicit,
        "planted": berth.planted,
        "made_by": berth.maker,
        "metadata": berth.metadata,
        "used_by": list(berth.used_by),
        "named_by": list(berth.named_by),
        "orphan": orphan(port, berth),
        "gone_at": None if ended is None else port.clock.shown(ended[0]),
        "gone_by": None if ended is None else ended[1],
        "deleted_at": None if berth.deleted_at is None else port.clock.shown(berth.deleted_at),
        "harm": [
            {"at": port.clock.shown(harm.at), "response_id": harm.response_id, "how": harm.how}
            for harm in berth.harms
        ],
        "age_seconds": actual,
        "minutes_alone": minutes(alone),
        "minutes_actual": minutes(actual),
        "usd_alone": usd(berth.tier, alone),
        "usd_actual": usd(berth.tier, actual),
    }


def totals(port: Port) -> dict[str, Any]:
    """The truth in figures.

    `harm` counts every need of a container that a DELETE had taken, even one that would have
    expired by then; `named_deleted` counts deleted containers that some response names, whether
    or not anybody missed them (released ones are among them).
    """
    now, scale = port.clock.now(), port.settings.scale
    cases = [case(port, berth) for berth in port.berths]
    orphans = [one for one in cases if one["orphan"]]
    deleted = [one for one in cases if one["gone_by"] == "delete"]
    return {
        "now": port.clock.shown(now),
        "scale": scale,
        "created": len(cases),
        "live": sum(one["gone_at"] is None for one in cases),
        "explicit": sum(one["explicit"] for one in cases),
        "used": sum(bool(one["used_by"]) for one in cases),
        "named": sum(bool(one["named_by"]) for one in cases),
        "orphans": len(orphans),
        "deleted": len(deleted),
        "orphans_deleted": sum(one["gone_by"] == "delete" for one in orphans),
        "orphans_deleted_before_floor": sum(
            one["gone_by"] == "delete" and one["age_seconds"] <= _BILLING.minimum for one in orphans
        ),
        "named_deleted": sum(bool(one["named_by"]) for one in deleted),
        "harm": sum(len(one["harm"]) for one in cases),
        "usd_alone": sum(one["usd_alone"] for one in cases),
        "usd_actual": sum(one["usd_actual"] for one in cases),
        "orphan_usd_alone": sum(one["usd_alone"] for one in orphans),
        "orphan_usd_actual": sum(one["usd_actual"] for one in orphans),
    }


def orphan(port: Port, berth: Berth) -> bool:
    """True for a container that a request made and that nobody ever came to name."""
    made = berth.maker is not None and not port.maker_runs(berth)
    return (made or berth.planted) and not berth.named_by


def minutes(seconds: float) -> int:
    """Billed minutes of a container that lived so long: begun ticks, never below the floor."""
    return ceil(max(seconds, _BILLING.minimum) / _BILLING.tick)


def usd(tier: str, seconds: float) -> float:
    """What that costs."""
    return minutes(seconds) * _BILLING.usd_per_minute[tier]
