"""Is it alive, is it ready, what does it count."""

from collections.abc import Iterator
from http import HTTPStatus

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from demurrage.observe.metrics import CONTENT_TYPE
from demurrage.web.problems import Kind, ProblemError, documented
from demurrage.web.service import Service

_ERRORS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.INTERNAL_SERVER_ERROR,
)


class Well(BaseModel):
    """All is as it should be."""

    model_config = ConfigDict(frozen=True)

    status: str = "ok"


def probes_router(service: Service) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["operations"])

    @router.get(
        "/healthz",
        summary="Does the loop turn",
        responses=documented(*_ERRORS, HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def healthz() -> Well:
        """200 while every target's last cycle, failed ones included, ended not long ago."""
        _refuse_if("not-turning", list(standing_still(service)))
        return Well()

    @router.get(
        "/readyz",
        summary="Is the evidence fresh",
        responses=documented(*_ERRORS, HTTPStatus.SERVICE_UNAVAILABLE),
    )
    async def readyz() -> Well:
        """200 while every target's last cycle was complete, and ended not long ago."""
        _refuse_if("not-ready", [*standing_still(service), *not_fresh(service)])
        return Well()

    @router.get(
        "/metrics",
        summary="Metrics for Prometheus",
        response_class=Response,
        responses={
            200: {"description": "The metrics", "content": {"text/plain": {}}},
            **documented(*_ERRORS),
        },
    )
    async def metrics() -> Response:
        """The text format of Prometheus."""
        return Response(service.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return router


def standing_still(service: Service) -> Iterator[str]:
    """The targets whose cycles do not turn, in words."""
    for target in service.rules:
        idle, patience = service.idle_for(target), service.patience(target)
        if idle is None and service.uptime > patience:
            yield f"{target}: no cycle has ended since the start, {service.uptime:.0f} s ago"
        elif idle is not None and idle > patience:
            yield f"{target}: the last cycle ended {idle:.0f} s ago"


def not_fresh(service: Service) -> Iterator[str]:
    """The targets whose last cycle did not see all that it needs, in words."""
    for target in service.rules:
        status = service.engine.statuses.get(target)
        if status is None:
            yield f"{target}: the first cycle has not ended yet"
        elif not status.get("cycle", {}).get("complete"):
            kinds = ", ".join(sorted(str(each["kind"]) for each in status.get("conditions", ())))
            yield f"{target}: the last cycle was not complete ({kinds or 'no reason known'})"


def _refuse_if(kind: Kind, reasons: list[str]) -> None:
    if reasons:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        raise ProblemError(status, kind, "; ".join(reasons), reasons=reasons)
