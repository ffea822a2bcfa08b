"""What the recorder costs on the caller's path: a call with it beside the same call without it.

The real SDK over a transport in memory that answers at once; blocking and streamed calls of both
clients take turns in one run, in a random order, and so does the plain HTTP client below the SDK,
whose call is the shortest that can be watched. The recorder takes them to go straight to the API,
so that it looks after each request as well; it writes to a file on disk, and its own thread offers
every event to an address that nobody listens at.

Beside it in the same turns: what an application takes for granted, two lines of the standard
library's `logging` to a file for each call; and the least that a recorder in Python could do, which
is to read the request, to write one line and to keep the answer.
"""

import json
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from email.utils import formatdate
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measured import Measured, Options, figure
from openai import OpenAI

import demurrage_recorder as recorder
from demurrage.provider.client import HTTP

http: Any = HTTP

LIMIT = 50
ROUNDS = 1500
WARM = 50
NOWHERE = "http://127.0.0.1:9"
CONTAINER = "cntr_" + "6ab" * 16
TOOLS: Any = [{"type": "code_interpreter", "container": {"type": "auto"}}]
TEXT = "The answer is 42. " * 60
URL = "http://api.test/v1/responses"

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_795_000_000.0,
    "completed_at": 1_795_000_004.0,
    "status": "completed",
    "model": "gpt-5",
    "tools": TOOLS,
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "metadata": {},
    "output": [
        {"type": "code_interpreter_call", "id": "ci_1", "container_id": CONTAINER, "code": TEXT,
         "status": "completed", "outputs": []},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
         "content": [{"type": "output_text", "text": TEXT, "annotations": []}]},
    ],
}  # fmt: skip
BODY = json.dumps(RESPONSE).encode()


def _events() -> Iterator[bytes]:
    running = {**RESPONSE, "status": "in_progress", "output": []}
    item = RESPONSE["output"][0]
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": running},
        {"type": "response.in_progress", "response": running},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        *(
            {
                "type": "response.output_text.delta",
                "output_index": 1,
                "content_index": 0,
                "item_id": "msg_1",
                "delta": word,
                "logprobs": [],
            }
            for word in TEXT.split()
        ),
        {"type": "response.completed", "response": RESPONSE},
    ]
    for number, event in enumerate(told):
        event["sequence_number"] = number
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


STREAM = list(_events())


class Told(NamedTuple):
    """What one comparison came to, in microseconds a call; all but `without` beside that.

    `pieces`: in how many the answer came. `cost` is the recorder's, `mean` its cost in the mean;
    `again` the same call without it once more, `logged` with two lines of logging, `least` with
    the least that could be done.
    """

    name: str
    pieces: int
    without: float
    cost: float
    mean: float
    again: float
    logged: float
    least: float


class Stream(http.SyncByteStream):  # type: ignore[misc] # found at run time
    """A body that comes in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


class Memory(http.BaseTransport):  # type: ignore[misc] # likewise
    """Answers at once; it has a pool, as what goes straight to the API has."""

    _pool = object()

    def handle_request(self, request: Any) -> Any:
        """Answer as asked: in one piece, or streamed."""
        streamed = b'"stream":true' in request.content
        headers = {
            "date": formatdate(usegmt=True),
            "content-type": "text/event-stream" if streamed else "application/json",
            "x-request-id": "req_6ab",
        }
        pieces = STREAM if streamed else [BODY]
        return http.Response(200, headers=headers, stream=Stream(pieces))


class Logged(Memory):
    """Two lines of `logging` for each call, to a file."""

    def __init__(self, path: Path) -> None:
        handler = logging.FileHandler(path)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        self._log = logging.getLogger("application")
        self._log.setLevel(logging.INFO)
        self._log.propagate = False
        self._log.addHandler(handler)

    def handle_request(self, request: Any) -> Any:
        """Answer, with a line before and one after."""
        self._log.info("request %s %s", request.method, request.url)
        response = super().handle_request(request)
        self._log.info("answer %s", response.status_code)
        return response


class Least(Memory):
    """Reads what the request asks for, writes one line before it leaves, and keeps the answer."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._kept: deque[bytes] = deque(maxlen=100)

    def handle_request(self, request: Any) -> Any:
        """Answer, after a line of the length that a start has."""
        tools = json.loads(request.content)["tools"]
        os.write(
            self._file, f'{{"at": {time.time()}, "slots": {len(tools)}}}\n'.encode().rjust(400)
        )
        response = super().handle_request(request)
        pieces = list(response.stream)
        self._kept.extend(pieces)
        response.stream = Stream(pieces)
        return response


