"""A person lets a held sweep go on."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field

from demurrage.engine.resuming import resume
from demurrage.web.acting import ACTOR, refuse_unless_open
from demurrage.web.case import plain_hold
from demurrage.web.containers import ERRORS, Id
from demurrage.web.doors import Doors
from demurrage.web.problems import ProblemError, documented, not_found
from demurrage.web.service import Service

# A yes is for what a person has seen; nobody has seen what comes after a day.
_LONGEST = 86_400.0


class Resume(BaseModel):
    """A person's yes to one hold."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True
    )

    until: float = Field(gt=0, allow_inf_nan=False)
    """Until when, in epoch seconds; at most a day ahead."""


def holds_router(service: Service, doors: Doors) -> APIRouter:
    """`POST /v1/holds/{id}/resume`."""
    router = APIRouter(tags=["acting"])

    @router.post(
        "/v1/holds/{id}/resume",
        summary="Let a held sweep go on, for this hold only and until a moment",
        responses=documented(
            *ERRORS,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        ),
    )
    def resumed(id: Id, body: Annotated[Resume, Body()]) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """Answers with the hold as it stands from the next cycle on."""
        refuse_unless_open(doors, "demurrage resume")
        hold = service.store.hold(id)
        if hold is None:
            raise not_found("there never was a hold of this id")
        now = service.store.provider_now(hold.target, service.clock())
        if body.until > now + _LONGEST:
            detail = "a hold is resumed for a day at most"
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-body", detail, pointer="/until"
            )
        try:
            yes = resume(service.store, hold, now=now, until=body.until, by=ACTOR)
        except ValueError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "hold-not-resumable", str(error)) from None
        return plain_hold(yes)

    return router
