"""One asynchronous turn, and one that is streamed besides."""

import asyncio
import sys
from typing import Any

import httpx
import litellm
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

from demurrage_recorder import instrument

INTERPRETER = {"type": "code_interpreter", "container": {"type": "auto"}}


async def main() -> None:
    """Ask, and thank."""
    handler = AsyncHTTPHandler()
    handler.client = instrument(httpx.AsyncClient(timeout=600))
    about: Any = {"model": "openai/gpt-5", "tools": [INTERPRETER], "client": handler}
    first = await litellm.aresponses(input="What is the 30th prime? [[use_tool]]", **about)
    sys.stdout.write(f"{first.output[-1].content[0].text}\n")
    about |= {"previous_response_id": first.id, "stream": True}
    async for event in await litellm.aresponses(input="Thank you.", **about):
        if event.type == "response.output_text.delta":
            sys.stdout.write(event.delta)
    sys.stdout.write("\n")


asyncio.run(main())
