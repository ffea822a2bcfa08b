"""Two streamed turns of an agent that uses the default client."""

import asyncio
import sys

from agents import Agent, CodeInterpreterTool, Runner, set_default_openai_client
from openai import AsyncOpenAI

from demurrage_recorder import instrument

set_default_openai_client(instrument(AsyncOpenAI()))
INTERPRETER = {"type": "code_interpreter", "container": {"type": "auto"}}
AGENT = Agent(name="Analyst", model="gpt-5", tools=[CodeInterpreterTool(tool_config=INTERPRETER)])


async def main() -> None:
    """Ask, and thank."""
    previous = None
    for words in ("What is the 30th prime? [[use_tool]]", "Thank you."):
        streamed = Runner.run_streamed(AGENT, words, previous_response_id=previous)
        async for _ in streamed.stream_events():
            pass
        previous = streamed.last_response_id
        sys.stdout.write(f"{streamed.final_output}\n")


asyncio.run(main())
