"""An application that asks a question a minute, and leaves it to the model whether to run code.

It reads OPENAI_API_KEY and OPENAI_BASE_URL as the SDK does, and DEMURRAGE_RECORDER_URL and
DEMURRAGE_RECORDER_TARGET as the recorder does. Each request makes a container, used or not.
"""

import os
import signal
import sys
import time

import demurrage_recorder as recorder
from openai import OpenAI, OpenAIError

PAUSE = float(os.environ.get("PAUSE_SECONDS", "60"))

# Ended by SIGTERM, Python would say no goodbye, and the daemon would wait for this process.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

client = recorder.instrument(OpenAI())
while True:
    try:
        response = client.responses.create(
            model=os.environ.get("MODEL", "gpt-5-mini"),
            input="Say hello. Run no code.",
            tools=[{"type": "code_interpreter", "container": {"type": "auto"}}],
        )
    except OpenAIError as error:
        print(f"no answer: {type(error).__name__}", file=sys.stderr)
    else:
        print(response.id)
        # Nobody goes on from here, so whatever the conversation used may go.
        recorder.ended(response_id=response.id)
    time.sleep(PAUSE)
