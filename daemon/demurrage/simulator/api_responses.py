"""`/v1/responses` over HTTP."""

import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from demurrage.simulator.ask import read_ask
from demurrage.simulator.desk import Body, read_body
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.paging import page_of
from demurrage.simulator.refusal import Refusal
from demurrage.simulator.stream import Event, closing, first_item, opening, the_rest
from demurrage.simulator.voyage import Voyage


async def create(harbour: Harbour, request: Request) -> Response | Body:
    """POST: blocking, streamed or in the background."""
    ask = read_ask(await read_body(request))
    voyage = harbour.port.begin(ask)
    if ask.stream:
        return StreamingResponse(_lines(harbour, voyage), media_type="text/event-stream")
    if not ask.background:
        # An early end (its container was taken) is answered early.
        await harbour.until(voyage.first_output_at)
        if not voyage.ended:
            await harbour.until(voyage.ends_at)
        lost = harbour.port.settings.lost_container
        if voyage.error is not None and lost.isdecimal():
            # The only way to fail here is to have lost the container.
            raise Refusal(int(lost), voyage.error["message"])
    return voyage.body()


async def retrieve(harbour: Harbour, request: Request) -> Body:
    """GET: the response as it stands."""
    return harbour.port.voyage(request.path_params["id"]).body()


async def cancel(harbour: Harbour, request: Request) -> Body:
    """POST …/cancel."""
    return harbour.port.cancel(request.path_params["id"]).body()


async def delete(harbour: Harbour, request: Request) -> Body:
    """DELETE: forget it."""
    response_id = request.path_params["id"]
    harbour.port.drop(response_id)
    return {"id": response_id, "object": "response", "deleted": True}


async def input_items(harbour: Harbour, request: Request) -> Body:
    """GET …/input_items: what the request replayed, without its prose."""
    voyage = harbour.port.voyage(request.path_params["id"])
    items = [
        {**item, "id": item.get("id") or f"msg_{voyage.id.removeprefix('resp_')}{place}"}
        for place, item in enumerate(voyage.ask.items)
    ]
    return page_of(items, request.query_params)


async def events(harbour: Harbour, voyage: Voyage) -> AsyncIterator[Event]:
    """The response's events, numbered, each when its time has come."""
    number = 0

    def sent(event: Event) -> Event:
        nonlocal number
        event["sequence_number"], number = number, number + 1
        return event

    await harbour.until(voyage.shown_from)
    for event in opening(voyage):
        yield sent(event)
    if voyage.status == "queued":
        await harbour.until(voyage.runs_at)
        yield sent({"type": "response.in_progress", "response": voyage.body()})
    await harbour.until(voyage.first_output_at)
    if voyage.drafts:
        for event in first_item(voyage):
            yield sent(event)
        await harbour.until(voyage.ends_at)
    if voyage.status == "completed":
        for event in the_rest(voyage):
            yield sent(event)
    for event in closing(voyage):
        yield sent(event)


async def _lines(harbour: Harbour, voyage: Voyage) -> AsyncIterator[str]:
    async for event in events(harbour, voyage):
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
