"""Kent, a real stand-in for Sentry."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen


def fetch(url: str) -> Any:
    """A JSON answer."""
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - a loopback address of our own making
        return json.load(answer)


@contextmanager
def running_kent() -> Iterator[str]:
    """A real Sentry stand-in as a process of its own; yields host:port."""
    serve = (
        "from werkzeug.serving import make_server\n"
        "from kent.app import create_app\n"
        "server = make_server('127.0.0.1', 0, create_app())\n"
        "print(server.server_port, flush=True)\n"
        "server.serve_forever()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", serve],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def events(kent: str) -> list[dict[str, Any]]:
    """The events that have reached the stand-in; what is no event is left out."""
    listed = fetch(f"http://{kent}/api/eventlist/")["events"]
    found = [fetch(f"http://{kent}/api/event/{each['event_id']}")["payload"] for each in listed]
    return [each["body"] for each in found if isinstance(each.get("body"), dict)]


def arrived(kent: str, count: int) -> list[dict[str, Any]]:
    """The events that reached the stand-in, once there are as many."""
    deadline = time.monotonic() + 20
    while True:
        try:
            listed = fetch(f"http://{kent}/api/eventlist/")["events"]
        except URLError:
            listed = []
        if len(listed) >= count or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert len(listed) == count
    ids = [event["event_id"] for event in listed]
    return [fetch(f"http://{kent}/api/event/{one}")["payload"]["body"] for one in ids]
