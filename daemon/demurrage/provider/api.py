"""One target's API, as the engine wants it: its containers, and its responses to read."""

from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property, partial
from operator import attrgetter
from typing import Any

from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.resolution import Resolution
from demurrage.provider.budget import BudgetSnapshot, CallBudget
from demurrage.provider.calls import Caller, OnCall
from demurrage.provider.client import build_client
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.provider.deletes import Deleter
from demurrage.provider.pager import MAX_PAGES, Pager
from demurrage.provider.resolving import Resolver


class OpenAIContainers:
    """Lists and deletes the containers of one target and reads its responses, no more.

    Args:
        connection: how to reach the target.
        budget: shared by the targets of one budget group.
        clock: the provider's clock; its own sources of time by default.
        on_call: told of every call that was sent: kind, outcome, seconds.
        max_pages: pages of one region after which a listing counts as endless.
        transport: an HTTP transport in place of the network's, for tests and simulations.

    Raises:
        SettingsError: the connection cannot be used.
    """

    def __init__(
        self,
        connection: Connection,
        budget: CallBudget,
        *,
        clock: HeaderClock | None = None,
        on_call: OnCall | None = None,
        max_pages: int = MAX_PAGES,
        transport: Any = None,
    ) -> None:
        self._budget = budget
        self._clock = clock if clock is not None else HeaderClock()
        client = build_client(connection, transport)
        self._closers: list[Callable[[], Awaitable[None]]] = [client.close]
        if hasattr(connection.api_key, "aclose"):
            self._closers.append(connection.api_key.aclose)
        # Of the SDK nothing else is ever held: two methods for containers, the way to responses.
        raw = client.containers.with_raw_response
        caller = Caller(budget, self._clock, connection.timeout, on_call)
        self._pager = Pager(caller, raw.list, self._clock, max_pages)
        self._deleter = Deleter(caller, raw.delete)
        self._caller, self._responses = caller, partial(attrgetter("responses"), client)

    @cached_property
    def _resolver(self) -> Resolver:
        """Made once a response is to be read: the SDK's part for it takes megabytes."""
        responses = self._responses()
        return Resolver(
            self._caller,
            responses.with_raw_response.retrieve,
            responses.input_items.with_raw_response.list,
            self._clock,
        )

    @property
    def clock(self) -> HeaderClock:
        """The provider's clock."""
        return self._clock

    @property
    def budget(self) -> BudgetSnapshot:
        """The call budget's figures now."""
        return self._budget.snapshot()

    async def read(self, regions: Sequence[Region]) -> Listing:
        """Read stretches of the listing, several at a time. Never raises for API faults."""
        return await self._pager.read(regions)

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None] = lambda: None
    ) -> DeleteAnswer:
        """Delete one container and read the answer's body. Never raises for API faults.

        Args:
            container_id: which.
            hindrance: asked right before the call leaves, after its wait in the budget; what it
                names keeps it from being sent, and is the answer's failure.
        """
        return await self._deleter.delete(container_id, hindrance)

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """Read a response, and its input items if asked. Never raises for API faults."""
        return await self._resolver.resolve(response_id, items=items)

    def affordable(self, seconds: float) -> int:
        """How many calls the budget would grant within so many seconds from now."""
        return self._budget.affordable(seconds)

    async def close(self) -> None:
        """Release connections, the identity service's too."""
        for closer in self._closers:
            await closer()
