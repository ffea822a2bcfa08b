"""Telling the service manager how the daemon does: started, at work, stuck."""

import asyncio
from collections import Counter

from demurrage.app.notify import Manager
from demurrage.web.probes import not_fresh, standing_still
from demurrage.web.service import Service

# Seconds between two looks, where no watchdog wants them more often.
_PACE = 5.0
# The first cycle is short, or fails at once; whoever waits for the start should not wait longer.
_FIRST_PACE = 0.1


async def report(service: Service, manager: Manager) -> None:
    """Tell the manager of the start, of progress, and how it goes; to be cancelled at the end.

    The daemon is ready once every target's first cycle was tried, whatever came of it: a start
    while the API is away is a start. The watchdog is fed by the cycles' own progress and by
    nothing else: a loop that turns while a cycle hangs is taken for dead, as `/healthz` does.
    """
    while not all(target in service.engine.turned_at for target in service.rules):
        _beat(service, manager)
        await asyncio.sleep(_FIRST_PACE)
    manager.status(words(service))
    manager.ready()
    pace = _PACE if manager.beat_every is None else min(_PACE, manager.beat_every)
    while True:
        _beat(service, manager)
        manager.status(words(service))
        await asyncio.sleep(pace)


def _beat(service: Service, manager: Manager) -> None:
    if manager.beat_every is not None and not list(standing_still(service)):
        manager.beat()


def words(service: Service) -> str:
    """How the daemon does, in a line."""
    troubles = [*standing_still(service), *not_fresh(service)]
    verdicts: Counter[str] = Counter()
    for status in service.engine.statuses.values():
        verdicts.update(status.get("verdicts", {}))
    what = ", ".join(f"{count} {kind}" for kind, count in sorted(verdicts.items()) if count)
    modes = sorted(
        {str(each.get("effective_mode", service.mode)) for each in service.engine.statuses.values()}
    )
    head = f"{'/'.join(modes) or service.mode}; containers: {what or 'none'}"
    return f"{head}; {'; '.join(troubles)}" if troubles else head
