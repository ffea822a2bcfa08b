"""The daemon's provider layer over the world's server, with the SDK or without.

Both have the real pager, deleter, budget, clock and rows. The thin one leaves out the SDK and
its HTTP library, which take most of the time and decide nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulation.server import Reply, Server

from demurrage.engine.ports import ContainersApi
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.resolution import Resolution
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.calls import Caller
from demurrage.provider.client import HTTP
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.provider.deletes import Deleter
from demurrage.provider.pager import Pager
from demurrage.provider.resolving import PAGE_SIZE, Resolver

TIMEOUT = 20.0
_MAX_PAGES = 200
_RESPONSES = "/v1/responses/"


@dataclass(frozen=True, slots=True)
class _Raw:
    """What the SDK's raw methods return, as far as the daemon looks."""

    http_response: Reply


class ThinApi:
    """One target's API without the SDK."""

    def __init__(self, server: Server, budget: CallBudget, clock: HeaderClock) -> None:
        self.clock = clock
        self._budget = budget
        caller = Caller(budget, clock, TIMEOUT)

        async def listed(*, limit: int, order: str, after: str | None = None) -> _Raw:
            assert order == "desc"
            return _Raw(await server.list(after, limit))

        async def deleted(container_id: str) -> _Raw:
            return _Raw(await server.delete(container_id))

        async def retrieved(response_id: str) -> _Raw:
            return _Raw(await server.response(response_id))

        async def items(response_id: str, *, limit: int, order: str) -> _Raw:
            assert (limit, order) == (PAGE_SIZE, "asc")
            return _Raw(await server.items(response_id))

        self._pager = Pager(caller, listed, clock, _MAX_PAGES)
        self._deleter = Deleter(caller, deleted)
        self._resolver = Resolver(caller, retrieved, items, clock)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """See ContainersApi."""
        return await self._pager.read(regions)

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """See ContainersApi."""
        return await self._deleter.delete(container_id, hindrance)

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """See ContainersApi."""
        return await self._resolver.resolve(response_id, items=items)

    def affordable(self, seconds: float) -> int:
        """See ContainersApi."""
        return self._budget.affordable(seconds)

    async def close(self) -> None:
        """Nothing is held."""


def over_sdk(
    server: Server, budget: CallBudget, clock: HeaderClock, retrieved: Callable[[str], None]
) -> ContainersApi:
    """The provider layer as it ships, over a transport that is the world's server.

    Args:
        server: answers.
        budget: of the daemon.
        clock: of the daemon.
        retrieved: told of every request about containers that is neither a list nor a delete.
    """

    async def handle(request: Any) -> Any:
        path = request.url.path
        if request.method == "GET" and path == "/v1/containers":
            query = dict(request.url.params)
            reply = await server.list(query.get("after"), int(query["limit"]))
        elif request.method == "DELETE":
            reply = await server.delete(path.rpartition("/")[2])
        elif request.method == "GET" and path.startswith(_RESPONSES):
            response_id, _, what = path.removeprefix(_RESPONSES).partition("/")
            reply = await (server.items if what else server.response)(response_id)
        else:
            retrieved(f"{request.method} {path}")
            raise HTTP.ConnectError("not served")
        return HTTP.Response(reply.status_code, headers=reply.headers, content=reply.content)

    connection = Connection("openai", "http://harbour.test/v1", "sk-world", timeout=TIMEOUT)
    return OpenAIContainers(
        connection, budget, clock=clock, max_pages=_MAX_PAGES, transport=HTTP.MockTransport(handle)
    )
