"""One turn, logged: the smallest application that Demurrage can prove things about.

Reads OPENAI_API_KEY and OPENAI_BASE_URL as the SDK does, and DEMURRAGE_RECORDER_URL (default
http://127.0.0.1:9470).
"""

import json
import os
import sys
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from openai import OpenAI

URL = os.environ.get("DEMURRAGE_RECORDER_URL", "http://127.0.0.1:9470") + "/v1/events"
SOURCE = f"example/{uuid.uuid4()}"
sequence = 0
unsent = []


def log(kind, **data):
    """Send one event, after those that did not get through; the application goes on in any case."""
    global sequence
    sequence += 1
    unsent.append(
        {
            "specversion": "1.0",
            "id": f"{SOURCE}/{sequence}",
            "source": SOURCE,
            "sequence": sequence,
            "type": f"demurrage.{kind}",
            "time": datetime.now(timezone.utc).isoformat(),
            "data": {"target": "default", **data},
        }
    )
    request = urllib.request.Request(
        URL,
        data=json.dumps(unsent).encode(),
        headers={"Content-Type": "application/cloudevents-batch+json"},
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except OSError as error:
        print(f"not logged yet: {error}", file=sys.stderr)
    else:
        unsent.clear()


client = OpenAI(max_retries=0)
call_id = str(uuid.uuid4())
slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
log("response.started", call_id=call_id, slots=slots)
answer = client.responses.with_raw_response.create(
    model="gpt-5",
    input="Say hello.",
    tools=[{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "1g"}}],
)
offset = time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp()
response = answer.parse()
log(
    "response.finished",
    call_id=call_id,
    response_id=response.id,
    status=response.status,
    created_at=response.created_at,
    containers=[
        item.container_id for item in response.output if item.type == "code_interpreter_call"
    ],
)
log(
    "writer.heartbeat",
    complete_through=time.time(),
    last_sequence=sequence,
    in_flight=[],
    clock_offset=offset,
    dropped=0,
    final=True,
)
print(response.id)
