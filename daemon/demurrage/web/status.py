"""How the daemon and its targets stand."""

import asyncio
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from demurrage.decide.billing import money
from demurrage.model.error import LogUnreadableError, StoreFailedError
from demurrage.model.rules import BillingRules
from demurrage.model.totals import Tally, Totals
from demurrage.web.plain import plain, plain_money
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
        log, totals = await asyncio.to_thread(lambda: (_log(service), _totals(service)))
        return {
            "version": service.version,
            "mode": service.mode.value,
            "at": service.clock(),
            "uptime": uptime,
            "log": log,
            "store": {"reachable": totals is not None},
            "targets": [
                _target(service, target, (totals or {}).get(target), idle[target])
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


def _totals(service: Service) -> dict[str, Totals] | None:
    try:
        return {
            target: service.store.totals(target, rules.billing.minimum)
            for target, rules in service.rules.items()
        }
    except StoreFailedError:
        return None


def _target(
    service: Service, target: str, totals: Totals | None, idle: float | None
) -> dict[str, Any]:
    own: dict[str, Any] = plain(service.engine.statuses.get(target, {"cycle": None}))
    billing = service.rules[target].billing
    # To people who look from outside, a standing condition is an incident.
    incidents = own.pop("conditions", [])
    return {
        "target": target,
        "mode": service.mode.value,
        **own,
        "incidents": incidents,
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
