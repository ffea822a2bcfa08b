"""Writers whose death the locks in the shared folder prove: nobody waits for them any more."""

import asyncio
from collections.abc import Collection, Mapping

from demurrage.decide.death import may_be_retired
from demurrage.decide.ledger import Ledger
from demurrage.decide.source import Source
from demurrage.decide.watermark import has_gone
from demurrage.engine.look import Target
from demurrage.engine.ports import Store
from demurrage.model.rules import EvidenceRules

PROOF = "its lock is gone"


async def retire_dead(
    dead: Collection[str],
    ledger: Ledger,
    retired: Mapping[str, float],
    targets: Collection[Target],
    store: Store,
) -> None:
    """Retire those whose record is whole, as every target's rules see it.

    The moment that is stored is one that trusted clocks show now, after the proof: the process was
    dead by then, and what it began it had begun. These are the clocks of the targets that it has
    logged for, all of them, for each bounds by that moment what it may have made there; of one
    that has begun nothing, any clock will do. Who logged for a target that does not answer waits.

    Args:
        dead: sources whose processes are proven dead, and all of whose lines are in the ledger.
        ledger: the folded log.
        retired: who was retired before, and when.
        targets: all that are watched.
        store: where it is recorded.
    """
    for name in sorted(dead):
        source = ledger.sources.get(name)
        at = None if source is None else _now(source, targets)
        if (
            source is not None
            and at is not None
            and all(may_be_retired(source, retired, each.rules.evidence, at) for each in targets)
        ):
            await asyncio.to_thread(store.retire_writer, name, at, PROOF)


def _now(source: Source, targets: Collection[Target]) -> float | None:
    """The latest moment on the clocks that bear on a writer; None where one is not trusted.

    A moment on the local clock alone could lie before the death.
    """
    own = [each.api.clock for each in targets if each.name in source.targets]
    trusted = [each.api.clock for each in targets if each.api.clock.trusted]
    if not all(each.trusted for each in own):
        return None
    return max((each.now() for each in own or trusted), default=None)


def all_over(ledger: Ledger, retired: Mapping[str, float]) -> frozenset[str]:
    """The sources that said goodbye, all of it held, or were retired."""
    return frozenset(
        (*retired, *(name for name, source in ledger.sources.items() if source.said_goodbye))
    )


def has_left(
    retired: Mapping[str, float], rules: Collection[EvidenceRules], source: Source
) -> bool:
    """True when nobody waits for a source any more, as every target's rules see it."""
    return source.said_goodbye or all(has_gone(source, retired, each) for each in rules)
