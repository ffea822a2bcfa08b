"""How the daemon and its targets stand."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from demurrage.decide.billing import money
from demurrage.model.error import LogUnreadableError, StoreFailedError
from demurrage.model.incident import Incident
from demurrage.model.rules import BillingRules
from demurrage.model.totals import Tally, Totals
from demurrage.web.plain import plain, plain_incidents, plain_money
from demurrage.web.problems import documented
from demurrage.web.service import Service


def status_router(service: Service) -> APIRouter:
    """`GET /v1/status`."""
    router = APIRouter(tags=["reading"])

    @router.get(
        "/v1/status",
        summary="How the daemon and its targets stand",
        responses=documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.MISDIRECTED_REQUEST,
            HTTPStatus.INTERNAL_SERVER_ERROR,
        ),
    )
    async def status() -> dict[str, Any]:
        """Answers even where log or store cannot be read, and says so."""
        idle = {target: service.idle_for(target) for target in service.rules}
        uptime = service.uptime
        log, kept = await asyncio.to_thread(lambda: (_log(service), _kept(service)))
        return {
            "version": service.version,
            "mode": service.mode.value,
            "at": service.clock(),
            "uptime": uptime,
            "log": log,
            "store": {"reachable": kept is not None},
            "targets": [
                _target(service, target, (kept or {}).get(target), idle[target])
                for target in sorted(service.rules)
            ],
        }

    return router


def _log(service: Service) -> dict[str, Any]:
    try:
        head = service.log.head()
    except LogUnreadableError:
        return {"reachable": False, "generation": None, "position": None}
    return {"reachable": True, "generation": head.generation, "position": head.position}


_Kept = tuple[Totals, Sequence[Incident]]


def _kept(service: Service) -> dict[str, _Kept] | None:
    """By target, what the store holds; None if it cannot be read."""
    store = service.store
    try:
        return {
            target: (store.totals(target, rules.billing.minimum), store.open_incidents(target))
            for target, rules in service.rules.items()
        }
    except StoreFailedError:
        return None


def _target(
    service: Service, target: str, kept: _Kept | None, idle: float | None
) -> dict[str, Any]:
    own: dict[str, Any] = plain(service.engine.statuses.get(target, {"cycle": None}))
    billing = service.rules[target].billing
    totals, incidents = kept or (None, ())
    conditions = own.pop("conditions", [])
    return {
        "target": target,
        "mode": service.mode.value,
        **own,
        "incidents": plain_incidents(incidents, conditions, service.runbooks_url),
        "turned_ago": idle,
        "budget": plain(service.budget(target)),
        "totals": plain_totals(totals, billing) if totals is not None else None,
    }


def plain_totals(totals: Totals, billing: BillingRules) -> dict[str, Any]:
    """A target's running totals, with money as ranges."""
    return {
        **_figures(totals.all, billing),
        "by_tier": {
            tier: _figures(tally, billing) for tier, tally in sorted(totals.by_tier.items())
        },
    }


def _figures(tally: Tally, billing: BillingRules) -> dict[str, Any]:
    figures = asdict(tally)
    saved, observed = figures.pop("saved_usd"), figures.pop("observed_usd")
    return {
        **figures,
        "standing": tally.standing,
        "saved": plain_money(money(saved, billing, used=False)),
        "would_have_saved": plain_money(money(observed, billing, used=False)),
    }
