"""The daemon's errors in Sentry: scrubbed, and nothing at all without a DSN."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from demurrage.alerts.sentry import start_sentry
from demurrage.model.error import SettingsError

SECRET = "sk-proj-S3cretS3cretS3cret"

DAEMON = """
import os, sys
from demurrage.alerts.sentry import start_sentry
from demurrage.observe.redact import Redactor

report = start_sentry(
    os.environ["DSN"], "staging", "demurrage@1.2.3", redactor=Redactor([os.environ["KNOWN"]])
)
assert report is not None

def fail():
    key_in_a_local = os.environ["KEY"]
    headers = {"authorization": key_in_a_local, "note": os.environ["KNOWN"]}
    raise RuntimeError("call failed with " + key_in_a_local + " and " + headers["note"])

try:
    fail()
except RuntimeError as error:
    report(error)
raise ValueError("unhandled " + os.environ["KEY"])
"""


def fetch(url: str) -> Any:
    """A JSON answer."""
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - a loopback address of our own making
        return json.load(answer)


@pytest.fixture
def kent() -> Iterator[str]:
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


@pytest.mark.process
def test_errors_arrive_scrubbed(kent: str) -> None:
    """A reported and an unhandled error arrive, with no secret, local variable or argument."""
    known = "plain-known-secret"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", DAEMON, f"--token={SECRET}"],
        env=os.environ | {"DSN": f"http://public@{kent}/1", "KEY": SECRET, "KNOWN": known},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    events = arrived(kent, 2)
    raised = {event["exception"]["values"][-1]["type"]: event for event in events}
    assert set(raised) == {"RuntimeError", "ValueError"}
    for event in events:
        text = json.dumps(event)
        assert SECRET not in text
        assert known not in text
        assert '"vars"' not in text
        assert "request" not in event
        assert "extra" not in event
        assert event["environment"] == "staging"
        assert event["release"] == "demurrage@1.2.3"
    frames = raised["RuntimeError"]["exception"]["values"][-1]["stacktrace"]["frames"]
    assert [frame["function"] for frame in frames] == ["<module>", "fail"]


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


def test_nothing_without_a_dsn() -> None:
    """Without a DSN there is no reporter."""
    assert start_sentry(None, "", "demurrage@1") is None
    assert start_sentry("", "", "demurrage@1") is None


@pytest.mark.process
def test_nothing_is_imported_without_a_dsn() -> None:
    """The settings, logs and the Sentry room itself load nothing of the SDK."""
    script = (
        "import sys\n"
        "import demurrage.app.settings, demurrage.observe.logs, demurrage.observe.metrics\n"
        "from demurrage.alerts.sentry import start_sentry\n"
        "start_sentry('', '', 'demurrage@1')\n"
        "sys.exit('sentry_sdk' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert ran.returncode == 0


def test_bad_dsn_is_a_settings_error() -> None:
    """What is no DSN is said in one line that names the setting and does not repeat it."""
    with pytest.raises(SettingsError) as caught:
        start_sentry(f"nonsense-{SECRET}", "", "demurrage@1")
    assert str(caught.value).startswith("sentry.dsn_env: ")
    assert SECRET not in str(caught.value)
