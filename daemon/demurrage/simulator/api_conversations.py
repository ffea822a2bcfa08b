"""`/v1/conversations` over HTTP."""

from starlette.requests import Request

from demurrage.simulator.ask import without_prose
from demurrage.simulator.desk import Body, read_body
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.paging import listing, page_of


async def create(harbour: Harbour, request: Request) -> Body:
    """POST: a conversation, perhaps with first items."""
    body = await read_body(request)
    conversations = harbour.port.conversations
    made = conversations.create(int(harbour.clock.shown()), body.get("metadata") or {})
    conversations.extend(made.id, map(without_prose, body.get("items") or ()))
    return made.body()


async def retrieve(harbour: Harbour, request: Request) -> Body:
    """GET."""
    return harbour.port.conversations.found(request.path_params["id"]).body()


async def update(harbour: Harbour, request: Request) -> Body:
    """POST …/{id}: new metadata."""
    found = harbour.port.conversations.found(request.path_params["id"])
    found.metadata = (await read_body(request)).get("metadata") or {}
    return found.body()


async def delete(harbour: Harbour, request: Request) -> Body:
    """DELETE."""
    conversation_id = request.path_params["id"]
    harbour.port.conversations.delete(conversation_id)
    return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}


async def items(harbour: Harbour, request: Request) -> Body:
    """GET …/items."""
    found = harbour.port.conversations.found(request.path_params["id"])
    return page_of(found.items, request.query_params)


async def add_items(harbour: Harbour, request: Request) -> Body:
    """POST …/items."""
    conversations = harbour.port.conversations
    found = conversations.found(request.path_params["id"])
    body = await read_body(request)
    added = conversations.extend(found.id, map(without_prose, body.get("items") or ()))
    return listing(added, more=False)
