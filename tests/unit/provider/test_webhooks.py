"""Webhooks: only what bears the provider's signature is believed."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest

from demurrage.provider.webhooks import (
    ForgedWebhookError,
    MalformedWebhookError,
    read_webhook,
)

KEY = b"a secret of the provider's"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NOW = 1_793_534_400
BODY = {
    "id": "evt_1",
    "object": "event",
    "type": "response.completed",
    "created_at": NOW - 5,
    "data": {"id": "resp_1"},
}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's clock stands still."""
    monkeypatch.setattr(time, "time", lambda: float(NOW))


def signed(
    body: bytes, *, at: int = NOW, key: bytes = KEY, webhook_id: str = "wh_1"
) -> dict[str, str]:
    """The headers of a delivery, signed as Standard Webhooks has it."""
    text = f"{webhook_id}.{at}.".encode() + body
    signature = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }


def body(**changes: Any) -> bytes:
    """The body of a delivery."""
    return json.dumps({**BODY, **changes}).encode()


def test_a_signed_delivery_is_read() -> None:
    """Its id, and the response that it is about."""
    found = read_webhook(body(), signed(body()), SECRET)
    assert found.id == "wh_1"
    assert found.response_id == "resp_1"
    assert found.created_at == NOW - 5


def test_one_of_several_signatures_is_enough() -> None:
    """While a secret is being replaced, both sign."""
    headers = signed(body())
    headers["webhook-signature"] = f"v1,AAAA {headers['webhook-signature']} v2,zzz"
    assert read_webhook(body(), headers, SECRET).response_id == "resp_1"


@pytest.mark.parametrize("age", [0, 299, 300, -299, -300])
def test_a_clock_that_is_a_little_off_is_forgiven(age: int) -> None:
    """Up to five minutes either way."""
    read_webhook(body(), signed(body(), at=NOW - age), SECRET)


@pytest.mark.parametrize("age", [301, 3600, 72 * 3600, -301])
def test_what_is_too_old_or_too_new_is_refused(age: int) -> None:
    """A delivery that was caught on its way cannot be played again later."""
    with pytest.raises(ForgedWebhookError):
        read_webhook(body(), signed(body(), at=NOW - age), SECRET)


def _forgeries() -> list[tuple[bytes, dict[str, str]]]:
    good = signed(body())
    without = [{key: value for key, value in good.items() if key != left} for left in good]
    return [
        *((body(), headers) for headers in without),
        (body(), {}),
        (body(), signed(body(), key=b"another secret")),
        (body(data={"id": "resp_2"}), good),
        (body() + b" ", good),
        (body(), {**good, "webhook-id": "wh_2"}),
        (body(), {**good, "webhook-timestamp": str(NOW - 1)}),
        (body(), {**good, "webhook-timestamp": "yesterday"}),
        (body(), {**good, "webhook-timestamp": ""}),
        (body(), {**good, "webhook-signature": ""}),
        (body(), {**good, "webhook-signature": "v1,"}),
        (body(), {**good, "webhook-signature": "v1,\u00e4\u00f6"}),
        (b"\xff\xfe", good),
        (b"", good),
    ]


@pytest.mark.parametrize(("content", "headers"), _forgeries())
def test_whatever_is_not_signed_as_it_stands_is_refused(
    content: bytes, headers: dict[str, str]
) -> None:
    """A changed byte, a changed header, a missing one, or no text at all."""
    with pytest.raises(ForgedWebhookError):
        read_webhook(content, headers, SECRET)


def test_a_secret_that_is_no_base64_believes_nothing() -> None:
    """A mistyped setting refuses; it does not fail otherwise."""
    with pytest.raises(ForgedWebhookError):
        read_webhook(body(), signed(body()), "whsec_!")


@pytest.mark.parametrize("kind", ["batch.completed", "response.of.tomorrow", "x", ""])
def test_other_types_tell_nothing_of_responses(kind: str) -> None:
    """They are the provider's to send, and ours to pass over."""
    content = body(type=kind, data=None, created_at=None)
    assert read_webhook(content, signed(content), SECRET).response_id is None


@pytest.mark.parametrize(
    "content",
    [
        b"not json",
        b"[]",
        b"null",
        body(type=None),
        body(data=None),
        body(data={}),
        body(data={"id": 7}),
        body(data={"id": ""}),
        body(created_at=None),
        body(created_at="now"),
        body(created_at=True),
        body(created_at=float("nan")),
    ],
)
def test_what_is_signed_and_no_event_is_malformed(content: bytes) -> None:
    """That names the field and quotes nothing."""
    with pytest.raises(MalformedWebhookError):
        read_webhook(content, signed(content), SECRET)
