"""The leak as a person reproduces it: three styles of context, the tool in the third turn alone.

`python reproduction.py blocking|streamed|background` prints the ids of its responses, a style a
line.
"""

import sys
import time
from typing import Any

from openai import OpenAI

client: Any = OpenAI()

WAY = sys.argv[1]
QUESTIONS = ("Say hello.", "Say it again.", "Now compute 6 * 7. [[use_tool]]")
TOOL = {"type": "code_interpreter", "container": {"type": "auto"}}


def ask(**request: Any) -> Any:
    """Take a turn."""
    request = {"model": "gpt-5", "tools": [TOOL], **request}
    if WAY == "streamed":
        return list(client.responses.create(**request, stream=True))[-1].response
    response = client.responses.create(**request, background=WAY == "background")
    while response.status in ("queued", "in_progress"):
        time.sleep(0.1)
        response = client.responses.retrieve(response.id)
    return response


items: list[Any] = []
replayed: list[str] = []
for question in QUESTIONS:
    items.append({"role": "user", "content": question})
    answer = ask(input=items)
    items += [item.model_dump(mode="json", exclude_none=True) for item in answer.output]
    replayed.append(answer.id)

previous: list[str] = []
for question in QUESTIONS:
    carried = {"previous_response_id": previous[-1]} if previous else {}
    previous.append(ask(input=question, **carried).id)

conversation = client.conversations.create().id
held = [ask(input=question, conversation=conversation).id for question in QUESTIONS]

for ids in (replayed, previous, held):
    print(*ids)
