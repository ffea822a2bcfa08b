"""What a daemon answers whose store is away: it lives, it is not ready, and why."""

import time
from collections.abc import Callable

from fastapi import APIRouter, FastAPI, Response

from demurrage.observe.metrics import CONTENT_TYPE
from demurrage.web.app import assemble
from demurrage.web.doors import Doors
from demurrage.web.probes import Well
from demurrage.web.problems import unavailable

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_waiting_app(
    version: str, since: float, exposition: Callable[[], bytes], doors: Doors
) -> FastAPI:
    """The HTTP face until the store is there. In it is nothing that only the store knows.

    Args:
        version: the daemon's.
        since: when the waiting began, on the monotonic clock.
        exposition: renders the metrics.
        doors: who may come in.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Well:
        """It waits, and that is no reason to start it again."""
        return Well()

    @router.get("/metrics")
    async def metrics() -> Response:
        """Those of the process; nothing was counted yet."""
        return Response(exposition(), headers={"Content-Type": CONTENT_TYPE})

    @router.get("/readyz")
    async def readyz() -> None:
        """Not ready; the log has the database's own words, which may hold paths."""
        reason = f"the store is away since {time.monotonic() - since:.0f} s; it is tried again"
        raise unavailable("not-ready", reason, reasons=[reason])

    @router.api_route("/{path:path}", methods=_METHODS)
    async def anything(path: str) -> None:  # noqa: ARG001 - the route names it
        """Whoever brings events is to bring them again."""
        raise unavailable("store-unavailable", "the store is away for now; try again later")

    return assemble(version, doors, (router,), openapi_url=None)
