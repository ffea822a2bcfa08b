"""`/v1/containers` over HTTP."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from demurrage.simulator.berths import Berth
from demurrage.simulator.desk import Body, read_body
from demurrage.simulator.faults import FaultKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.paging import listing, page_of, read_limit, read_order
from demurrage.simulator.refusal import Refusal


async def listed(harbour: Harbour, request: Request) -> Body:
    """GET: one page, newest first unless told otherwise."""
    port, query, now = harbour.port, request.query_params, harbour.clock.now()
    after, fault = query.get("after"), request.state.fault
    kind = fault.kind if fault else None
    if kind == FaultKind.REPEATED_CURSOR and after:
        return listing([port.berths.found(after).row(now)], more=True)
    berths, more = port.berths.page(
        now,
        after=None if kind == FaultKind.ENDLESS_PAGES else after,
        limit=read_limit(query),
        newest_first=read_order(query),
        name=query.get("name"),
    )
    if port.settings.list_refreshes_activity:
        for berth in berths:
            if berth.gone(now) is None:
                port.quay.touch(berth, now)
    return listing([berth.row(now) for berth in berths], more=more)


async def create(harbour: Harbour, request: Request) -> Body:
    """POST: an explicit container."""
    berth = harbour.port.quay.create(await read_body(request))
    return berth.row(harbour.clock.now())


async def retrieve(harbour: Harbour, request: Request) -> Body:
    """GET: the row; looking at a live container keeps it alive."""
    berth = harbour.port.berths.found(request.path_params["id"])
    now = harbour.clock.now()
    if berth.gone(now) is None:
        harbour.port.quay.touch(berth, now)
    return berth.row(now)


async def delete(harbour: Harbour, request: Request) -> Body:
    """DELETE; there are settings under which a yes means nothing."""
    container_id, port = request.path_params["id"], harbour.port
    berth = port.berths.found(container_id)
    beta = "containers=v1" in request.headers.get("openai-beta", "")
    settings = port.settings
    if (beta or not settings.delete_needs_beta) and not settings.delete_does_nothing:
        port.delete_container(container_id)
        fault = request.state.fault
        if fault and fault.kind == FaultKind.DELETED_STILL_LISTED:
            berth.listed_until = float("inf")
    return {"id": container_id, "object": "container.deleted", "deleted": True}


async def add_file(harbour: Harbour, request: Request) -> Body:
    """POST …/files: only the size of what is sent is kept."""
    berth = _worked_with(harbour, request)
    file_id = harbour.port.ids.of("cfile")
    berth.files[file_id] = {
        "id": file_id,
        "object": "container.file",
        "container_id": berth.id,
        "created_at": int(harbour.clock.shown()),
        "bytes": len(await request.body()),
        "path": f"/mnt/data/file-{len(berth.files)}",
        "source": "user",
    }
    return berth.files[file_id]


async def files(harbour: Harbour, request: Request) -> Body:
    """GET …/files."""
    return page_of(list(_worked_with(harbour, request).files.values()), request.query_params)


async def file(harbour: Harbour, request: Request) -> Body:
    """GET …/files/{file}."""
    return _file(_worked_with(harbour, request), request)


async def content(harbour: Harbour, request: Request) -> Response:
    """GET …/files/{file}/content: as many zero bytes as were sent."""
    found = _file(_worked_with(harbour, request), request)
    return Response(bytes(found["bytes"]), media_type="application/octet-stream")


async def delete_file(harbour: Harbour, request: Request) -> Body:
    """DELETE …/files/{file}."""
    berth = _worked_with(harbour, request)
    file_id = _file(berth, request)["id"]
    del berth.files[file_id]
    return {"id": file_id, "object": "container.file.deleted", "deleted": True}


def _worked_with(harbour: Harbour, request: Request) -> Berth:
    berth = harbour.port.quay.alive(request.path_params["id"])
    harbour.port.quay.touch(berth, harbour.clock.now())
    return berth


def _file(berth: Berth, request: Request) -> dict[str, Any]:
    found = berth.files.get(request.path_params["file"])
    if found is None:
        raise Refusal(404, f"File with id '{request.path_params['file']}' not found.")
    return found
