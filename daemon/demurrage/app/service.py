"""The daemon as a process: start, schedule, signals, stop."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from demurrage.alerts.sentry import start_sentry
from demurrage.app.assembly import VERSION, State, Works, build, canary, redactor
from demurrage.app.canary.job import CanaryJobs
from demurrage.app.canary.run import Canary
from demurrage.app.doors import service_of
from demurrage.app.doorway import Doorway
from demurrage.app.memory import give_back, share_arenas
from demurrage.app.notify import Manager
from demurrage.app.orders import Orders
from demurrage.app.patience import open_patiently
from demurrage.app.reporting import report
from demurrage.app.schedule import Schedule
from demurrage.app.settings import Settings
from demurrage.app.sinks import release
from demurrage.engine.outlook import Outlook
from demurrage.model.condition import ConditionKind
from demurrage.model.error import AlreadyRunningError, SettingsError, StoreFailedError
from demurrage.observe.logs import set_up_logs
from demurrage.store.lock import StoreLock
from demurrage.web.app import create_app, create_ops_app

# Seconds between two rounds of retention.
HOUSEKEEPING = 3600.0
# Seconds between two looks at the store's lock; a proof of it holds for ten.
_LOCK_PACE = 3.0
# Seconds between two looks at the cycles from outside; they are stale after minutes.
_OUTLOOK = 30.0
# Seconds between two looks at the sinks.
_SINKS = 10.0
# The first round waits until the cycles have begun.
FIRST_HOUSEKEEPING = 300.0


@dataclass(frozen=True, slots=True)
class _Process:
    """What stays from one set of settings to the next."""

    lock: StoreLock
    orders: Orders
    manager: Manager


async def serve(settings: Settings, reread: Callable[[], Settings]) -> None:
    """Run until SIGTERM or SIGINT, then drain what is under way; SIGHUP reads the settings again.

    Changed settings take effect as if the daemon had been started anew, but for the store's lock,
    which it keeps: deletes under way are drained first, and evidence is read again. A store that
    is away is waited for.

    Args:
        settings: what to begin with.
        reread: reads them again.

    Raises:
        SettingsError: an address cannot be bound, or a connection cannot be used.
        StoreUnusableError: the store cannot be opened, and waiting does not help.
        AlreadyRunningError: another daemon runs on the store.
    """
    share_arenas()
    manager = Manager(os.environ)
    orders = Orders(reread, manager)
    lock = StoreLock(settings.store_url)
    process = _Process(lock, orders, manager)
    orders.listen()
    try:
        following: Settings | None = settings
        while following is not None:
            try:
                settings, following = following, await _live(following, process)
            except SettingsError as error:
                if following is settings:
                    raise
                # Valid, and yet not to be used: a port that is taken, say.
                orders.refuse(error)
                following = settings
    finally:
        lock.release()
    if lock.ousted:
        raise AlreadyRunningError("another daemon has taken the store over; this one has ended")


async def _live(settings: Settings, process: _Process) -> Settings | None:
    """One life on one set of settings; returns those to go on with, None to end."""
    hidden = redactor(settings)
    dsn = settings.secrets.sentry_dsn
    on_error = start_sentry(
        dsn.get_secret_value() if dsn is not None else None,
        settings.sentry.environment,
        release(settings),
        redactor=hidden,
    )
    set_up_logs(settings.log.level, settings.log.format, redactor=hidden, on_error=on_error)
    doorway = Doorway(settings)
    ordered = asyncio.create_task(process.orders.wait(settings))
    try:
        state = await open_patiently(settings, process.lock, ordered, process.manager, doorway)
        if state is None:
            return await ordered
        works = _built(settings, state)
        try:
            return await _run(works, process, ordered, doorway)
        finally:
            await works.stop()
    finally:
        await doorway.close()
        ordered.cancel()
        await asyncio.gather(ordered, return_exceptions=True)


def _built(settings: Settings, state: State) -> Works:
    try:
        return build(settings, state)
    except BaseException:
        state.close()
        raise


async def _run(
    works: Works, process: _Process, ordered: asyncio.Task[Settings | None], doorway: Doorway
) -> Settings | None:
    settings, manager = works.settings, process.manager
    log = structlog.get_logger("demurrage")
    service = service_of(works)
    schedule = _schedule(works)
    canaries = _canaries(works)
    await canaries.put_on(schedule)

    async def keep_lock() -> None:
        # The next cycle meets the same and says so, or finds written down what was found out.
        with suppress(StoreFailedError):
            await asyncio.to_thread(works.state.store.keep)
        if process.lock.ousted:
            process.orders.end()

    schedule.every(_LOCK_PACE, ":lock", keep_lock)
    await doorway.show(partial(create_app, service), partial(create_ops_app, service))
    schedule.start()
    works.start()
    log.info(
        "started",
        version=VERSION,
        mode=settings.mode,
        targets=sorted(settings.targets),
        store=works.state.store.place,
        http=settings.http.bind,
    )
    reporting = asyncio.create_task(report(service, manager)) if manager.listens else None
    following: Settings | None = None
    try:
        following = await asyncio.shield(ordered)
    finally:
        began = time.monotonic()
        log.info("stopping")
        if following is None:
            manager.stopping()
        if reporting is not None:
            reporting.cancel()
        await schedule.stop()
        await canaries.stop()
        await works.engine.drain()
        await doorway.close()
        schedule.close()
        log.info("stopped", seconds=round(time.monotonic() - began, 3))
    return following


async def _look_at_sinks(works: Works) -> None:
    """Say which sinks cannot be told; those that can hear of it."""
    await works.engine.note("", works.dispatch.troubles(), {ConditionKind.SINK_FAILED})


def _canaries(works: Works) -> CanaryJobs:
    """The experiments of the targets whose settings ask for them."""
    settings = works.settings
    intervals = {
        name: every
        for name in settings.targets
        if (every := settings.canary_of(name).every) is not None
    }

    def make(name: str) -> Canary:
        budget = works.budgets[settings.budget_group(name)]
        return canary(settings, name, works.state.log, budget)

    return CanaryJobs(intervals, works.state.store, make)


def _schedule(works: Works) -> Schedule:
    """For each target a cycle and a round of reading at its pace, and retention now and then."""

    def counted(count: Callable[[str], None], name: str) -> None:
        if name in works.settings.targets:
            count(name)

    schedule = Schedule(
        on_missed=partial(counted, works.metrics.missed),
        on_skipped=partial(counted, works.metrics.skipped),
    )
    for name, target in works.engine.targets.items():
        interval = target.rules.watch.interval
        schedule.every(interval, name, partial(works.engine.turn, name))
        schedule.every(interval, f":resolve {name}", partial(works.engine.resolve, name))
    schedule.every(_OUTLOOK, ":outlook", Outlook(works.engine).look)
    schedule.every(_SINKS, ":sinks", partial(_look_at_sinks, works))
    schedule.every(
        HOUSEKEEPING, ":housekeeping", partial(_keep_house, works), first_in=FIRST_HOUSEKEEPING
    )
    return schedule


async def _keep_house(works: Works) -> None:
    """Let go of what is old, and of the memory that it took."""
    await works.engine.housekeep()
    await asyncio.to_thread(give_back)
