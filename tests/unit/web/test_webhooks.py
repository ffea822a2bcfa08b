"""The webhooks' door: signed by the provider, small, and told twice without harm."""

import base64
import hashlib
import hmac
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from tests.unit.web.conftest import NOW, WEBHOOK_SECRET, FakeEngine, client_of

from demurrage.eventlog.log import EventLog
from demurrage.model.event import WEBHOOK, Entry, Event, Known
from demurrage.model.webhook import WebhookOutcome
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service

PATH = "/webhooks/openai/default"
PROBLEM = "urn:demurrage:problem:"
Told = list[tuple[str, WebhookOutcome]]


def body(**changes: Any) -> bytes:
    """A delivery's body."""
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "response.completed",
        "created_at": NOW - 60,
        "data": {"id": "resp_1"},
    }
    return json.dumps({**event, **changes}).encode()


def signed(content: bytes, *, age: float = 0.0, webhook_id: str = "wh_1") -> dict[str, str]:
    """Its headers, as of so many seconds ago."""
    at = str(int(time.time() - age))
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    text = f"{webhook_id}.{at}.".encode() + content
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": at,
        "webhook-signature": f"v1,{signature}",
    }


def held(log: EventLog) -> list[Event]:
    """The events in the log."""
    return [each.event for each in log.read(0, 1000).records if isinstance(each, Entry)]


@pytest.mark.parametrize(
    "kind",
    ["response.completed", "response.failed", "response.incomplete", "response.cancelled"],
)
async def test_a_signed_webhook_makes_its_response_known(
    client: httpx2.AsyncClient, log: EventLog, webhooks: Told, kind: str
) -> None:
    """It is in the log when the answer comes, at the moment that the provider gives."""
    content = body(type=kind)
    answer = await client.post(PATH, content=content, headers=signed(content))
    assert answer.status_code == 204
    (event,) = held(log)
    assert event.fact == Known("resp_1")
    assert (event.source, event.target, event.time) == (WEBHOOK, "default", NOW - 60)
    assert webhooks == [("default", WebhookOutcome.RECORDED)]


async def test_a_delivery_that_comes_again_changes_nothing(
    client: httpx2.AsyncClient, log: EventLog, webhooks: Told
) -> None:
    """The provider retries for three days, signing anew each time."""
    content = body()
    for age in (120, 60, 0):
        answer = await client.post(PATH, content=content, headers=signed(content, age=age))
        assert answer.status_code == 204
    assert len(held(log)) == 1
    repeated = ("default", WebhookOutcome.REPEATED)
    assert webhooks == [("default", WebhookOutcome.RECORDED), repeated, repeated]


@pytest.mark.parametrize("kind", ["batch.completed", "response.of.tomorrow"])
async def test_other_types_are_accepted_and_passed_over(
    client: httpx2.AsyncClient, log: EventLog, webhooks: Told, kind: str
) -> None:
    """A refusal would only make the provider send them again."""
    content = body(type=kind, data={"odd": True})
    answer = await client.post(PATH, content=content, headers=signed(content))
    assert answer.status_code == 204
    assert held(log) == []
    assert webhooks == [("default", WebhookOutcome.IGNORED)]


@pytest.mark.parametrize(
    "spoil",
    [
        {"webhook-signature": "v1,AAAA"},
        {"webhook-timestamp": "0"},
        {"webhook-id": "another"},
    ],
)
async def test_a_wrong_signature_is_refused_and_counted(
    client: httpx2.AsyncClient, log: EventLog, webhooks: Told, spoil: dict[str, str]
) -> None:
    """400, and nothing is written down."""
    content = body()
    answer = await client.post(PATH, content=content, headers={**signed(content), **spoil})
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:demurrage:problem:bad-signature"
    assert held(log) == []
    assert webhooks == [("default", WebhookOutcome.REFUSED)]


@pytest.mark.parametrize("left", ["webhook-id", "webhook-timestamp", "webhook-signature"])
async def test_a_missing_header_is_refused(
    client: httpx2.AsyncClient, webhooks: Told, left: str
) -> None:
    """Whatever bears no signature is nobody's word."""
    content = body()
    headers = {name: value for name, value in signed(content).items() if name != left}
    assert (await client.post(PATH, content=content, headers=headers)).status_code == 400
    assert webhooks == [("default", WebhookOutcome.REFUSED)]


