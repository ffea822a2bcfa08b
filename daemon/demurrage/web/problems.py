"""Errors as RFC 9457 has them: problem+json that names what is wrong and quotes nothing."""

from http import HTTPStatus
from typing import Any, Literal

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from demurrage.model.error import LogUnreadableError, StoreFailedError

MEDIA_TYPE = "application/problem+json"
# Seconds after which a log or store that failed is worth another try.
RETRY_AFTER = 5
_PREFIX = "urn:demurrage:problem:"

# The last part of a problem's type; clients rely on them, and each has its runbook.
Kind = Literal[
    "acts-closed",
    "bad-host",
    "bad-request",
    "bad-signature",
    "body-too-large",
    "end-needs-token",
    "foreign-site",
    "hold-not-resumable",
    "incident-over",
    "internal-error",
    "invalid-body",
    "invalid-parameter",
    "log-unavailable",
    "malformed-event",
    "malformed-webhook",
    "method-not-allowed",
    "not-found",
    "not-implemented",
    "not-ready",
    "not-turning",
    "reserved-source",
    "store-unavailable",
    "unauthorized",
    "unsupported-media-type",
    "wrong-host",
]
# What the router and the body's limit refuse. Not by the status's phrase, which differs between
# versions of Python.
_REFUSED: dict[int, Kind] = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-large",
}


class Problem(BaseModel):
    """One error. `pointer` is a JSON pointer into the request's body."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="allow")

    type: str = Field(pattern=f"^{_PREFIX}[a-z-]+$")
    """What kind of error it is; stable."""
    title: str
    """The kind in words."""
    status: int
    """The HTTP status."""
    detail: str | None = None
    """What is wrong with this request, and what to do."""
    pointer: str | None = None
    """The field that is wrong."""


class ProblemError(Exception):
    """A request is refused.

    Args:
        status: the HTTP status.
        kind: the last part of the problem's type.
        detail: one sentence; never quotes what was sent.
        pointer: the JSON pointer of the bad field.
        headers: sent along.
        more: further members of the problem.
    """

    def __init__(
        self,
        status: HTTPStatus,
        kind: Kind,
        detail: str,
        *,
        pointer: str | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.pointer = pointer
        self.headers = headers
        self.more = more

    def response(self) -> JSONResponse:
        """The answer that says so."""
        problem = Problem(
            type=f"{_PREFIX}{self.kind}",
            title=self.kind.replace("-", " ").capitalize(),
            status=self.status,
            detail=self.detail,
            pointer=self.pointer,
            **self.more,
        )
        return JSONResponse(
            problem.model_dump(exclude_none=True),
            status_code=self.status,
            headers=self.headers,
            media_type=MEDIA_TYPE,
        )


def not_found(detail: str) -> ProblemError:
    """What was asked for is not there."""
    return ProblemError(HTTPStatus.NOT_FOUND, "not-found", detail)


def documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """The errors of an operation, for its OpenAPI entry."""
    schema = Problem.model_json_schema()
    return {
        int(status): {"description": status.phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


async def on_problem(_request: Request, error: Exception) -> JSONResponse:
    """A request that an endpoint refused."""
    assert isinstance(error, ProblemError)  # noqa: S101 - the registration says so
    return error.response()


async def on_http(_request: Request, error: Exception) -> JSONResponse:
    """What the router or the body's limit refuses."""
    assert isinstance(error, HTTPException)  # noqa: S101 - the registration says so
    status = HTTPStatus(error.status_code)
    kind = _REFUSED.get(status, "bad-request")
    headers = dict(error.headers) if error.headers else None
    return ProblemError(
        status, kind, status.description or status.phrase, headers=headers
    ).response()


async def on_invalid(_request: Request, error: Exception) -> JSONResponse:
    """A parameter or body that does not fit; only its name and the rule are told."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - the registration says so
    found = error.errors()[0]
    place, *steps = (str(step) for step in found["loc"])
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if place == "body":
        # Where the body is no JSON at all, the step is an offset, not a field.
        fields = [] if found["type"] == "json_invalid" else steps
        pointer = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in fields)
        detail = f"{pointer or 'the body'}: {found['msg']}"
        return ProblemError(status, "invalid-body", detail, pointer=pointer).response()
    detail = f"{place} parameter {'.'.join(steps)}: {found['msg']}"
    return ProblemError(status, "invalid-parameter", detail).response()


async def on_trouble(_request: Request, error: Exception) -> JSONResponse:
    """Store or log cannot be used now; their own words may hold paths and stay inside."""
    kind: Kind = "store-unavailable"
    what = "store"
    if isinstance(error, LogUnreadableError):
        kind, what = "log-unavailable", "event log"
    return unavailable(kind, f"the {what} cannot be used now; try again later").response()


def unavailable(kind: Kind, detail: str, **more: Any) -> ProblemError:
    """Not now, and when to try again."""
    headers = {"Retry-After": str(RETRY_AFTER)}
    return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, kind, detail, headers=headers, **more)


HANDLERS = {
    ProblemError: on_problem,
    HTTPException: on_http,
    RequestValidationError: on_invalid,
    StoreFailedError: on_trouble,
    LogUnreadableError: on_trouble,
}
