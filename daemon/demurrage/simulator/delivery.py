"""How a writer's batches reach a daemon over HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

CloudEvent = dict[str, Any]
Send = Callable[[Sequence[CloudEvent]], Awaitable[None]]

_MEDIA_TYPE = "application/cloudevents-batch+json"
_ACCEPTED = 202
_TIMEOUT = 10.0


class NotDelivered(OSError):  # noqa: N818 - reads as what it says
    """The daemon did not take the batch now; it must be offered again."""


def over_http(url: str, token: str | None = None) -> Send:
    """A sender that posts to `url`'s `/v1/events`.

    Args:
        url: the daemon's root, such as `http://127.0.0.1:9470`.
        token: the bearer token for events, if the daemon wants one.
    """
    split = urlsplit(url)

    def post(events: Sequence[CloudEvent]) -> None:
        headers = {"Content-Type": _MEDIA_TYPE}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = HTTPConnection(split.netloc, timeout=_TIMEOUT)
        try:
            body = json.dumps(list(events), separators=(",", ":"))
            connection.request("POST", f"{split.path.rstrip('/')}/v1/events", body, headers)
            status = connection.getresponse().status
        except HTTPException as error:
            raise NotDelivered(type(error).__name__) from error
        finally:
            connection.close()
        if status != _ACCEPTED:
            raise NotDelivered(f"status {status}")

    async def send(events: Sequence[CloudEvent]) -> None:
        await asyncio.to_thread(post, events)

    return send