async def test_an_old_delivery_cannot_be_played_again(
    client: httpx2.AsyncClient, log: EventLog, webhooks: Told
) -> None:
    """The signature covers the moment, and five minutes are all that is forgiven."""
    content = body()
    answer = await client.post(PATH, content=content, headers=signed(content, age=330))
    assert answer.status_code == 400
    assert held(log) == []
    assert webhooks == [("default", WebhookOutcome.REFUSED)]


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        body(data={}),
        body(created_at="x"),
        body(created_at=1e300),
        body(data={"id": "resp\n1"}),
        body(data={"id": "r" * 2000}),
    ],
)
async def test_what_is_signed_and_no_event_is_refused(
    client: httpx2.AsyncClient, log: EventLog, webhooks: Told, content: bytes
) -> None:
    """That is for a person to look at, not a reason to fail."""
    answer = await client.post(PATH, content=content, headers=signed(content))
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:demurrage:problem:malformed-webhook"
    assert held(log) == []
    assert webhooks == [("default", WebhookOutcome.MALFORMED)]


async def test_an_unknown_target_and_one_without_a_secret(
    client: httpx2.AsyncClient, webhooks: Told
) -> None:
    """404 for both; for the one that exists the fix is named."""
    content = body()
    for target, word in (("nobody", "no such target"), ("second", "webhook_secret_env")):
        answer = await client.post(
            f"/webhooks/openai/{target}", content=content, headers=signed(content)
        )
        assert answer.status_code == 404
        assert word in answer.json()["detail"]
    assert webhooks == []


async def test_a_webhook_needs_no_token_and_no_name_of_ours(
    service: Service, log: EventLog
) -> None:
    """It comes from outside, under the name of whatever proxy leads here."""
    content = body()
    doors = Doors(events_token=SecretStr("a"), admin_token=SecretStr("b"))
    async with client_of(create_app(service, doors)) as opened:
        headers = {**signed(content), "Host": "hooks.example.com"}
        answer = await opened.post(PATH, content=content, headers=headers)
        assert answer.status_code == 204
        # Nothing else is open under that name.
        elsewhere = await opened.post("/v1/events", content=b"[]", headers=headers)
        assert elsewhere.status_code == 421
        assert (await opened.get(PATH, headers=headers)).status_code == 421
    assert len(held(log)) == 1


async def test_a_page_of_another_site_is_refused(client: httpx2.AsyncClient) -> None:
    """No browser has anything to say here."""
    content = body()
    headers = {**signed(content), "Origin": "https://evil.example"}
    assert (await client.post(PATH, content=content, headers=headers)).status_code == 403


async def test_a_large_body_is_refused_before_it_is_read(
    client: httpx2.AsyncClient, webhooks: Told
) -> None:
    """The signature is checked over the whole body, so a stranger must not choose its size."""

    async def chunks() -> Any:
        for _ in range(100):
            yield b" " * 1024

    announced = await client.post(PATH, content=b" " * 65_537, headers=signed(b""))
    assert announced.status_code == 413
    chunked = await client.post(PATH, content=chunks(), headers=signed(b""))
    assert chunked.status_code == 413
    assert announced.json()["type"] == chunked.json()["type"] == PROBLEM + "body-too-large"
    assert webhooks == []


async def test_what_the_log_cannot_take_is_asked_for_again(
    client: httpx2.AsyncClient,
    log: EventLog,
    tmp_path: Path,
    webhooks: Told,
    engine: FakeEngine,
) -> None:
    """No 2xx before it is durable: the provider then retries."""
    content = body()
    with closing(sqlite3.connect(tmp_path / "log.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = await client.post(PATH, content=content, headers=signed(content))
        assert answer.status_code == 503
        assert "Retry-After" in answer.headers
        other.rollback()
    assert webhooks == [("default", WebhookOutcome.FAILED)]
    assert engine.missed == 1
    assert (await client.post(PATH, content=content, headers=signed(content))).status_code == 204
    assert len(held(log)) == 1
