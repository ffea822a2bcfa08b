"""An application that logs what it does, to be told what to do."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from openai import AsyncOpenAI

from demurrage.simulator.delivery import Send
from demurrage.simulator.logged import logged_call
from demurrage.simulator.writer import Writer

# Nominal seconds that a response takes.
_SECONDS = 10.0
# A request that leaves this early in a second is over within it.
_EARLY = 0.4


class ExactWriter(Writer):
    """A writer on the harbour's own clock; headers would tell it that to the second only."""

    @property
    def clock_offset(self) -> float:
        """None to speak of."""
        return 0.0


class Application:
    """Talks to the harbour through the SDK; every call is logged by a writer of its own."""

    def __init__(
        self, base_url: str, key: str, send: Send, *, target: str = "default", source: str = "app"
    ) -> None:
        self.client = AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0)
        self.writer = ExactWriter(send, target=target, source=source, heartbeat=0.2)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """The writer sends and beats meanwhile; on leaving it says goodbye."""
        stop = asyncio.Event()
        beating = asyncio.create_task(self.writer.run(stop))
        try:
            yield
        finally:
            stop.set()
            await beating
            await self.client.close()

    async def ask(
        self,
        *,
        use_tool: bool = False,
        tier: str = "1g",
        seconds: float = _SECONDS,
        logged: bool = True,
        **request: Any,
    ) -> dict[str, Any]:
        """One request with an auto container; without the tool's use it leaks."""
        return await logged_call(
            self.client,
            self.writer if logged else None,
            {
                "model": "gpt-5",
                "input": "Well?",
                "tools": [
                    {
                        "type": "code_interpreter",
                        "container": {"type": "auto", "memory_limit": tier},
                    }
                ],
                "metadata": {
                    "harbour_seconds": f"{seconds:.3f}",
                    "harbour_use_tool": "true" if use_tool else "false",
                },
                **request,
            },
            mode="blocking",
            poll=0.05,
        )

    async def leak(self, count: int, **options: Any) -> None:
        """So many requests at once that need no container, all born in one second."""
        while time.time() % 1 > _EARLY:  # noqa: ASYNC110 - a wall clock's second has no event
            await asyncio.sleep(0.02)
        await asyncio.gather(*(self.ask(**options) for _ in range(count)))

    async def converse(self) -> str:
        """Open a conversation that uses its container; returns the conversation's id."""
        conversation = (await self.client.conversations.create()).id
        await self.ask(use_tool=True, conversation=conversation)
        return conversation
