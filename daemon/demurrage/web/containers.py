"""Containers: a page of them, or the whole case of one."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from demurrage.eventlog.proxy_ids import undecodable
from demurrage.model.case import ContainerEntry
from demurrage.model.rules import Rules
from demurrage.model.verdict import VerdictKind
from demurrage.web.case import case_of, open_case
from demurrage.web.plain import plain_sighting, plain_verdict
from demurrage.web.problems import ProblemError, documented, not_found
from demurrage.web.service import Service

# No id has control characters, and a database may refuse the null byte.
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
_LONGEST_ID = 1024
ERRORS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE,
)

Id = Annotated[str, Path(min_length=1, max_length=_LONGEST_ID, pattern=_PRINTABLE)]
AnId = Annotated[str | None, Query(min_length=1, max_length=_LONGEST_ID, pattern=_PRINTABLE)]


def containers_router(service: Service) -> APIRouter:
    """`GET /v1/containers` and `GET /v1/containers/{id}`."""
    router = APIRouter(tags=["reading"])

    @router.get(
        "/v1/containers",
        summary="A page of the inventory, the newest birth first",
        responses=documented(*ERRORS, HTTPStatus.NOT_FOUND),
    )
    def page(
        target: AnId = None,
        verdict: VerdictKind | None = None,
        alive: bool | None = None,  # noqa: FBT001 - a query parameter has a name
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        after: AnId = None,
    ) -> dict[str, Any]:
        """`next` is the `after` of the next page, null on the last one."""
        known_target(service, target)
        found = service.store.containers(target, verdict, alive=alive, limit=limit, after=after)
        return {
            "containers": [plain_entry(each) for each in found],
            "next": found[-1].sighting.id if len(found) == limit else None,
        }

    @router.get(
        "/v1/containers/{id}",
        summary="The whole case of a container: evidence, verdicts, money",
        responses=documented(*ERRORS, HTTPStatus.NOT_FOUND),
    )
    def case(id: Id, target: AnId = None) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """All moments are epoch seconds of the provider's clock, all money is estimated USD."""
        file = open_case(service.store, service.log, id, target)
        if file is None and undecodable(id):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "invalid-parameter",
                "path parameter id: is a proxy's id, from which the provider's own cannot be read",
            )
        if file is None:
            raise not_found("neither the inventory nor the event log knows this container")
        rules = service.rules.get(file.case.target, Rules())
        return case_of(file, rules.billing, service.clock())

    return router


def known_target(service: Service, target: str | None) -> None:
    """A mistyped target is no empty answer.

    Raises:
        ProblemError: 404, naming the targets that there are.
    """
    if target is not None and target not in service.rules:
        raise not_found(f"there is no such target; there are {', '.join(sorted(service.rules))}")


def plain_entry(entry: ContainerEntry) -> dict[str, Any]:
    """One container of a list."""
    latest = entry.latest
    return {
        "target": entry.target,
        **plain_sighting(entry.sighting),
        "verdict": plain_verdict(latest) if latest is not None else None,
    }
