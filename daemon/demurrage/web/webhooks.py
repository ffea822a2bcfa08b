"""The door through which the provider tells that a background response has ended.

Its signature is the token: a delivery comes from outside, through whatever proxy leads here, and
bears none of ours. It tells no more than an id; the daemon reads the response itself.
"""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from demurrage.model.error import LogUnreadableError, MalformedEventError
from demurrage.model.event import WEBHOOK
from demurrage.model.webhook import WebhookOutcome
from demurrage.provider.webhooks import (
    ForgedWebhookError,
    MalformedWebhookError,
    Webhook,
    read_webhook,
)
from demurrage.web.guards import WEBHOOKS_PATH
from demurrage.web.problems import ProblemError, documented, not_found, unavailable
from demurrage.web.service import Service

_LONGEST_NAME = 512


def webhooks_router(service: Service) -> APIRouter:
    """`POST /webhooks/openai/{target}`."""
    router = APIRouter(tags=["events"])

    @router.post(
        WEBHOOKS_PATH + "{target}",
        summary="Take a signed webhook of the provider",
        status_code=HTTPStatus.NO_CONTENT,
        response_class=Response,
        responses=documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )
    async def receive(
        target: Annotated[str, Path(max_length=_LONGEST_NAME)], request: Request
    ) -> None:
        """204 once it is durably stored, is known already, or tells nothing of responses."""
        secret = _secret(service, target)
        body = await request.body()
        try:
            webhook = read_webhook(body, request.headers, secret)
        except ForgedWebhookError:
            service.on_webhook(target, WebhookOutcome.REFUSED)
            detail = (
                "the signature is wrong, missing or older than five minutes; check "
                "webhook_secret_env, and the clock"
            )
            raise ProblemError(HTTPStatus.BAD_REQUEST, "bad-signature", detail) from None
        except MalformedWebhookError as error:
            service.on_webhook(target, WebhookOutcome.MALFORMED)
            raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-webhook", str(error)) from None
        service.on_webhook(target, await _record(service, target, webhook))

    return router


def _secret(service: Service, target: str) -> str:
    if target not in service.rules:
        raise not_found("this daemon watches no such target")
    secret = service.webhook_secrets.get(target)
    if secret is None:
        detail = "this target takes no webhooks; name the variable with its secret in "
        raise not_found(f"{detail}webhook_secret_env")
    return secret.get_secret_value()


async def _record(service: Service, target: str, webhook: Webhook) -> WebhookOutcome:
    """Write the response's id down; every delivery of one webhook is the very same event."""
    if webhook.response_id is None:
        return WebhookOutcome.IGNORED
    try:
        event = _event(target, webhook.id, webhook.response_id, webhook.created_at)
        result = await asyncio.to_thread(service.log.append, [event], appended_at=service.clock())
    except (MalformedEventError, OverflowError, ValueError):
        service.on_webhook(target, WebhookOutcome.MALFORMED)
        detail = "the webhook's id, its time or the response's id cannot be one"
        raise ProblemError(HTTPStatus.BAD_REQUEST, "malformed-webhook", detail) from None
    except LogUnreadableError:
        service.on_webhook(target, WebhookOutcome.FAILED)
        service.engine.miss()
        detail = "the event log cannot be written now; it is sent again later"
        raise unavailable("log-unavailable", detail) from None
    return WebhookOutcome.RECORDED if result.accepted else WebhookOutcome.REPEATED


def _event(target: str, webhook_id: str, response_id: str, created_at: float) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": webhook_id,
        "source": WEBHOOK,
        "type": "demurrage.response.known",
        "time": datetime.fromtimestamp(created_at, UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"target": target, "response_id": response_id},
    }
