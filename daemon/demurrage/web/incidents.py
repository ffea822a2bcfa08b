"""Incidents: what is wrong now and what was, and what people say about it."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from demurrage.model.incident import LONGEST_SILENCE, Incident
from demurrage.web.acting import ACTOR, refuse_unless_open
from demurrage.web.containers import ERRORS, AnId, known_target
from demurrage.web.doors import Doors
from demurrage.web.plain import plain, plain_incident
from demurrage.web.problems import ProblemError, documented, not_found
from demurrage.web.service import Service

Number = Annotated[int, Path(ge=1, le=2**63 - 1)]

_ACTING = documented(
    *ERRORS,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
)


class Silence(BaseModel):
    """How long nothing of an incident is to be sent; one of the two."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True
    )

    until: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Until when, in epoch seconds; at most 30 days ahead."""
    for_: float | None = Field(
        default=None, alias="for", gt=0, le=LONGEST_SILENCE, allow_inf_nan=False
    )
    """For how many seconds from now."""

    def ends_at(self, now: float) -> float:
        """The moment that is meant.

        Raises:
            ProblemError: 422, where it is not one of the two, or not within bounds.
        """
        if (self.until is None) is (self.for_ is None):
            raise _refused("either `until` or `for` must be given", "")
        if self.until is None:
            return now + (self.for_ or 0.0)
        if not now < self.until <= now + LONGEST_SILENCE:
            raise _refused("must lie in the future, and at most 30 days ahead", "/until")
        return self.until


def incidents_router(service: Service, doors: Doors) -> APIRouter:
    """`/v1/incidents` and what lies below it."""
    router = APIRouter()

    def told(incident: Incident) -> dict[str, Any]:
        return plain_incident(incident, service.runbooks_url)

    @router.get(
        "/v1/incidents",
        summary="Incidents that are open, and the latest that are over",
        tags=["reading"],
        responses=documented(*ERRORS, HTTPStatus.NOT_FOUND),
    )
    def incidents(
        target: AnId = None, limit: Annotated[int, Query(ge=0, le=500)] = 100
    ) -> dict[str, Any]:
        """`limit` bounds the past ones, newest first; those that are open are all here."""
        known_target(service, target)
        store = service.store
        return {
            "open": [told(each) for each in store.open_incidents(target)],
            "past": [told(each) for each in store.past_incidents(target, limit)],
        }

    @router.get(
        "/v1/incidents/{id}",
        summary="One incident, and which sinks have been told of it",
        tags=["reading"],
        responses=documented(*ERRORS, HTTPStatus.NOT_FOUND),
    )
    def incident(id: Number) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """All moments are epoch seconds of the provider's clock, all money is estimated USD."""
        found = _known(service, id)
        return {
            **told(found),
            "deliveries": [plain(each) for each in service.store.deliveries(id)],
        }

    @router.post(
        "/v1/incidents/{id}/acknowledge",
        summary="Say that a person has taken note: only its escalation or end is sent from now on",
        tags=["acting"],
        responses=_ACTING,
    )
    def acknowledged(id: Number) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """Answers with the incident as it stands."""
        refuse_unless_open(doors, "demurrage incidents ack")
        said = service.store.acknowledge(id, service.clock(), ACTOR)
        return told(said or _over(service, id))

    @router.post(
        "/v1/incidents/{id}/silence",
        summary="Send nothing of an incident until a moment",
        tags=["acting"],
        responses=_ACTING,
    )
    def silenced(id: Number, body: Annotated[Silence, Body()]) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """Answers with the incident as it stands. The last word counts."""
        refuse_unless_open(doors, "demurrage incidents silence")
        now = service.clock()
        said = service.store.silence(id, body.ends_at(now), now, ACTOR)
        return told(said or _over(service, id))

    @router.delete(
        "/v1/incidents/{id}/silence",
        summary="Send what happens to an incident again",
        tags=["acting"],
        responses=_ACTING,
    )
    def unsilenced(id: Number) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """Answers with the incident as it stands."""
        refuse_unless_open(doors, "demurrage incidents unsilence")
        said = service.store.unsilence(id, service.clock(), ACTOR)
        return told(said or _over(service, id))

    return router


def _known(service: Service, incident_id: int) -> Incident:
    found = service.store.incident(incident_id)
    if found is None:
        raise not_found("there is no incident of this id")
    return found


def _over(service: Service, incident_id: int) -> Incident:
    """Say why nothing can be said of it.

    Raises:
        ProblemError: always.
    """
    _known(service, incident_id)
    detail = "the incident is over; nothing more is sent of it"
    raise ProblemError(HTTPStatus.CONFLICT, "incident-over", detail)


def _refused(detail: str, pointer: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-body", detail, pointer=pointer)
