"""Does listing refresh activity? An idle container of the canary's own is listed for a while."""

from demurrage.app.canary.bench import Bench
from demurrage.app.canary.lookout import SLACK, UnclearError
from demurrage.model.finding import Answer, Finding

QUESTION = "listing-refreshes"
# Over less than this, whole seconds tell nothing.
_LEAST_SPAN = 3.0


async def refreshing(bench: Bench) -> list[Finding]:
    """List it and see whether its activity moves.

    Raises:
        UnclearError: it was not listed, shows no activity, or was not looked at for long enough.
    """
    looking = bench.lookout()
    looking.narrow()
    container_id = await bench.container()
    if not await looking.until(lambda: container_id in looking.showing, bench.pace.patience):
        raise UnclearError("the container that the canary made was never listed")
    first, began_at = looking.seen[container_id].row.last_active_at, looking.looks
    since = bench.api.clock.now()
    await looking.until(lambda: False, max(bench.pace.quiet, _LEAST_SPAN))
    last = looking.seen[container_id].row.last_active_at
    if first is None or last is None:
        raise UnclearError("the listing shows no activity")
    if container_id not in looking.showing:
        raise UnclearError("the container went while it was looked at")
    moved, over = last - first, bench.api.clock.now() - since
    figures = {
        "activity moved by": moved,
        "listed for": round(over, 1),
        "listings": looking.looks - began_at,
    }
    # A second may be the rounding of two machines.
    return [Finding(QUESTION, Answer.YES if moved > SLACK else Answer.NO, "", figures)]
