"""One turn, logged: the smallest application that Demurrage can prove things about.

Reads OPENAI_API_KEY and OPENAI_BASE_URL as the SDK does, and DEMURRAGE_RECORDER_URL (default
http://127.0.0.1:9470), _TARGET (default "default") and _TOKEN (none by default). Ends with exit 1
if the turn failed, or if not all of it could be logged.
"""

import json
import os
import sys
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from openai import APIStatusError, OpenAI, OpenAIError

URL = os.environ.get("DEMURRAGE_RECORDER_URL", "http://127.0.0.1:9470") + "/v1/events"
TARGET = os.environ.get("DEMURRAGE_RECORDER_TARGET", "default")
TOKEN = os.environ.get("DEMURRAGE_RECORDER_TOKEN")
SOURCE = f"example/{uuid.uuid4()}"
sequence = 0
unsent = []
offset = None


def log(kind, **data):
    """Send one event, after those that did not get through; False where it does not either."""
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
            "data": {"target": TARGET, **data},
        }
    )
    request = urllib.request.Request(
        URL,
        data=json.dumps(unsent).encode(),
        headers={"Content-Type": "application/cloudevents-batch+json"}
        | ({"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}),
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except OSError as error:
        print(f"not logged yet: {error}", file=sys.stderr)
        return False
    unsent.clear()
    return True


def learn_offset(headers):
    """How far this clock is ahead of the API's; every answer tells, an error's too."""
    global offset
    if "date" in headers:
        offset = time.time() - parsedate_to_datetime(headers["date"]).timestamp()


def named_in(value, name=""):
    """Every container that an answer names: calls do, and so do notes on the files they made."""
    if isinstance(value, dict):
        return {found for key, each in value.items() for found in named_in(each, key)}
    if isinstance(value, list):
        return {found for each in value for found in named_in(each, name)}
    return {value} if "container" in name and str(value).startswith("cntr_") else set()


def turn(client):
    """Take one turn, logged from before it leaves to its end, whichever that is."""
    call_id = str(uuid.uuid4())
    slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
    # A start that lies nowhere but in this process must not be followed by its request. The
    # recorder keeps it in a file instead, and lets the application go on.
    if not log("response.started", call_id=call_id, slots=slots):
        log("response.finished", call_id=call_id, status="cancelled")
        return None
    # Until the whole answer is in, nobody knows whether the API took the request.
    end = {"status": "lost"}
    try:
        answer = client.responses.with_raw_response.create(
            model="gpt-5",
            input="Say hello.",
            tools=[
                {"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "1g"}}
            ],
        )
        learn_offset(answer.headers)
        response = answer.parse()
        end = {
            "status": response.status,
            "response_id": response.id,
            "created_at": response.created_at,
            "containers": sorted(named_in(response.model_dump(mode="json"))),
        }
        return response
    except APIStatusError as error:
        learn_offset(error.response.headers)
        if 400 <= error.status_code < 500 and error.status_code not in {408, 409, 499}:
            end = {"status": "refused", "http_status": error.status_code}
        raise
    finally:
        log("response.finished", call_id=call_id, **end)


# The SDK's own retries would be requests that nobody logs.
client = OpenAI(max_retries=0)
response = None
try:
    response = turn(client)
except OpenAIError as error:
    print(f"the turn failed: {type(error).__name__}", file=sys.stderr)
finally:
    log(
        "writer.heartbeat",
        complete_through=time.time(),
        last_sequence=sequence,
        in_flight=[],
        clock_offset=offset,
        dropped=0,
        final=True,
    )
if response is not None:
    print(response.id)
if unsent:
    print(f"{len(unsent)} events could not be logged", file=sys.stderr)
sys.exit(0 if response is not None and not unsent else 1)
