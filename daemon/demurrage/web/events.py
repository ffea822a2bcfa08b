"""The door through which applications tell what they did."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from demurrage.eventlog.parse import Line, parse_batch
from demurrage.eventlog.wire import KNOWN
from demurrage.model.error import LogUnreadableError, MalformedEventError
from demurrage.model.event import ContainerReleased, ConversationEnded, Unheard, reserved
from demurrage.web.doors import Doors
from demurrage.web.guards import EVENTS_PATH
from demurrage.web.problems import ProblemError, documented, unavailable
from demurrage.web.service import Service

ONE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
EITHER = "application/json"
TIME_HEADER = "demurrage-time"
_ENCODINGS = frozenset({"", "identity"})
_CHARSETS = frozenset({"", "utf-8", "utf8"})


class Accepted(BaseModel):
    """What became of a batch; all of it is on the disk."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)

    accepted: int
    """Events that are new."""
    duplicates: int
    """Events that the log held already, word for word."""


def events_router(service: Service, doors: Doors) -> APIRouter:
    """`POST /v1/events`."""
    router = APIRouter(tags=["events"])

    @router.post(
        EVENTS_PATH,
        status_code=HTTPStatus.ACCEPTED,
        summary="Append one CloudEvent or a batch",
        responses=documented(
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.MISDIRECTED_REQUEST,
            HTTPStatus.INTERNAL_SERVER_ERROR,
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        openapi_extra={"requestBody": _request_body()},
    )
    async def append(request: Request, response: Response) -> Accepted:
        """All of a batch is stored, durably, before the answer; or nothing of it.

        The header `demurrage-time` tells the time at the API of the first event's target, in epoch
        seconds: by it a writer knows how its own clock stands. It is left out while that time is
        not known for certain.
        """
        media_type = _media_type(request)
        body = await request.body()
        # Reading a large batch takes a while; the daemon's cycles go on meanwhile.
        lines = await asyncio.to_thread(_read, body, media_type)
        batch = body.lstrip()[:1] == b"["
        _refuse_own_names(lines, batch=batch)
        _refuse_strange_targets(lines, sorted(service.rules), batch=batch)
        if not doors.may_end:
            _refuse_ends(lines, batch=batch)
        try:
            result = await asyncio.to_thread(service.log.append, lines, appended_at=service.clock())
        except LogUnreadableError:
            service.engine.miss()
            detail = "the event log cannot be written now; send the same again later"
            raise unavailable("log-unavailable", detail) from None
        told = service.engine.provider_time(lines[0].event.target) if lines else None
        if told is not None:
            response.headers[TIME_HEADER] = f"{told:.3f}"
        return Accepted(accepted=result.accepted, duplicates=result.duplicates)

    return router


def _request_body() -> dict[str, object]:
    one: dict[str, object] = {
        "type": "object",
        "description": f"A CloudEvent 1.0; known types: {', '.join(KNOWN)}.",
        "required": ["specversion", "id", "source", "type", "time"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string"},
            "source": {"type": "string"},
            "type": {"type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "sequence": {"type": "integer", "minimum": 1},
            "data": {"type": "object"},
        },
    }
    many = {"type": "array", "items": one}
    return {
        "required": True,
        "content": {
            ONE: {"schema": one},
            BATCH: {"schema": many},
            EITHER: {"schema": {"anyOf": [one, many]}},
        },
    }


def _media_type(request: Request) -> str:
    """The type of the body.

    Only JSON types are taken: a page of another site cannot send one without the browser asking
    the daemon first, and the daemon never says yes.
    """
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.partition("charset=")[2].strip(' "')
    encoding = request.headers.get("content-encoding", "").lower()
    kind = kind.strip()
    if kind not in (ONE, BATCH, EITHER) or charset not in _CHARSETS or encoding not in _ENCODINGS:
        detail = f"send {ONE}, {BATCH} or {EITHER}, in UTF-8 and not compressed"
        status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        raise ProblemError(status, "unsupported-media-type", detail)
    return kind


def _read(body: bytes, media_type: str) -> tuple[Line, ...]:
    batch = body.lstrip()[:1] == b"["
    if media_type == ONE and batch:
        raise _malformed("", f"one event is expected; an array is sent as {BATCH}")
    if media_type == BATCH and not batch:
        raise _malformed("", f"an array is expected; one event is sent as {ONE}")
    try:
        return parse_batch(body)
    except MalformedEventError as error:
        pointer = error.path if error.index is None else f"/{error.index}{error.path}"
        raise _malformed(pointer, error.reason) from None


def _refuse_own_names(lines: Sequence[Line], *, batch: bool) -> None:
    """An application, or whatever else is on this machine, must not speak as a person."""
    for index, line in enumerate(lines):
        if reserved(line.event.source):
            detail = "sources of this namespace are the daemon's own; use another name"
            pointer = _pointer(index, "/source", batch=batch)
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "reserved-source", f"{pointer}: {detail}", pointer=pointer
            )


def _refuse_strange_targets(lines: Sequence[Line], known: Sequence[str], *, batch: bool) -> None:
    """A writer that mistyped its target would otherwise wait for proof that never comes."""
    for index, line in enumerate(lines):
        event = line.event
        if event.target in known or isinstance(event.fact, Unheard):
            continue
        pointer = _pointer(index, "/data/target", batch=batch)
        reason = f"this daemon watches no such target; it watches {', '.join(known)}"
        raise _malformed(pointer, reason, known_targets=list(known))


def _refuse_ends(lines: Sequence[Line], *, batch: bool) -> None:
    """Whoever is on this machine must not be able to let go of what an application needs."""
    for index, line in enumerate(lines):
        if isinstance(line.event.fact, ContainerReleased | ConversationEnded):
            pointer = _pointer(index, "/type", batch=batch)
            detail = (
                "what ends things is taken from applications that show the events token, or over "
                "the unix socket; set http.events_token_env, or use http.socket"
            )
            raise ProblemError(
                HTTPStatus.FORBIDDEN, "end-needs-token", f"{pointer}: {detail}", pointer=pointer
            )


def _pointer(index: int, path: str, *, batch: bool) -> str:
    return f"/{index}{path}" if batch else path


def _malformed(pointer: str, reason: str, **more: Any) -> ProblemError:
    detail = f"{pointer or 'the body'}: {reason}"
    return ProblemError(HTTPStatus.BAD_REQUEST, "malformed-event", detail, pointer=pointer, **more)
