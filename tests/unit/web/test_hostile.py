"""Whatever comes in, the answer is never a 500, and the log never holds half a batch."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tests.unit.eventlog.conftest import make

from demurrage.eventlog.log import EventLog
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service

_FIXTURE = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(
    [
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "text/plain",
        "",
    ]
)


@pytest.fixture
def browser(service: Service) -> Iterator[TestClient]:
    """A synchronous client, for properties."""
    with TestClient(create_app(service, Doors()), base_url="http://localhost:9470") as opened:
        yield opened


def post(client: TestClient, body: bytes, media_type: str) -> httpx2.Response:
    """Post to the events door."""
    answer: httpx2.Response = client.post(
        "/v1/events", content=body, headers={"Content-Type": media_type}
    )
    return answer


@_FIXTURE
@given(body=st.binary(max_size=200), media_type=TYPES)
def test_bytes(browser: TestClient, body: bytes, media_type: str) -> None:
    """Any bytes under any type are taken or refused."""
    assert post(browser, body, media_type).status_code in {202, 400, 403, 415}


@_FIXTURE
@given(body=JSON_VALUES)
def test_json(browser: TestClient, body: Any) -> None:
    """Any JSON, and what Python takes for JSON, is taken or refused with a problem."""
    answer = post(browser, json.dumps(body).encode(), "application/json")
    assert answer.status_code in {202, 400, 403}


@_FIXTURE
@given(
    place=st.sampled_from(["id", "source", "type", "time", "sequence", "specversion", "data"]),
    value=JSON_VALUES,
    count=st.integers(0, 3),
)
def test_events(browser: TestClient, log: EventLog, place: str, value: Any, count: int) -> None:
    """An event with one strange field goes in as a whole with its batch, or not at all."""
    batch = [make(id=f"good-{n}") for n in range(count)] + [make() | {place: value}]
    before = log.head().position
    answer = post(browser, json.dumps(batch).encode(), "application/json")
    assert answer.status_code in {202, 400, 403}
    if answer.status_code != 202:
        assert log.head().position == before


@_FIXTURE
@given(data=st.dictionaries(st.text(), JSON_VALUES, max_size=3), key=st.text(), value=JSON_VALUES)
def test_data(browser: TestClient, data: dict[str, Any], key: str, value: Any) -> None:
    """Nor does anything strange within an event's data upset the daemon or come back."""
    secret = "sk-verysecret"
    event = make(data={"labels": {secret: value}, **data, key: secret})
    answer = post(browser, json.dumps(event).encode(), "application/json")
    assert answer.status_code in {202, 400, 403}
    assert secret not in answer.text


@_FIXTURE
@given(
    path=st.text(alphabet=st.characters(codec="utf-8"), max_size=30),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"]),
    host=st.sampled_from(["localhost", "evil.example"]) | st.text("ab.:[]@%/ 0", max_size=12),
)
def test_paths(browser: TestClient, path: str, method: str, host: str) -> None:
    """Any path, method and host has an answer below 500."""
    answer = browser.request(
        method, f"/{quote(path)}", headers={"Host": host}, follow_redirects=False
    )
    assert answer.status_code < 500 or path.strip("/") in {"healthz", "readyz"}


@_FIXTURE
@given(id_=st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=30))
def test_ids(browser: TestClient, id_: str) -> None:
    """No id makes the reading endpoints fail."""
    for place in ("containers", "responses"):
        answer = browser.get(f"/v1/{place}/{quote(id_, safe='')}")
        assert answer.status_code in {200, 404, 405, 422}


async def test_broken_off(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """A client that goes away in the midst of a body leaves nothing behind, in log or logs."""
    incoming = [{"type": "http.request", "body": b'[{"spec', "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/events",
        "raw_path": b"/v1/events",
        "query_string": b"",
        "headers": headers,
    }
    await create_app(service, Doors())(scope, receive, send)
    assert sent == []
    assert service.log.head().position == 0
    assert "http_failed" not in capsys.readouterr().out
