"""The applications that listeners serve."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from demurrage.web.containers import containers_router
from demurrage.web.doors import Doors
from demurrage.web.events import events_router
from demurrage.web.guards import Guards, Shell
from demurrage.web.holds import holds_router
from demurrage.web.incidents import incidents_router
from demurrage.web.page import page_router
from demurrage.web.probes import probes_router
from demurrage.web.problems import HANDLERS
from demurrage.web.responses import responses_router
from demurrage.web.service import Service
from demurrage.web.status import status_router
from demurrage.web.webhooks import webhooks_router


def create_app(service: Service, doors: Doors) -> FastAPI:
    """The whole HTTP face, to be served in the event loop that the engine turns in.

    Args:
        service: the daemon behind it.
        doors: who may come in.
    """
    return assemble(
        service.version,
        doors,
        (
            events_router(service, doors),
            webhooks_router(service),
            status_router(service),
            containers_router(service),
            responses_router(service),
            incidents_router(service, doors),
            holds_router(service, doors),
            probes_router(service),
            page_router(doors),
        ),
        openapi_url="/openapi.json",
    )


def create_ops_app(service: Service, doors: Doors) -> FastAPI:
    """Probes and metrics alone, for an address that orchestrators and scrapers reach."""
    return assemble(service.version, doors, (probes_router(service),), openapi_url=None)


def assemble(
    version: str, doors: Doors, routers: Sequence[APIRouter], *, openapi_url: str | None
) -> FastAPI:
    """An application behind the guards, of these routers."""
    app = FastAPI(
        title="Demurrage",
        version=version,
        openapi_url=openapi_url,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # a redirect would repeat the request's own Host
        # Off whatever the environment says: what fails here must not leave the process that way.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    for router in routers:
        app.include_router(router)
    # The last one added is the outermost.
    app.add_middleware(Guards, doors=doors)
    app.add_middleware(Shell)
    return app
