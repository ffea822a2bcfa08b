"""One streamed and one asynchronous turn; the second continues the first response."""

import asyncio
import sys

from langchain_openai import ChatOpenAI
from openai import DefaultAsyncHttpxClient, DefaultHttpxClient

from demurrage_recorder import instrument

INTERPRETER = {"type": "code_interpreter", "container": {"type": "auto"}}
MODEL = ChatOpenAI(
    model="gpt-5",
    output_version="responses/v1",
    use_responses_api=True,
    http_client=instrument(DefaultHttpxClient()),
    http_async_client=instrument(DefaultAsyncHttpxClient()),
)


def first() -> str:
    """Ask; returns the id of the response."""
    chunks = list(MODEL.stream("What is the 30th prime? [[use_tool]]", tools=[INTERPRETER]))
    whole = sum(chunks[1:], chunks[0])
    sys.stdout.write(f"{whole.text}\n")
    return str(whole.response_metadata["id"])


async def second(previous: str) -> None:
    """Thank."""
    answer = await MODEL.ainvoke("Thank you.", tools=[INTERPRETER], previous_response_id=previous)
    sys.stdout.write(f"{answer.text}\n")


asyncio.run(second(first()))
