"""What the canary may do at a target: list, make things, and take its own things away again.

Nothing is ever retrieved, and the gate lets no DELETE pass but of what was made here.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.provider.answer import Answer, BrokenJsonError, NotJsonError
from demurrage.provider.budget import CallBudget, Priority
from demurrage.provider.calls import Caller, Reply
from demurrage.provider.client import build_client
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.provider.deletes import Deleter
from demurrage.provider.faults import broken_json, fault_of, not_json
from demurrage.provider.guard import experiment_gate, safe_id
from demurrage.provider.pager import Pager
from demurrage.provider.rows import malformed

# A model that thinks for longer than this is of no use to an experiment, seconds.
LONGEST = 180.0


class Experimenter:
    """Speaks to one target for the canary.

    All but its listings draws on the share of the budget that reading responses has: what
    listing and deleting leave, and a quarter of the calls at most.

    Args:
        connection: how to reach the target; its beta header is not sent by itself.
        budget: shared with whatever else calls the target from this process.
        clock: the provider's clock.
        transport: an HTTP transport in place of the network's, for tests.

    Raises:
        SettingsError: the connection cannot be used.
    """

    def __init__(
        self,
        connection: Connection,
        budget: CallBudget,
        *,
        clock: HeaderClock | None = None,
        transport: Any = None,
    ) -> None:
        self.clock = clock if clock is not None else HeaderClock()
        self.made: set[str] = set()
        self._client = build_client(
            replace(connection, beta_header=""),
            transport,
            check=experiment_gate(connection.base_url, self.made),
        )
        self._quick = Caller(budget, self.clock, connection.timeout)
        self._patient = Caller(budget, self.clock, LONGEST)
        self._pager = Pager(self._quick, self._client.containers.with_raw_response.list, self.clock)

    async def read(self, down_to: float) -> Listing:
        """List what was born since a moment. Never raises for API faults."""
        return await self._pager.read((Region(down_to=down_to),))

    async def respond(
        self, request: Mapping[str, Any], leaving: Callable[[], None] = lambda: None
    ) -> Reply[Mapping[str, Any]]:
        """Send one request to the model and wait for its end; the response's JSON, or why not.

        Args:
            request: its fields.
            leaving: told when the budget has granted the call, right before it leaves.
        """
        create = self._client.responses.with_raw_response.create
        send = partial(create, **request, timeout=LONGEST)

        def nothing_hinders() -> None:
            leaving()

        reply = await self._patient.call(Priority.RESOLVE, send, _document, nothing_hinders)
        return self._own(reply)

    async def create_container(self, name: str) -> Reply[Mapping[str, Any]]:
        """Make the cheapest container there is."""
        create = self._client.containers.with_raw_response.create
        send = partial(create, name=name, extra_body={"memory_limit": "1g"})
        return self._own(await self._quick.call(Priority.RESOLVE, send, _document))

    async def create_conversation(self) -> Reply[Mapping[str, Any]]:
        """Open a conversation without items."""
        send = self._client.conversations.with_raw_response.create
        return self._own(await self._quick.call(Priority.RESOLVE, send, _document))

    async def delete_container(self, container_id: str, beta: str = "") -> DeleteAnswer:
        """Delete a container that `create_container` made; no other leaves this process.

        Args:
            container_id: which.
            beta: a value for the `OpenAI-Beta` header, none if empty.
        """
        headers = {"OpenAI-Beta": beta} if beta else {}
        delete = partial(self._client.containers.with_raw_response.delete, extra_headers=headers)
        return await Deleter(self._quick, delete).delete(container_id, lambda: None)

    async def delete_conversation(self, conversation_id: str) -> bool:
        """Delete a conversation that `create_conversation` made; True when the API took it."""
        delete = self._client.conversations.with_raw_response.delete
        send = partial(delete, conversation_id)
        reply = await self._quick.call(Priority.RESOLVE, send, _document)
        return reply.value is not None

    async def close(self) -> None:
        """Release connections."""
        await self._client.close()

    def _own(self, reply: Reply[Mapping[str, Any]]) -> Reply[Mapping[str, Any]]:
        if reply.value is not None:
            self.made.add(reply.value["id"])
        return reply


def removed(answer: DeleteAnswer) -> bool:
    """True when the API says that the container is no more."""
    return answer.outcome in (DeleteOutcome.DELETED, DeleteOutcome.ALREADY_GONE)


def _document(answer: Answer) -> Mapping[str, Any] | Failure:
    """An object that bears an id."""
    if (fault := fault_of(answer)) is not None:
        return fault
    try:
        body = answer.json()
    except NotJsonError:
        return not_json(answer)
    except BrokenJsonError:
        return broken_json(answer)
    made = body.get("id") if isinstance(body, dict) else None
    if not isinstance(made, str) or not safe_id(made):
        return malformed("the answer bears no id", answer.status)
    return {**body, "id": made}
