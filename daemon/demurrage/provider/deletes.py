"""Deletes one container and reads what the API says of it; the SDK would throw that away."""

from collections.abc import Awaitable, Callable
from typing import Any

from demurrage.model.condition import ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.listing import DeleteAnswer, Failure
from demurrage.provider.answer import Answer, BrokenJsonError, NotJsonError
from demurrage.provider.budget import Priority
from demurrage.provider.calls import Caller, Reply
from demurrage.provider.faults import about_container, broken_json, fault_of, not_json
from demurrage.provider.guard import safe_id

# `client.containers.with_raw_response.delete`
DeleteCall = Callable[[str], Awaitable[Any]]

_SUCCESS = range(200, 300)
# After these the container may be gone or not: only later listings tell. A 5xx often stands
# for an answer that was lost behind a gateway; an explicit "overloaded" does not.
_NOBODY_KNOWS = frozenset(
    {ConditionKind.TIMEOUT, ConditionKind.MALFORMED_JSON, ConditionKind.SERVER_ERROR}
)


class Deleter:
    """Deletes containers of one target.

    Args:
        caller: sends the calls.
        delete_call: the SDK's raw delete.
    """

    def __init__(self, caller: Caller, delete_call: DeleteCall) -> None:
        self._caller = caller
        self._delete = delete_call

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """Send one delete. Never raises for API faults; never sends an odd id."""
        if not safe_id(container_id):
            detail = "not sent: the id is no plain path segment"
            return DeleteAnswer(
                container_id,
                DeleteOutcome.FAILED,
                Failure(ConditionKind.DELETE_FAILED, detail),
            )

        async def send() -> Any:
            return await self._delete(container_id)

        def judge(answer: Answer) -> DeleteOutcome | Failure:
            return _read(answer, container_id)

        reply = await self._caller.call(Priority.DELETE, send, judge, hindrance)
        if reply.value is not None:
            return DeleteAnswer(container_id, reply.value)
        return DeleteAnswer(container_id, _failed(reply), reply.failure)


def _read(answer: Answer, container_id: str) -> DeleteOutcome | Failure:
    """DELETED or ALREADY_GONE when the API says so in so many words, else why not."""
    fault = fault_of(answer)
    if fault is None:
        return _confirmed(answer, container_id)
    if answer.status == 404 and about_container(answer, container_id):  # noqa: PLR2004 - HTTP's own number
        return DeleteOutcome.ALREADY_GONE
    return fault


def _confirmed(answer: Answer, container_id: str) -> DeleteOutcome | Failure:
    try:
        body = answer.json()
    except NotJsonError:
        return broken_json(answer) if not answer.body else not_json(answer)
    except BrokenJsonError:
        return broken_json(answer)
    deleted = body.get("deleted") if isinstance(body, dict) else None
    if deleted is False:
        return Failure(ConditionKind.DELETE_REFUSED, "the API did not delete it", answer.status)
    if deleted is not True:
        detail = "the answer does not say whether it deleted"
        return Failure(ConditionKind.UNEXPECTED_ANSWER, detail, answer.status)
    if body.get("id", container_id) != container_id:
        detail = "the answer speaks of another container"
        return Failure(ConditionKind.UNEXPECTED_ANSWER, detail, answer.status)
    return DeleteOutcome.DELETED


def _failed(reply: Reply[DeleteOutcome]) -> DeleteOutcome:
    """UNCERTAIN unless it is known that nothing was deleted, or the API did not even speak."""
    failure = reply.failure
    if not reply.sent or failure is None:
        return DeleteOutcome.FAILED
    if failure.kind == ConditionKind.DELETE_REFUSED:
        return DeleteOutcome.REFUSED
    unclear = failure.kind == ConditionKind.UNEXPECTED_ANSWER and failure.http_status in _SUCCESS
    if not reply.answered or unclear or failure.kind in _NOBODY_KNOWS:
        return DeleteOutcome.UNCERTAIN
    return DeleteOutcome.FAILED
