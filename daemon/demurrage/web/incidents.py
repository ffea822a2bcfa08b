"""Incidents: conditions with their lives, as people outside call them."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query

from demurrage.model.incident import Incident
from demurrage.web.containers import ERRORS, AnId, known_target
from demurrage.web.plain import plain
from demurrage.web.problems import documented
from demurrage.web.service import Service


def incidents_router(service: Service) -> APIRouter:
    """`GET /v1/incidents`."""
    router = APIRouter(tags=["reading"])

    @router.get(
        "/v1/incidents",
        summary="Incidents that stand, and the latest that are over",
        responses=documented(*ERRORS, HTTPStatus.NOT_FOUND),
    )
    def incidents(
        target: AnId = None, limit: Annotated[int, Query(ge=0, le=500)] = 100
    ) -> dict[str, Any]:
        """`limit` bounds the past ones, newest first; those that stand are all here."""
        known_target(service, target)
        return {
            "open": [plain_incident(each) for each in service.store.open_incidents(target)],
            "past": [plain_incident(each) for each in service.store.past_incidents(target, limit)],
        }

    return router


def plain_incident(incident: Incident) -> dict[str, Any]:
    """An incident in one object."""
    own: dict[str, Any] = plain(incident)
    return {**own.pop("condition"), **own}
