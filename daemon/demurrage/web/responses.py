"""Which container did my response make?"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from demurrage.eventlog.attempts import Attempt, attempts, by_target
from demurrage.eventlog.reading import Kept
from demurrage.model.case import ContainerEntry
from demurrage.model.event import RESOLVER, Entry, Known
from demurrage.web.containers import ERRORS, Id, plain_entry
from demurrage.web.plain import plain
from demurrage.web.problems import ProblemError, documented, not_found
from demurrage.web.service import Service


def responses_router(service: Service) -> APIRouter:
    """`GET /v1/responses/{id}`, and the place of adoption."""
    router = APIRouter(tags=["reading"])

    @router.get(
        "/v1/responses/{id}",
        summary="Which container did my response make, and which does it name",
        responses=documented(*ERRORS, HTTPStatus.NOT_FOUND),
    )
    def trace(id: Id) -> dict[str, Any]:  # noqa: A002 - the path's own word
        """`basis` says how sure it is: `named` by the response, or `matched` by the count."""
        mentioned = service.log.events_about([id])
        own = _outranking([each for each in attempts(mentioned) if each.response_id == id])
        if not own and not _only_known(mentioned, id):
            raise not_found("no logged event is of this response")
        calls = by_target(own)
        whole = attempts(service.log.events_about([each.call_id for each in own])) if own else ()
        made = {
            target: service.store.containers_made_by(target, some) for target, some in calls.items()
        }
        return {
            "response_id": id,
            "calls": [
                _told(each, made[each.target])
                for each in whole
                if each.call_id in calls.get(each.target, ())
            ],
            "note": None
            if own
            else "only the id is logged: its request is not, so nothing can be said of containers",
        }

    @router.post(
        "/v1/responses/{id}/adopt",
        summary="Reserved: hand an unused container to the next turn",
        status_code=HTTPStatus.NOT_IMPLEMENTED,
        response_class=Response,
        responses=documented(*ERRORS, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_IMPLEMENTED),
    )
    async def adopt(id: Id) -> None:  # noqa: A002, ARG001 - the path's own word
        """Always 501 in this version."""
        detail = "adoption is reserved for a later version"
        raise ProblemError(HTTPStatus.NOT_IMPLEMENTED, "not-implemented", detail)

    return router


def _outranking(own: list[Attempt]) -> list[Attempt]:
    """Without what the daemon has read itself, where an application logged the same response."""
    logged = [each for each in own if each.source != RESOLVER]
    return logged or own


def _only_known(records: Sequence[Kept], response_id: str) -> bool:
    return any(
        isinstance(kept.record, Entry) and kept.record.event.fact == Known(response_id)
        for kept in records
    )


def _told(attempt: Attempt, made: Sequence[ContainerEntry]) -> dict[str, Any]:
    """One request: what it named, what it most likely made, and how sure that is."""
    own = [entry for entry in made if _maker(entry) == attempt.call_id]
    return {
        **plain(attempt),
        "made": [
            {
                **plain_entry(entry),
                "basis": "named" if entry.sighting.id in attempt.named else "matched",
            }
            for entry in own
        ],
        "note": _note(attempt, own),
    }


def _maker(entry: ContainerEntry) -> str | None:
    return entry.latest.verdict.maker if entry.latest is not None else None


def _note(attempt: Attempt, made: Sequence[ContainerEntry]) -> str:
    if attempt.started_at is None:
        return "its start is not logged, so what it may have made is not known"
    if not attempt.auto_slots:
        return "it had no auto slot, so it can have made no container"
    if made and all(entry.sighting.id in attempt.named for entry in made):
        return "it names the container that it made"
    if made:
        return (
            "no response names the container: matching births to logged requests makes this "
            "one the most likely maker, not a proven one"
        )
    if not attempt.ended:
        return "its end is not known, so it may have made a container, or may still make one"
    return "no listed container is attributed to it: it made none, or it was gone unseen"
