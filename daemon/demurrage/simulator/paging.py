"""Pages of the small lists: input items, conversation items, container files."""

from collections.abc import Mapping, Sequence
from typing import Any

from demurrage.simulator.refusal import Refusal

_MOST = 100


def read_limit(query: Mapping[str, str]) -> int:
    """The `limit` of a list request.

    Raises:
        Refusal: 400, it is not from 1 to 100.
    """
    given = query.get("limit", "20")
    if not given.isdigit() or not 1 <= int(given) <= _MOST:
        raise Refusal(400, "Invalid 'limit': must be from 1 to 100.", param="limit")
    return int(given)


def read_order(query: Mapping[str, str]) -> bool:
    """True for newest first, the default.

    Raises:
        Refusal: 400, neither asc nor desc.
    """
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise Refusal(400, "Invalid 'order': must be asc or desc.", param="order")
    return order == "desc"


def page_of(items: Sequence[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of items that are given oldest first."""
    limit = read_limit(query)
    rows = list(reversed(items)) if read_order(query) else list(items)
    after = query.get("after")
    if after is not None:
        places = [place for place, row in enumerate(rows) if row["id"] == after]
        if not places:
            raise Refusal(404, f"Item with id '{after}' not found.", param="after")
        rows = rows[places[0] + 1 :]
    return listing(rows[:limit], more=len(rows) > limit)


def listing(rows: Sequence[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    """A list object."""
    return {
        "object": "list",
        "data": list(rows),
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
        "has_more": more,
    }
