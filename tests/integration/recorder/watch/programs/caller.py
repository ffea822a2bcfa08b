"""Says what it got from the API. `python caller.py [full]`: with a full disk."""

import json
import re
import resource
import sys
from typing import Any

from openai import APIStatusError, OpenAI

if "full" in sys.argv:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))

client: Any = OpenAI(max_retries=0)
AUTO = {"type": "code_interpreter", "container": {"type": "auto"}}
GONE = {"type": "code_interpreter", "container": "cntr_" + "0" * 48}
REQUEST = {"model": "gpt-5", "input": "Compute. [[use_tool]] [[cite]]", "tools": [AUTO]}


def told(response: Any) -> None:
    """Say all of a response but for times and ids, which are never the same."""
    whole = response.model_dump(mode="json", warnings=False)
    for name in ("created_at", "completed_at"):
        whole[name] = type(whole.get(name)).__name__
    print(re.sub("_[0-9a-f]{48}", "_ID", json.dumps(whole)))


told(client.responses.create(**REQUEST))
with client.responses.create(**REQUEST, stream=True) as stream:
    events = list(stream)
print(*(event.type for event in events))
told(events[-1].response)
response = client.responses.create(**REQUEST, background=True)
while response.status in ("queued", "in_progress"):
    response = client.responses.retrieve(response.id)
told(response)
for request in ({**REQUEST, "tools": [GONE]}, {"model": None}):
    try:
        client.responses.create(**request)
    except APIStatusError as error:
        print(type(error).__name__, error.status_code, error.message)
