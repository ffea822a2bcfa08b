"""A real daemon with sinks: what reaches them, what one that fails does, and what never shows."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import KEY, SCALE, Daemon
from tests.unit.alerts.kent import events, running_kent
from tests.unit.alerts.taker import Taker, taking

from demurrage.simulator.admin import HarbourAdmin
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]

TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"
PASSWORD = "correct-horse-battery"
PROMPT = "where is the king's treasure buried"
OUTPUT = "under the third oak of the north wood"
SINKS = f"""
[alerts]
patience = 0
quiet = 0
runbooks_url = "https://wiki.example/pages"
[sinks.oncall]
type = "alertmanager"
url = "{{taker}}"
severities = ["notice", "warning", "page"]
[sinks.hook]
type = "apprise"
url = "{{hook}}"
severities = ["notice", "warning", "page"]
[sinks.hanging]
type = "alertmanager"
url = "{{hanging}}"
[sinks.wrong]
type = "apprise"
url = "nosuchservice://{TOKEN}/more"
[sinks.away]
type = "alertmanager"
url = "http://ann:{PASSWORD}@127.0.0.1:9"
"""


@pytest.fixture
def taker() -> Iterator[Taker]:
    """A sink that takes everything."""
    with taking() as found:
        yield found


@pytest.fixture
def hanging() -> Iterator[Taker]:
    """A sink that answers nothing."""
    with taking() as found:
        found.gate.clear()
        yield found


@pytest.fixture
def hook() -> Iterator[Taker]:
    """A webhook that takes everything."""
    with taking() as found:
        yield found


@pytest.fixture
def kent() -> Iterator[str]:
    """Where Sentry is."""
    with running_kent() as address:
        yield address


def get(daemon: Daemon, path: str) -> str:
    """An answer of the daemon."""
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def wait_until(what: str, condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for other processes."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def firing(taker: Taker) -> dict[tuple[str, str], bool]:
    """By kind and scope, whether it was last said to stand."""
    found = {}
    for alerts in taker.bodies:
        for each in alerts:
            labels = each["labels"]
            key = labels["kind"], labels.get("scope", "")
            found[key] = not each["annotations"]["summary"].startswith("[over]")
    return found


def cycles(daemon: Daemon) -> float:
    """How many have ended."""
    name = 'demurrage_cycle_duration_seconds_count{target="default"} '
    (line,) = (each for each in get(daemon, "/metrics").splitlines() if each.startswith(name))
    return float(line.removeprefix(name))


def said(daemon: Daemon, *arguments: str, code: int = 0) -> str:
    """What a command beside the daemon prints, all of it."""
    ran = subprocess.run(
        [sys.executable, "-m", "demurrage", *arguments, "--config", str(daemon.settings)],
        env={**os.environ, "OPENAI_API_KEY": KEY, **daemon.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert ran.returncode == code, ran.stderr
    return ran.stdout + ran.stderr


def hook_url(hook: Taker) -> str:
    """As Apprise writes it."""
    return hook.root.replace("http://", "json://")


@pytest.fixture
def daemon(
    tmp_path: Path, taker: Taker, hook: Taker, hanging: Taker, kent: str
) -> Iterator[Daemon]:
    """A daemon that works, with a harbour that a test can put faults into."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        made = Daemon(tmp_path, harbour.base_url, environ={"SENTRY_DSN": f"http://public@{kent}/1"})
        with made.settings.open("a") as settings:
            settings.write(
                SINKS.format(taker=taker.root, hook=hook_url(hook), hanging=hanging.root)
            )
        made.start()
        try:
            made.wait_until_ready()
            yield made
        finally:
            made.kill()


