"""Does DELETE remove a container, and with which header?

A container of the canary's own is deleted twice. That the second DELETE does not find it any more
proves the first; where the second says yes as well, the listing decides, in which a deleted
container may stay for minutes.
"""

from demurrage.app.canary.bench import Bench
from demurrage.app.canary.lookout import UnclearError
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.finding import Answer, Figure, Finding

QUESTION = "delete-removes"
BETA = "containers=v1"

_WAYS = (("", "without a header"), (BETA, f"with OpenAI-Beta: {BETA}"))


async def deleting(bench: Bench) -> list[Finding]:
    """Delete it without the header, and with it where that does nothing.

    Raises:
        UnclearError: it was never listed, or a DELETE failed.
    """
    looking = bench.lookout()
    looking.narrow()
    container_id = await bench.container()
    if not await looking.until(lambda: container_id in looking.showing, bench.pace.patience):
        raise UnclearError("the container that the canary made was never listed")
    figures: dict[str, Figure] = {}
    for beta, words in _WAYS:
        first = await _ask(bench, container_id, beta)
        if first is DeleteOutcome.ALREADY_GONE:
            raise UnclearError("the container was gone before it was deleted")
        second = await _ask(bench, container_id, beta)
        gone = second is DeleteOutcome.ALREADY_GONE
        figures = {"DELETE says": first.value, "a second DELETE says": second.value}
        if not gone and first is DeleteOutcome.DELETED:
            gone = await looking.until(
                lambda: container_id not in looking.showing, bench.pace.tombstone
            )
            figures["listed to the end"] = "no" if gone else "yes"
        if gone:
            bench.beta = beta
            return [Finding(QUESTION, Answer.YES, words, figures)]
    return [Finding(QUESTION, Answer.NO, "", figures)]


async def _ask(bench: Bench, container_id: str, beta: str) -> DeleteOutcome:
    answer = await bench.delete(container_id, beta)
    if answer.outcome in (DeleteOutcome.FAILED, DeleteOutcome.UNCERTAIN):
        why = "" if answer.failure is None else f": {answer.failure.detail}"
        raise UnclearError(f"the DELETE failed{why}")
    return answer.outcome
