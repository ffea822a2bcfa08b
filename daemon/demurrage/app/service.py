"""The daemon as a process: start, schedule, signals, stop."""

import asyncio
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
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
from demurrage.app.schedule import Schedule
from demurrage.app.settings import Settings
from demurrage.engine.outlook import Outlook
from demurrage.model.error import AlreadyRunningError, StoreFailedError
from demurrage.observe.logs import set_up_logs
from demurrage.store.lock import StoreLock
from demurrage.web.app import create_app, create_ops_app

# Seconds between two rounds of retention.
_HOUSEKEEPING = 3600.0
# Seconds between two looks at the store's lock; a proof of it holds for ten.
_LOCK_PACE = 3.0
# Seconds between two looks at the cycles from outside; they are stale after minutes.
_OUTLOOK = 30.0
# The first round waits until the cycles have begun.
_FIRST_HOUSEKEEPING = 300.0


async def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then drain what is under way.

    Raises:
        SettingsError: an address cannot be bound, or a connection cannot be used.
        StoreUnusableError: the store cannot be opened.
        AlreadyRunningError: another daemon runs on the store.
    """
    hidden = redactor(settings)
    dsn = settings.secrets.sentry_dsn
    report = start_sentry(
        dsn.get_secret_value() if dsn is not None else None,
        settings.sentry.environment,
        settings.sentry.release or f"demurrage@{VERSION}",
        redactor=hidden,
    )
    set_up_logs(settings.log.level, settings.log.format, redactor=hidden, on_error=report)
    with StoreLock(settings.store_url) as lock:
        works = build(settings, open_state(settings, lock))
        try:
            await _run(works, lock)
        finally:
            await works.stop()
    if lock.ousted:
        raise AlreadyRunningError("another daemon has taken the store over; this one has ended")


async def _run(works: Works, lock: StoreLock) -> None:
    settings = works.settings
    log = structlog.get_logger("demurrage")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    listeners = _listeners(works)
    schedule = _schedule(works)
    canaries = _canaries(works)
    await canaries.put_on(schedule)

    async def keep_lock() -> None:
        with suppress(StoreFailedError):  # the next cycle meets the same, and says so
            await asyncio.to_thread(works.state.store.keep)
        if lock.ousted:
            stop.set()

    schedule.every(_LOCK_PACE, ":lock", keep_lock)
    for listener in listeners:
        await listener.start()
    schedule.start()
    log.info(
        "started",
        version=VERSION,
        mode=settings.mode,
        targets=sorted(settings.targets),
        store=works.state.store.place,
        http=settings.http.bind,
    )
    try:
        await stop.wait()
    finally:
        began = time.monotonic()
        log.info("stopping")
        await schedule.stop()
        await canaries.stop()
        await works.engine.drain()
        for listener in listeners:
            await listener.stop()
        schedule.close()
        log.info("stopped", seconds=round(time.monotonic() - began, 3))


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


def _listeners(works: Works) -> Sequence[Listener]:
    """Every door that the settings open."""
    http = works.settings.http
    service, doors = service_of(works), doors_of(works.settings)
    application = create_app(service, doors)
    found = [Listener(application, bind(http.address, "http.bind"))]
    if http.socket:
        private = create_app(service, replace(doors, private=True))
        found.append(Listener(private, bind_unix(Path(http.socket), "http.socket")))
    if http.ops_address is not None:
        found.append(
            Listener(
                create_ops_app(service, ops_doors_of(works.settings)),
                bind(http.ops_address, "http.ops_bind"),
            )
        )
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
    schedule.every(
        _HOUSEKEEPING, ":housekeeping", works.engine.housekeep, first_in=_FIRST_HOUSEKEEPING
    )
    return schedule
