"""Writers whose death the locks in the shared folder prove: nobody waits for them any more."""

import asyncio
from collections.abc import Collection, Mapping

from demurrage.decide.death import may_be_retired
from demurrage.decide.ledger import Ledger
from demurrage.engine.look import Target
from demurrage.engine.ports import Store

PROOF = "its lock is gone"


async def retire_dead(
    dead: Collection[str],
    ledger: Ledger,
    retired: Mapping[str, float],
    targets: Collection[Target],
    store: Store,
) -> None:
    """Retire those whose record is whole, as every target's rules see it.

    The moment that is stored is the latest that any target's clock shows now, after the proof:
    the process was dead by then, and what it began it had begun.

    Args:
        dead: sources whose processes are proven dead, and all of whose lines are in the ledger.
        ledger: the folded log.
        retired: who was retired before, and when.
        targets: all that are watched.
        store: where it is recorded.
    """
    clocks = [each.api.clock for each in targets]
    # A moment on the local clock alone could lie before the death.
    if not dead or any(each.jumped or each.offset is None for each in clocks):
        return
    at = max(each.now() for each in clocks)
    for name in sorted(dead):
        source = ledger.sources.get(name)
        if source is not None and all(
            may_be_retired(source, retired, each.rules.evidence, each.api.clock.now())
            for each in targets
        ):
            await asyncio.to_thread(store.retire_writer, name, at, PROOF)


def is_over(ledger: Ledger, retired: Mapping[str, float], name: str) -> bool:
    """True when a source said goodbye, all of it held, or was retired."""
    source = ledger.sources.get(name)
    return name in retired or (source is not None and source.said_goodbye)
