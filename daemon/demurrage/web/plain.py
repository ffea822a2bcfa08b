"""Values as plain JSON data."""

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from demurrage.decide.billing import Money
from demurrage.model.advice import NEXT_STEP, runbook_of
from demurrage.model.case import VerdictRecord
from demurrage.model.container import Sighting
from demurrage.model.incident import Incident


def plain(value: Any) -> Any:
    """Dataclasses become objects, sets become sorted lists, what is not finite becomes null."""
    match value:
        case Enum():
            found = value.value
        case float():
            found = value if math.isfinite(value) else None
        case Mapping():
            found = {str(key): plain(item) for key, item in value.items()}
        case AbstractSet():
            found = sorted(plain(item) for item in value)
        case list() | tuple():
            found = [plain(item) for item in value]
        case _ if is_dataclass(value):
            found = {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            found = value
    return found


def plain_sighting(sighting: Sighting) -> dict[str, Any]:
    """A container with what the daemon knows of it, in one object."""
    own: dict[str, Any] = plain(sighting)
    row = own.pop("container")
    return {**row, **own, "alive": sighting.alive}


def plain_incident(incident: Incident, runbooks_url: str) -> dict[str, Any]:
    """An incident in one object, with what to do about it and where more is written."""
    own: dict[str, Any] = plain(incident)
    kind = incident.condition.kind
    condition = own.pop("condition")
    condition["estimated_usd_per_hour"] = condition.pop("usd_per_hour")
    return {
        **condition,
        **own,
        "open": incident.open,
        "next_step": NEXT_STEP[kind],
        "runbook": runbook_of(kind, runbooks_url),
    }


def plain_incidents(
    incidents: Iterable[Incident], conditions: Iterable[Mapping[str, Any]], runbooks_url: str
) -> list[dict[str, Any]]:
    """A target's open incidents, and what is seen now and has opened none, with a null `id`."""
    told = [plain_incident(each, runbooks_url) for each in incidents]
    known = {(each["kind"], each["scope"]) for each in told}
    return [
        *told,
        *(
            {"id": None, **each}
            for each in conditions
            if (each["kind"], each.get("scope", "")) not in known
        ),
    ]


def plain_verdict(record: VerdictRecord) -> dict[str, Any]:
    """A line of the verdict log, in one object."""
    own: dict[str, Any] = plain(record)
    verdict = own.pop("verdict")
    verdict.pop("container_id")
    return {**own, **verdict}


def plain_money(money: Money) -> dict[str, Any]:
    """An estimate as a range, and as people read it."""
    return {"low": money.low, "high": money.high, "text": str(money)}
