"""`/harbour/…`: the simulator's own endpoints; they count as no call and suffer no fault."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demurrage.simulator.desk import read_body
from demurrage.simulator.faults import read_fault
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.planting import read_planting
from demurrage.simulator.refusal import Refusal

Work = Callable[[Harbour, Request], Awaitable[dict[str, Any]]]


def admin_routes(harbour: Harbour) -> list[Route]:
    """The routes of truth, calls, faults, seeds and settings."""
    table: list[tuple[str, str, Work]] = [
        ("GET", "truth", _truth),
        ("GET", "calls", _calls),
        ("DELETE", "calls", _forget_calls),
        ("GET", "faults", _faults),
        ("POST", "faults", _add_faults),
        ("DELETE", "faults", _clear_faults),
        ("POST", "seed", _seed),
        ("GET", "settings", _settings),
        ("POST", "settings", _change),
    ]
    return [
        Route(f"/harbour/{path}", _endpoint(harbour, work), methods=[method])
        for method, path, work in table
    ]


def _endpoint(harbour: Harbour, work: Work) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await work(harbour, request))
        except Refusal as refusal:
            return JSONResponse(refusal.body(), refusal.status)
        except ValueError as error:
            return JSONResponse({"error": {"message": str(error)}}, 400)

    return endpoint


async def _truth(harbour: Harbour, request: Request) -> dict[str, Any]:
    return harbour.truth(containers=request.query_params.get("containers") != "false")


async def _calls(harbour: Harbour, request: Request) -> dict[str, Any]:
    limit = int(request.query_params.get("limit", "1000"))
    return {**harbour.calls.counts(), "calls": harbour.calls.latest(limit)}


async def _forget_calls(harbour: Harbour, _: Request) -> dict[str, Any]:
    harbour.calls.clear()
    return harbour.calls.counts()


async def _faults(harbour: Harbour, _: Request) -> dict[str, Any]:
    return {"faults": [rule.body() for rule in harbour.faults.rules]}


async def _add_faults(harbour: Harbour, request: Request) -> dict[str, Any]:
    body = await read_body(request)
    rules = [read_fault(rule) for rule in body.get("faults", [body])]
    harbour.faults.rules += rules
    return await _faults(harbour, request)


async def _clear_faults(harbour: Harbour, request: Request) -> dict[str, Any]:
    harbour.faults.rules.clear()
    return await _faults(harbour, request)


async def _seed(harbour: Harbour, request: Request) -> dict[str, Any]:
    return dict(harbour.seed_rows(read_planting(await read_body(request))))


async def _settings(harbour: Harbour, _: Request) -> dict[str, Any]:
    return asdict(harbour.port.settings)


async def _change(harbour: Harbour, request: Request) -> dict[str, Any]:
    return asdict(harbour.change(await read_body(request)))
