"""The daemon as a process: start, schedule, signals, stop."""

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from demurrage.alerts.sentry import start_sentry
from demurrage.app.assembly import VERSION, Works, build, canary, open_state, redactor
from demurrage.app.canary.job import CanaryJobs
from demurrage.app.canary.run import Canary
from demurrage.app.doors import doors_of, ops_doors_of, service_of
from demurrage.app.listeners import Listener, bind, bind_unix
from demurrage.app.notify import Manager
from demurrage.app.orders import Orders
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
from demurrage.web.service import Service

# Seconds between two rounds of retention.
_HOUSEKEEPING = 3600.0
# Seconds between two looks at the store's lock; a proof of it holds for ten.
_LOCK_PACE = 3.0
# Seconds between two looks at the cycles from outside; they are stale after minutes.
_OUTLOOK = 30.0
# Seconds between two looks at the sinks.
_SINKS = 10.0
# The first round waits until the cycles have begun.
_FIRST_HOUSEKEEPING = 300.0


async def serve(settings: Settings, reread: Callable[[], Settings]) -> None:
    """Run until SIGTERM or SIGINT, then drain what is under way; SIGHUP reads the settings again.

    Changed settings take effect as if the daemon had been started anew, but for the store's lock,
    which it keeps: deletes under way are drained first, and evidence is read again.

    Args:
        settings: what to begin with.
        reread: reads them again.

    Raises:
        SettingsError: an address cannot be bound, or a connection cannot be used.
        StoreUnusableError: the store cannot be opened.
        AlreadyRunningError: another daemon runs on the store.
    """
    manager = Manager(os.environ)
    orders = Orders(reread, manager)
    with StoreLock(settings.store_url) as lock:
        orders.listen()
        following: Settings | None = settings
        while following is not None:
            try:
                settings, following = following, await _live(following, lock, orders, manager)
            except SettingsError as error:
                if following is settings:
                    raise
                # Valid, and yet not to be used: a port that is taken, say.
                orders.refuse(error)
                following = settings
    if lock.ousted:
        raise AlreadyRunningError("another daemon has taken the store over; this one has ended")


async def _live(
    settings: Settings, lock: StoreLock, orders: Orders, manager: Manager
) -> Settings | None:
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
    works = build(settings, open_state(settings, lock))
    try:
        return await _run(works, lock, orders, manager)
    finally:
        await works.stop()


async def _run(works: Works, lock: StoreLock, orders: Orders, manager: Manager) -> Settings | None:
    settings = works.settings
    log = structlog.get_logger("demurrage")
    service = service_of(works)
    listeners = _listeners(settings, service)
    schedule = _schedule(works)
    canaries = _canaries(works)
    await canaries.put_on(schedule)

    async def keep_lock() -> None:
        with suppress(StoreFailedError):  # the next cycle meets the same, and says so
            await asyncio.to_thread(works.state.store.keep)
        if lock.ousted:
            orders.stop.set()

    schedule.every(_LOCK_PACE, ":lock", keep_lock)
    for listener in listeners:
        await listener.start()
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
        following = await orders.wait(settings)
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
        for listener in listeners:
            await listener.stop()
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


def _listeners(settings: Settings, service: Service) -> Sequence[Listener]:
    """Every door that the settings open."""
    http, doors = settings.http, doors_of(settings)
    application = create_app(service, doors)
    with ExitStack() as taken:
        found = [Listener(application, taken.enter_context(bind(http.address, "http.bind")))]
        if http.socket:
            private = create_app(service, replace(doors, private=True))
            listening = taken.enter_context(bind_unix(Path(http.socket), "http.socket"))
            found.append(Listener(private, listening))
        if http.ops_address is not None:
            ops = create_ops_app(service, ops_doors_of(settings))
            listening = taken.enter_context(bind(http.ops_address, "http.ops_bind"))
            found.append(Listener(ops, listening))
        # They are the listeners' from here on; where one could not be had, none stays taken.
        taken.pop_all()
    return found


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
        _HOUSEKEEPING, ":housekeeping", works.engine.housekeep, first_in=_FIRST_HOUSEKEEPING
    )
    return schedule
