"""Opening store and log, be they away for now: wait, say so, try again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog

from demurrage.app.assembly import VERSION, State, open_state
from demurrage.app.doorway import Doorway
from demurrage.app.notify import Manager
from demurrage.app.settings import Settings
from demurrage.model.error import AlreadyRunningError, StoreAwayError, StoreUnusableError
from demurrage.observe.metrics import Metrics
from demurrage.store.lock import StoreLock
from demurrage.web.waiting import create_waiting_app

# Seconds until the next try: each pause is twice the one before, up to the longest, so that
# whoever was away for long is found again within moments.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
# Seconds after which the same trouble is said again.
_REMINDER = 300.0
# Seconds between two beats, where no watchdog wants them more often; and for how long the
# service manager is asked to wait on, each time.
_PACE, _EXTENSION = 5.0, 60.0


async def open_patiently(
    settings: Settings,
    lock: StoreLock,
    ordered: asyncio.Task[Settings | None],
    manager: Manager,
    doorway: Doorway,
) -> State | None:
    """Take the lock and open store and log, as soon as they are there.

    Meanwhile the daemon is alive and not ready, and says why.

    Args:
        settings: say where.
        lock: taken here, unless it was taken before.
        ordered: done when an order has come; then nothing is waited for any more.
        manager: told of it.
        doorway: shows it.

    Returns:
        None when an order came first.

    Raises:
        SettingsError: an address cannot be bound.
        StoreUnusableError: waiting does not help.
        AlreadyRunningError: another daemon runs on the store.
    """
    reason = await _try(settings, lock)
    if isinstance(reason, State):
        return reason
    log, began = structlog.get_logger("demurrage"), time.monotonic()
    metrics = Metrics(VERSION, settings.targets, settings.sinks)
    app = partial(create_waiting_app, VERSION, began, metrics.exposition)
    async with _pulse(manager):
        await doorway.show(app, app)
        pause, said, said_at = _FIRST_PAUSE, "", began
        while not ordered.done():
            words = str(reason)
            manager.status(f"waits for its store: {words}")
            if words != said or time.monotonic() - said_at > _REMINDER:
                log.warning("store_away", reason=words)
                said, said_at = words, time.monotonic()
            await asyncio.wait((ordered,), timeout=pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            if ordered.done():
                break
            reason = await _try(settings, lock)
            if isinstance(reason, State):
                log.info("store_back", seconds=round(time.monotonic() - began, 3))
                return reason
    return None


async def _try(settings: Settings, lock: StoreLock) -> State | StoreAwayError:
    """One attempt, in a thread: a server that does not answer takes a while to be given up."""

    def attempt() -> State:
        if not lock.taken:
            lock.acquire()
        return open_state(settings, lock)

    try:
        return await asyncio.to_thread(attempt)
    except StoreAwayError as error:
        return error
    except StoreUnusableError as error:
        if lock.ousted:
            raise AlreadyRunningError(str(error)) from error
        raise


@asynccontextmanager
async def _pulse(manager: Manager) -> AsyncIterator[None]:
    """Keep a service manager from giving up while somebody else is waited for."""

    async def beat() -> None:
        while True:
            manager.extend(_EXTENSION)
            if manager.beat_every is not None:
                manager.beat()
            await asyncio.sleep(min(_PACE, manager.beat_every or _PACE))

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
