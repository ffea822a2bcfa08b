"""Webhooks of the provider: is it its own word, and which response is it about?

The SDK checks the signature over the very bytes that came (Standard Webhooks), and refuses what
is older or newer than its tolerance of five minutes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from openai import InvalidWebhookSignatureError

from demurrage.model.error import DemurrageError

if TYPE_CHECKING:
    from openai.resources.webhooks import Webhooks

# Sent for background responses, once each has ended.
_ABOUT_RESPONSES = frozenset(
    f"response.{status}" for status in ("completed", "failed", "incomplete", "cancelled")
)


class ForgedWebhookError(DemurrageError):
    """The signature is wrong, missing or too old: nothing says that the provider sent it."""


class MalformedWebhookError(DemurrageError):
    """It is signed, and is no event; the message names the field and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event of the provider's. `id` is the same for every delivery of it.

    `response_id` is None where the type tells nothing of responses. `created_at` is when the
    provider made the event, in epoch seconds.
    """

    id: str
    type: str
    response_id: str | None
    created_at: float


def read_webhook(body: bytes, headers: Mapping[str, str], secret: str) -> Webhook:
    """Check a delivery's signature, then read it.

    Args:
        body: the raw body.
        headers: with lower-case names.
        secret: the signing secret of the endpoint, `whsec_…` as the provider shows it.

    Raises:
        ForgedWebhookError: it is not proven to be the provider's.
        MalformedWebhookError: it is, and cannot be read.
    """
    try:
        _verifier().verify_signature(body, dict(headers), secret=secret)
    except (InvalidWebhookSignatureError, ValueError, TypeError):
        # A missing header is a ValueError, and so is a body that is no text; a signature that is
        # not ASCII makes the comparison itself fail.
        raise ForgedWebhookError("the signature is wrong, missing or too old") from None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedWebhookError("the body is not JSON") from None
    return _read(document, headers["webhook-id"])


@cache
def _verifier() -> "Webhooks":
    """The SDK's part for webhooks, loaded with the first of them.

    Checking asks nothing of the API, so it needs no client.
    """
    from openai.resources.webhooks import Webhooks  # noqa: PLC0415 - a megabyte, for who uses it

    return Webhooks.__new__(Webhooks)


def _read(document: Any, webhook_id: str) -> Webhook:
    kind = document.get("type") if isinstance(document, dict) else None
    if not isinstance(kind, str):
        raise MalformedWebhookError("/type: must be a text")
    if kind not in _ABOUT_RESPONSES:
        return Webhook(webhook_id, kind, None, 0.0)
    data = document.get("data")
    response_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(response_id, str) or not response_id:
        raise MalformedWebhookError("/data/id: must be the response's id")
    created_at = document.get("created_at")
    if isinstance(created_at, bool) or not isinstance(created_at, int | float):
        raise MalformedWebhookError("/created_at: must be a number")
    if not isfinite(created_at):
        raise MalformedWebhookError("/created_at: must be a number")
    return Webhook(webhook_id, kind, response_id, float(created_at))
