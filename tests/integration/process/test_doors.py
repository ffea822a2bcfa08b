"""The daemon's doors as a person opens them: webhooks, and who may end things."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from tests.integration.process.daemon import SCALE, Daemon

from demurrage.eventlog.log import EventLog
from demurrage.model.event import RESOLVER, Entry
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

KEY = b"a secret of the provider's"
_HOOKED = 'webhook_secret_env = "HOOK_SECRET"'


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """One that takes webhooks, and has a unix socket."""
    knobs = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(knobs, seed=4)) as harbour:
        secret = "whsec_" + base64.b64encode(KEY).decode()
        opened = Daemon(tmp_path, harbour.base_url, environ={"HOOK_SECRET": secret})
        text = opened.settings.read_text()
        text = text.replace('timeout = "2s"', f'timeout = "2s"\n{_HOOKED}')
        text = text.replace("[http]", f'[http]\nsocket = "{tmp_path}/door"')
        opened.settings.write_text(text)
        opened.start()
        try:
            opened.wait_until_ready()
            yield opened
        finally:
            opened.stop()


class _Unix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


def _post(
    connection: http.client.HTTPConnection, path: str, body: bytes, **headers: str
) -> tuple[int, dict[str, Any]]:
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, {"Content-Type": "application/json", **names})
        answer = connection.getresponse()
        said = answer.read()
        return answer.status, json.loads(said) if said else {}
    finally:
        connection.close()


def _tcp(daemon: Daemon) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)


def _wait_for(true: Callable[[], bool], daemon: Daemon) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, daemon.said()
        time.sleep(0.2)


@pytest.mark.process
def test_a_webhook_has_its_response_read(daemon: Daemon) -> None:
    """From the signed delivery to what the API says of the response, in the log."""
    with OpenAI(base_url=daemon.base_url, api_key="sk-application", max_retries=0) as client:
        tool: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
        response = client.responses.create(
            model="gpt-5", input="Well?", tools=[tool], background=True
        )
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "response.completed",
        "created_at": int(time.time()),
        "data": {"id": response.id},
    }
    body = json.dumps(event).encode()
    at = str(int(time.time()))
    text = f"wh_1.{at}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    headers = {"webhook_id": "wh_1", "webhook_timestamp": at, "webhook_signature": signature}
    path = "/webhooks/openai/default"
    for _ in range(2):
        assert _post(_tcp(daemon), path, body, **headers) == (204, {})
    forged = {**headers, "webhook_id": "wh_2"}
    assert _post(_tcp(daemon), path, body, **forged)[0] == 400
    log = EventLog.open(daemon.database_url, clock=time.time)
    try:
        _wait_for(lambda: "Finished" in _read(log, response.id), daemon)
        assert _read(log, response.id).count("Known") == 1
    finally:
        log.close()
    with closing(_tcp(daemon)) as connection:
        connection.request("GET", "/metrics")
        metrics = connection.getresponse().read().decode()
    for outcome in ("recorded", "repeated", "refused"):
        assert f'demurrage_webhooks_total{{outcome="{outcome}",target="default"}} 1.0' in metrics
    assert 'demurrage_resolves_total{outcome="ended",target="default"} 1.0' in metrics


def _read(log: EventLog, response_id: str) -> list[str]:
    """The kinds of facts that the log holds of a response without its application's help."""
    records = [kept.record for kept in log.events_about([response_id])]
    events = [each.event for each in records if isinstance(each, Entry)]
    assert all(each.source == RESOLVER or each.source.startswith("demurrage:") for each in events)
    return [type(each.fact).__name__ for each in events]


@pytest.mark.process
def test_ends_are_taken_over_the_socket_and_not_over_tcp(daemon: Daemon) -> None:
    """Without a token, who may open the socket's file may end things, and nobody else."""
    end = {
        "specversion": "1.0",
        "id": "1",
        "source": "app/1",
        "sequence": 1,
        "type": "demurrage.container.released",
        "time": "2026-11-24T00:00:00Z",
        "data": {"target": "default", "container_id": "cntr_1"},
    }
    body = json.dumps(end).encode()
    status, problem = _post(_tcp(daemon), "/v1/events", body)
    assert status == 403
    assert "http.events_token_env" in problem["detail"]
    status, accepted = _post(_Unix(daemon.folder / "door"), "/v1/events", body)
    assert (status, accepted) == (202, {"accepted": 1, "duplicates": 0})
