"""One run's tools: turns with the model and containers of its own, each logged before it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from demurrage.app.canary.diary import Diary
from demurrage.app.canary.lookout import Lookout, UnclearError
from demurrage.app.canary.pace import Pace
from demurrage.model.event import Tool
from demurrage.model.listing import DeleteAnswer, Failure
from demurrage.provider.calls import Reply
from demurrage.provider.experiments import Experimenter
from demurrage.provider.references import containers_in

TIER = "1g"
_NAME = "demurrage-canary"
# Enough for a model that thinks before it says hello; it bounds what a turn can cost.
MOST_TOKENS = 2000
# With any other status, the server may have begun all the same; so it may where a timeout, a
# conflict, or somebody in between who went away is what the answer tells of.
_REFUSALS = frozenset(range(400, 500)) - {408, 409, 499}
_ENDINGS = frozenset({"completed", "failed", "incomplete", "cancelled"})

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One response. Its output stays in memory, for the next turn, and is written down nowhere.

    `asked_at` and `answered_at` are provider time; `named` are the containers that it names and
    that its request did not.
    """

    id: str
    created_at: float
    status: str
    error: str
    asked_at: float
    answered_at: float
    named: frozenset[str]
    used: bool
    output: tuple[Body, ...] = field(repr=False)


def auto(tool: Tool) -> Body:
    """The tool as a request offers it, with a container of the API's own making."""
    if tool is Tool.SHELL:
        return {"type": "shell", "environment": {"type": "container_auto", "memory_limit": TIER}}
    return {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": TIER}}


class Bench:
    """What the experiments work with.

    Args:
        api: the target.
        diary: the log.
        model: who answers.
        pace: how patient they are.
        beta: the `OpenAI-Beta` value with which the daemon deletes.
    """

    def __init__(
        self, api: Experimenter, diary: Diary, model: str, pace: Pace, beta: str = ""
    ) -> None:
        self.api = api
        self.pace = pace
        self.beta = beta
        self._diary = diary
        self._model = model
        self._containers: set[str] = set()
        self._conversations: set[str] = set()
        self._responses: list[str] = []

    def lookout(self) -> Lookout:
        """A fresh look at the listing."""
        return Lookout(self.api, self.pace)

    async def respond(
        self,
        tool: Body,
        *,
        force: bool = False,
        leaving: Callable[[], None] = lambda: None,
        **request: Any,
    ) -> Reply[Turn]:
        """One turn with one tool.

        Args:
            tool: as in `tools`.
            force: the model must use it; else it may.
            leaving: told right before the request leaves.
            request: the rest: `input`, and how context is carried.

        Raises:
            LogUnreadableError: the turn could not be written down, so it was not taken.
        """
        call_id = str(uuid4())
        whole = {
            "model": self._model,
            "tools": [tool],
            "tool_choice": {"type": tool["type"]} if force else "auto",
            "max_output_tokens": MOST_TOKENS,
            **request,
        }
        carried = containers_in(whole)
        await self._diary.note(
            "response.started",
            call_id=call_id,
            slots=[_slot(tool)],
            containers=sorted(carried),
            previous_response_id=request.get("previous_response_id"),
            conversation=request.get("conversation"),
            model=self._model,
        )
        reply = await self.api.respond(whole, leaving)
        await self._diary.note("response.finished", call_id=call_id, **_end(reply))
        if reply.value is None:
            return Reply(None, reply.failure, reply.sent, reply.answered, reply.sent_at)
        self._responses.append(reply.value["id"])
        turn = _turn(reply.value, carried, reply.sent_at, self.api.clock.now())
        return Reply(turn, None, reply.sent, reply.answered, reply.sent_at)

    async def turn(self, tool: Body, *, force: bool = False, **request: Any) -> Turn:
        """The same where the turn has to come to a good end.

        Raises:
            UnclearError: it did not.
        """
        reply = await self.respond(tool, force=force, **request)
        if reply.value is None:
            raise UnclearError(f"the turn failed: {_why(reply.failure)}")
        if reply.value.status != "completed":
            raise UnclearError(f"the turn did not complete: {reply.value.status}")
        return reply.value

    async def container(self) -> str:
        """A container of the canary's own, by `POST /containers`.

        Raises:
            UnclearError: it could not be made.
        """
        reply = await self.api.create_container(_NAME)
        if reply.value is None:
            raise UnclearError(f"no container could be made: {_why(reply.failure)}")
        container_id: str = reply.value["id"]
        self._containers.add(container_id)
        await self._diary.note("container.created", container_id=container_id)
        return container_id

    async def conversation(self) -> str:
        """A conversation of the canary's own.

        Raises:
            UnclearError: it could not be made.
        """
        reply = await self.api.create_conversation()
        if reply.value is None:
            raise UnclearError(f"no conversation could be made: {_why(reply.failure)}")
        conversation_id: str = reply.value["id"]
        self._conversations.add(conversation_id)
        return conversation_id

    async def delete(self, container_id: str, beta: str | None = None) -> DeleteAnswer:
        """Delete a container of `container()`; by default as the daemon deletes."""
        return await self.api.delete_container(container_id, self.beta if beta is None else beta)

    async def clear_away(self) -> None:
        """End every conversation held, and take away what the canary made by name.

        What the API made for its requests is left to the daemon, which sweeps it on proof, and to
        expiry: nothing tells such a container from somebody else's beyond doubt.
        """
        for container_id in sorted(self._containers):
            await self.delete(container_id)
        for response_id in self._responses:
            await self._diary.note("conversation.ended", response_id=response_id)
        for conversation_id in sorted(self._conversations):
            await self._diary.note("conversation.ended", conversation=conversation_id)
        for conversation_id in sorted(self._conversations):
            await self.api.delete_conversation(conversation_id)


def _slot(tool: Body) -> Body:
    environment = tool.get("environment") or {}
    held = tool.get("container", environment.get("container_id"))
    named = isinstance(held, str)
    return {
        "tool": tool["type"],
        "tier": None if named else TIER,
        "container": held if named else "auto",
    }


def _end(reply: Reply[Mapping[str, Any]]) -> Body:
    """How a response ended, for the log."""
    body, failure = reply.value, reply.failure
    if body is not None:
        status = body.get("status")
        return {
            "status": status if status in _ENDINGS else "lost",
            "response_id": body["id"],
            "created_at": _number(body.get("created_at")),
            "completed_at": _number(body.get("completed_at")),
            "containers": sorted(containers_in(body)),
        }
    if not reply.sent:
        return {"status": "cancelled"}
    status = None if failure is None else failure.http_status
    if status not in _REFUSALS:
        return {"status": "lost"}
    return {"status": "refused", "http_status": status}


def _turn(body: Mapping[str, Any], carried: frozenset[str], asked: float, answered: float) -> Turn:
    output = tuple(each for each in body.get("output") or () if isinstance(each, dict))
    error = body.get("error")
    created_at = _number(body.get("created_at"))
    return Turn(
        id=body["id"],
        created_at=asked if created_at is None else created_at,
        status=str(body.get("status")) if body.get("status") in _ENDINGS else "of no known status",
        error=str(error.get("code")) if isinstance(error, Mapping) else "",
        asked_at=asked,
        answered_at=answered,
        named=containers_in(body) - carried,
        used=any(str(each.get("type")).endswith("_call") for each in output),
        output=output,
    )


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None


def _why(failure: Failure | None) -> str:
    return "no reason is known" if failure is None else failure.detail