def sdk(transport: Any) -> OpenAI:
    """The SDK over a transport in memory."""
    return OpenAI(
        api_key="k", base_url="http://api.test/v1", http_client=http.Client(transport=transport)
    )


def blocking(client: OpenAI) -> Callable[[], object]:
    """A blocking call of the SDK."""
    return lambda: client.responses.create(model="gpt-5", input="Hello", tools=TOOLS)


def streamed(client: OpenAI) -> Callable[[], object]:
    """A streamed call of the SDK, read to its end."""

    def call() -> None:
        for _ in client.responses.create(model="gpt-5", input="Hi", tools=TOOLS, stream=True):
            pass

    return call


def bare(client: Any) -> Callable[[], object]:
    """A blocking call of the HTTP client alone."""
    body = {"model": "gpt-5", "input": "Hello", "tools": TOOLS}
    return lambda: client.post(URL, json=body)


def compare(
    name: str,
    calls: Sequence[Callable[[], object]],
    rounds: int,
    *,
    pieces: int = 1,
    pause: float = 0.0,
) -> None:
    """Print, as a line of JSON, the medians of a call without it, with it, and beside its rivals.

    The two without it differ by what the machine itself does to a difference of medians. The
    mean holds as well what the recorder's own thread takes from the application now and then.

    Args:
        name: what is compared.
        calls: the call without it, the same with it, without it again, with two lines of logging,
            and with the least that could be done.
        rounds: how often each is timed.
        pieces: in how many pieces the answer comes; the application waits for each by itself.
        pause: seconds between two calls.
    """
    times: tuple[list[float], ...] = tuple([] for _ in calls)
    order = random.Random(1)  # noqa: S311 - no secret
    for round_ in range(rounds + WARM):
        for side in order.sample(range(len(calls)), len(calls)):
            if pause:
                time.sleep(pause)
            begun = time.perf_counter()
            calls[side]()
            took = time.perf_counter() - begun
            if round_ >= WARM:
                times[side].append(1e6 * took)
    medians = [statistics.median(each) for each in times]
    apart = [each - medians[0] for each in medians]
    mean = statistics.fmean(times[1]) - statistics.fmean(times[0] + times[2])
    told = Told(name, pieces, medians[0], apart[1], mean, apart[2], apart[3], apart[4])
    print(json.dumps(told._asdict()), flush=True)


def measure(options: Options) -> Iterator[Measured]:
    """Each kind of call, compared in a process that does nothing else."""
    del options
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.recorder"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in ran.stdout.splitlines():
        told = Told(**json.loads(line))
        per = told.pieces
        each = f", for each of {per} events" if per > 1 else ""
        yield Measured(
            f"recorder on the caller's path, {told.name}{each}",
            told.cost / per,
            "µs",
            LIMIT,
            rival=f"the same without it {figure(told.without / per)} µs, and again "
            f"{told.again / per:+.1f}; two lines of logging {told.logged / per:+.1f}; the least "
            f"to be done {told.least / per:+.1f}; the recorder in the mean {told.mean / per:+.1f}",
            detail=told._asdict(),
        )


def main() -> None:
    """Compare the kinds of call."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DEMURRAGE_RECORDER_DIR"] = folder
        beside = Logged(Path(folder) / "log"), Least(Path(folder) / "lines")
        watched = recorder.instrument(sdk(Memory()), url=NOWHERE, direct=True)
        sdks = sdk(Memory()), watched, sdk(Memory()), *map(sdk, beside)
        calls = [blocking(each) for each in sdks]
        compare("SDK", calls, ROUNDS)
        compare("SDK, 3 ms between calls", calls, ROUNDS // 3, pause=0.003)
        calls = [streamed(each) for each in sdks]
        compare("SDK, streamed", calls, ROUNDS // 10, pieces=len(STREAM))
        transports = Memory(), Memory(), Memory(), *beside
        clients = [http.Client(transport=each) for each in transports]
        recorder.instrument(clients[1], url=NOWHERE, direct=True)
        compare("HTTP client alone", [bare(each) for each in clients], ROUNDS)
        recorder.writer_for(NOWHERE).close()


if __name__ == "__main__":
    main()
