"""The last gate before the wire: only listing and deleting containers and reading responses pass.

Retrieving a container or touching its files keeps it alive and costs money. Nothing in this
room asks for that; the gate makes sure that no redirect, odd id or future edit ever does.
"""

import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from urllib.parse import urlsplit

from demurrage.model.error import DemurrageError

# Ids are `cntr_` and hex digits in every sample, but no document promises that. What matters
# is that an id is one plain path segment: it can then address nothing but its container.
_SAFE_ID = re.compile(r"[A-Za-z0-9_=-]{1,512}")


class ForbiddenCallError(DemurrageError):
    """A call was about to be sent that the daemon must never make."""


def safe_id(resource_id: str) -> bool:
    """True when the id is one plain path segment."""
    return _SAFE_ID.fullmatch(resource_id) is not None


def gate(base_url: str) -> Callable[[Any], Awaitable[None]]:
    """A request hook for the HTTP client; it raises ForbiddenCallError before anything is sent.

    Args:
        base_url: the target's base URL; only paths right below it pass.
    """
    root = urlsplit(base_url).path.rstrip("/")
    containers, responses = f"{root}/containers", f"{root}/responses"

    async def check(request: Any) -> None:
        path: str = request.url.raw_path.decode("ascii").partition("?")[0]
        listing = request.method == "GET" and path == containers
        parent, _, last = path.rpartition("/")
        deleting = request.method == "DELETE" and parent == containers and safe_id(last)
        response = path.removesuffix("/input_items")
        parent, _, last = response.rpartition("/")
        reading = request.method == "GET" and parent == responses and safe_id(last)
        if not (listing or deleting or reading):
            raise ForbiddenCallError("only listing and deleting containers is allowed")

    return check


def experiment_gate(base_url: str, made: Collection[str]) -> Callable[[Any], Awaitable[None]]:
    """The gate of the canary, which also makes things, and deletes what it made itself.

    Args:
        base_url: the target's base URL; only paths right below it pass.
        made: the ids that creating calls have returned, as of each request; nothing else can be
            deleted through this gate, whatever is asked for.
    """
    root = urlsplit(base_url).path.rstrip("/")
    rooms = {f"{root}/{each}" for each in ("containers", "conversations", "responses")}
    listed = f"{root}/containers"

    async def check(request: Any) -> None:
        path: str = request.url.raw_path.decode("ascii").partition("?")[0]
        parent, _, last = path.rpartition("/")
        listing = request.method == "GET" and path == listed
        making = request.method == "POST" and path in rooms
        unmaking = request.method == "DELETE" and parent in rooms and last in made
        if not (listing or making or (unmaking and safe_id(last))):
            raise ForbiddenCallError("the canary lists, makes, and deletes only what it made")

    return check
