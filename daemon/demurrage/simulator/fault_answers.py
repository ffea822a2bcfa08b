"""How each fault looks on the wire."""

import json
from typing import Any

from starlette.responses import HTMLResponse, JSONResponse, Response

from demurrage.simulator.faults import Fault, FaultKind
from demurrage.simulator.paging import listing
from demurrage.simulator.refusal import Refusal

_PAGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"

_REFUSALS = {
    FaultKind.RATE_LIMITED: Refusal(
        429, "Rate limit reached for requests.", code="rate_limit_exceeded", kind="requests"
    ),
    FaultKind.RATE_LIMITED_RETRY_AFTER: Refusal(
        429, "Rate limit reached for requests.", code="rate_limit_exceeded", kind="requests"
    ),
    FaultKind.SPEND_LIMIT: Refusal(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        code="insufficient_quota",
        kind="insufficient_quota",
    ),
    FaultKind.SLOW_DOWN: Refusal(
        429, "Please slow down your requests.", code="slow_down", kind="rate_limit_error"
    ),
    FaultKind.OVERLOADED: Refusal(
        503,
        "The server is currently overloaded, please try again later.",
        code="server_is_overloaded",
        kind="service_unavailable_error",
    ),
    FaultKind.MISSING_SCOPE: Refusal(
        401,
        "You have insufficient permissions for this operation. Missing scopes: "
        "api.containers.write. Check that you have the correct role.",
    ),
    FaultKind.BAD_KEY: Refusal(401, "Incorrect API key provided.", code="invalid_api_key"),
    FaultKind.SERVER_ERROR: Refusal(
        500, "The server had an error while processing your request.", kind="server_error"
    ),
}


def before(fault: Fault, *, azure: bool, container_id: str | None) -> Response | None:
    """The answer of a fault that keeps the request from being worked on, else None."""
    if fault.kind in _REFUSALS:
        refusal = _REFUSALS[fault.kind]
        headers = {}
        if fault.kind == FaultKind.RATE_LIMITED_RETRY_AFTER:
            headers["Retry-After"] = f"{fault.seconds:g}"
        return JSONResponse(refusal.body(azure=azure), refusal.status, headers)
    if fault.kind == FaultKind.HTML:
        return HTMLResponse(_PAGE)
    if fault.kind == FaultKind.DELETE_REFUSED:
        return JSONResponse({"id": container_id, "object": "container.deleted", "deleted": False})
    if fault.kind == FaultKind.DELETE_NOT_FOUND:
        missing = Refusal(404, f"Container with id '{container_id}' not found.")
        return JSONResponse(missing.body(azure=azure), 404)
    return None


def after(fault: Fault, body: dict[str, Any], cursor: str | None) -> Response:
    """What a fault makes of the true answer."""
    if fault.kind == FaultKind.LOST_ANSWER:
        return HTMLResponse("<html><h1>504 Gateway Time-out</h1></html>", 504)
    text = json.dumps(_bent(fault.kind, body, cursor))
    if fault.kind == FaultKind.TRUNCATED_JSON:
        text = text[: max(1, len(text) // 2)]
    return Response(text, media_type="application/json")


def _bent(kind: FaultKind, body: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    rows = body.get("data")
    if rows is None:
        return body
    bent = {
        FaultKind.NO_DATA: {name: value for name, value in body.items() if name != "data"},
        FaultKind.EMPTY_LIST: listing([], more=False),
        FaultKind.ENDLESS_PAGES: {**body, "has_more": True},
        FaultKind.REPEATED_CURSOR: {**body, "has_more": True, "last_id": cursor or body["last_id"]},
        FaultKind.UNKNOWN_STATUS: _rows_with(body, "status", "hibernating"),
        FaultKind.NULL_ACTIVITY: _rows_with(body, "last_active_at", None),
    }
    return bent.get(kind, body)


def _rows_with(body: dict[str, Any], name: str, value: str | None) -> dict[str, Any]:
    return {**body, "data": [{**row, name: value} for row in body["data"]]}
