"""Applications at work: conversations with the real SDK against the harbour, all logged."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, OpenAIError

from demurrage.simulator.logged import CallFailed, logged_call
from demurrage.simulator.plans import Habits, Talk, Turn, talk
from demurrage.simulator.writer import Writer

_MODEL = "gpt-5"
# The mean number of turns of a conversation, by the shape in `plans`.
_TURNS = 2.2


@dataclass(frozen=True, slots=True)
class Application:
    """One application; without a writer its requests are not logged."""

    name: str
    writer: Writer | None


@dataclass(slots=True)
class Exchange:
    """What a conversation carries from turn to turn."""

    application: Application
    items: list[dict[str, Any]] = field(default_factory=list)
    previous: str | None = None
    last: str | None = None
    conversation: str | None = None
    container: str | None = None


class Workload:
    """Conversations that begin at random, at a steady mean rate.

    Args:
        base_url: the harbour's API root, with `/v1`.
        applications: conversations go to them in turn.
        api_key: any; the harbour records its callers by key.
        seed: what is asked, and when, follows from it.
        requests_per_minute: the mean, in real minutes.
        scale: the harbour's; divides the pauses between turns.
        habits: shares of tools, tiers and endings.
        most_talks: how many conversations may be under way at once.
    """

    def __init__(
        self,
        base_url: str,
        applications: Sequence[Application],
        *,
        api_key: str = "workload",
        seed: int = 0,
        requests_per_minute: float = 60.0,
        scale: float = 1.0,
        habits: Habits | None = None,
        most_talks: int = 500,
    ) -> None:
        self.habits = habits or Habits()
        self.counters: Counter[str] = Counter()
        self._base_url = base_url
        self._api_key = api_key
        self._applications = tuple(applications)
        self._seed = seed
        self._gap = 60.0 * _TURNS / requests_per_minute
        self._scale = scale
        self._most_talks = most_talks

    async def run(self, stop: asyncio.Event, talks: int | None = None) -> None:
        """Hold conversations until `stop`, or until `talks` of them are over.

        The writers are run by it too; on a stop, what is under way is cut off as `lost`.
        """
        quiet = asyncio.Event()
        rng = Random(self._seed)  # noqa: S311 - a workload repeats itself from its seed
        writers = {app.writer for app in self._applications if app.writer is not None}
        # Every attempt is a call of its own in the log, hence no retries inside the SDK.
        client = AsyncOpenAI(
            base_url=self._base_url,
            api_key=self._api_key,
            max_retries=0,
            # The harbour is on this machine, whatever proxy the environment names.
            http_client=DefaultAsyncHttpxClient(trust_env=False),
        )
        async with client, asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.run(quiet))
            under_way: set[asyncio.Task[None]] = set()
            for number in count() if talks is None else range(talks):
                if stop.is_set():
                    break
                if len(under_way) < self._most_talks:
                    task = group.create_task(self._hold(client, number))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                await _pause(stop, rng.expovariate(1 / self._gap))
            await _over(stop, under_way)
            quiet.set()

    async def _hold(self, client: AsyncOpenAI, number: int) -> None:
        plan = talk(self._seed, number, self.habits)
        application = self._applications[number % len(self._applications)]
        exchange = Exchange(application)
        self.counters["talks"] += 1
        try:
            await self._prepare(client, plan, exchange)
            for turn in plan.turns:
                await asyncio.sleep(turn.pause / self._scale)
                await self._take(client, plan, turn, exchange)
        except CallFailed:
            self.counters["talks_broken"] += 1
        except OpenAIError:
            self.counters["talks_not_begun"] += 1
            return
        if plan.ends:
            self._end(exchange)

    async def _prepare(self, client: AsyncOpenAI, plan: Talk, exchange: Exchange) -> None:
        if plan.explicit:
            made = await client.containers.create(
                name=f"talk-{plan.number}", extra_body={"memory_limit": plan.tier}
            )
            exchange.container = made.id
            self.counters["explicit"] += 1
            _note(exchange, "container.created", container_id=made.id)
        if plan.style == "conversation":
            exchange.conversation = (await client.conversations.create()).id

    async def _take(self, client: AsyncOpenAI, plan: Talk, turn: Turn, exchange: Exchange) -> None:
        uses_tool = turn.uses_tool(self.habits)
        asked = {"type": "message", "role": "user", "content": "And then?"}
        request: dict[str, Any] = {
            "model": _MODEL,
            "input": [*exchange.items, asked],
            "tools": [_tool(plan, exchange.container)],
            "metadata": {
                "application": exchange.application.name,
                "talk": str(plan.number),
                "harbour_seconds": f"{turn.seconds:.3f}",
                "harbour_use_tool": "true" if uses_tool else "false",
            },
        }
        if exchange.previous is not None:
            request["previous_response_id"] = exchange.previous
        if exchange.conversation is not None:
            request["conversation"] = exchange.conversation
        self.counters["requests"] += 1
        try:
            response = await logged_call(
                client,
                exchange.application.writer,
                request,
                mode=turn.mode,
                poll=1.0 / self._scale,
                labels={"application": exchange.application.name},
            )
        except CallFailed as failed:
            self.counters[f"failed_{failed.status or 'without_status'}"] += 1
            raise
        self.counters["completed"] += 1
        self.counters["tool_used"] += uses_tool
        if plan.style == "replayed":
            exchange.items += [asked, *response["output"]]
        exchange.last = response["id"]
        if plan.style == "previous":
            exchange.previous = response["id"]

    def _end(self, exchange: Exchange) -> None:
        if exchange.container is not None:
            _note(exchange, "container.released", container_id=exchange.container)
        if exchange.conversation is not None:
            _note(exchange, "conversation.ended", conversation=exchange.conversation)
        elif exchange.last is not None:
            _note(exchange, "conversation.ended", response_id=exchange.last)
        self.counters["talks_ended"] += 1


def _tool(plan: Talk, container: str | None) -> dict[str, Any]:
    if plan.tool == "shell":
        environment = {"type": "container_auto", "memory_limit": plan.tier}
        return {"type": "shell", "environment": environment}
    auto = {"type": "auto", "memory_limit": plan.tier}
    return {"type": "code_interpreter", "container": container or auto}


def _note(exchange: Exchange, kind: str, **data: Any) -> None:
    if exchange.application.writer is not None:
        exchange.application.writer.note(kind, **data)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


async def _over(stop: asyncio.Event, tasks: set[asyncio.Task[None]]) -> None:
    """Wait until all are done, or cut them off at the stop."""
    stopped = asyncio.create_task(stop.wait())
    while tasks and not stopped.done():
        await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    left = list(tasks)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