def test_incidents_reach_sinks_and_a_bad_one_delays_nobody(
    daemon: Daemon, taker: Taker, hanging: Taker, kent: str
) -> None:
    """They open and end there; of a sink that is wrong the others are told; nothing leaks."""
    admin = HarbourAdmin(daemon.base_url.removesuffix("/v1"))
    admin.fault("html", "GET /v1/containers")
    wait_until("the fault", lambda: firing(taker).get(("not_json", "")))
    wait_until("who hangs", lambda: hanging.taken)
    admin.clear_faults()
    wait_until("its end", lambda: firing(taker).get(("not_json", "")) is False)
    wait_until("what fails", lambda: _failing(taker) == {"wrong", "away"})
    wait_until("its end", lambda: len(_of(kent, "not_json")) == 2)
    issue = _of(kent, "not_json")
    assert {each["tags"]["state"] for each in issue} == {"open", "over"}
    assert len({tuple(each["fingerprint"]) for each in issue}) == 1
    before = cycles(daemon)
    wait_until("cycles", lambda: cycles(daemon) > before + 3)
    shown = [
        *(get(daemon, path) for path in ("/", "/v1/incidents", "/v1/status", "/metrics")),
        said(daemon, "incidents", "--json"),
        said(daemon, "status", "--json"),
        said(daemon, "check", "--json", "--send-test", code=1),
        json.dumps(taker.bodies),
        json.dumps(events(kent)),
    ]
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < 15  # who hangs is left behind
    shown.append((daemon.folder / "daemon.log").read_text())
    assert not [secret for secret in (TOKEN, PASSWORD, KEY) for text in shown if secret in text]


def test_no_text_of_an_application_is_in_any_message(
    daemon: Daemon, taker: Taker, hook: Taker, kent: str
) -> None:
    """Nor a key, however much is logged beside the ids; a link to what to do is in each."""
    start = {
        "call_id": "call-1",
        "slots": [{"tool": "code_interpreter", "container": "auto", "prompt": PROMPT}],
        "instructions": PROMPT,
        "input": [{"role": "user", "content": PROMPT, "key": KEY}],
    }
    assert append(daemon, 1, "started", start) == 202
    # The second is missing, and the fourth is refused: of both people are told.
    finish = {"call_id": "call-1", "response_id": "resp_1", "status": "completed", "output": OUTPUT}
    assert append(daemon, 3, "finished", finish) == 202
    assert append(daemon, 4, "finished", {"call_id": "call-1", "status": OUTPUT}) == 400
    _told_everywhere("sequence_gap", taker, hook, kent)
    admin = HarbourAdmin(daemon.base_url.removesuffix("/v1"))
    admin.fault("bad_key", "GET /v1/containers")
    _told_everywhere("unauthorized", taker, hook, kent)
    for told in (taker.taken, hook.taken, events(kent), get(daemon, "/v1/incidents")):
        text = json.dumps(told)
        assert "https://wiki.example/pages/sequence_gap.md" in text
        assert not [each for each in (PROMPT, OUTPUT, KEY, TOKEN, PASSWORD) if each in text]


def _told_everywhere(kind: str, taker: Taker, hook: Taker, kent: str) -> None:
    wait_until(f"{kind} at Alertmanager", lambda: kind in {each for each, _ in firing(taker)})
    wait_until(f"{kind} at the webhook", lambda: kind in json.dumps(hook.bodies))
    wait_until(f"{kind} at Sentry", lambda: _of(kent, kind))


def append(daemon: Daemon, sequence: int, kind: str, data: dict[str, Any]) -> int:
    """Log an event as an application does; returns the status of the answer."""
    event = {
        "specversion": "1.0",
        "id": f"app-1/{sequence}",
        "source": "app-1",
        "sequence": str(sequence),
        "time": datetime.now(UTC).isoformat(),
        "type": f"demurrage.response.{kind}",
        "data": {"target": "default", **data},
    }
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    try:
        headers = {"Content-Type": "application/cloudevents+json"}
        connection.request("POST", "/v1/events", json.dumps(event), headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _failing(taker: Taker) -> set[str]:
    """The sinks of which it was told that they fail, but for the one that only is slow to."""
    return {scope for kind, scope in firing(taker) if kind == "sink_failed"} - {"hanging"}


def _of(kent: str, kind: str) -> list[dict[str, Any]]:
    return [each for each in events(kent) if each.get("tags", {}).get("kind") == kind]
