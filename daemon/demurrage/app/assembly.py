"""Putting the parts together from the settings."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from demurrage.alerts.dispatch import Dispatch
from demurrage.app.canary.diary import Appender
from demurrage.app.canary.run import Canary
from demurrage.app.settings import Settings
from demurrage.app.sinks import check_ins, dispatch, secret_parts, sink_names
from demurrage.engine.engine import Engine
from demurrage.engine.fan import Fan
from demurrage.engine.look import Target
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.observe.metrics import Metrics
from demurrage.observe.redact import Redactor
from demurrage.observe.telling import Telling
from demurrage.provider.api import OpenAIContainers
from demurrage.provider.budget import CallBudget
from demurrage.provider.calls import OnCall
from demurrage.provider.connection import Connection, TokenProvider
from demurrage.provider.experiments import Experimenter
from demurrage.store.lock import StoreLock
from demurrage.store.opening import open_store
from demurrage.store.place import Place
from demurrage.store.sqlstore import SqlStore

if TYPE_CHECKING:
    from demurrage.alerts.checkins import CheckIns

VERSION = version("demurrage")


@dataclass(frozen=True, slots=True)
class State:
    """What lasts: the store and the event log, in one database."""

    store: SqlStore
    log: EventLog

    def close(self) -> None:
        """Close both."""
        self.log.close()
        self.store.close()


def open_state(settings: Settings, lock: StoreLock) -> State:
    """Open store and log for writing, bringing both up to this version.

    Args:
        settings: say where.
        lock: of the store, held.

    Raises:
        StoreUnusableError: the message names `database_url` and the fix.
    """
    store = open_store(settings.store_url, lock=lock, state=settings.state_folder)
    try:
        log = EventLog.open(settings.store_url, clock=time.time)
    except BaseException:
        store.close()
        raise
    return State(store, log)


def budgets(settings: Settings) -> dict[str, CallBudget]:
    """One call budget for each group; targets that share one get the least of their limits."""
    limits: dict[str, int] = {}
    for name, target in settings.targets.items():
        group = settings.budget_group(name)
        limits[group] = min(
            limits.get(group, target.requests_per_minute), target.requests_per_minute
        )
    return {group: CallBudget(limit) for group, limit in limits.items()}


def connection(settings: Settings, name: str) -> Connection:
    """How one target is reached.

    Raises:
        SettingsError: the connection cannot be used.
    """
    target = settings.targets[name]
    key: str | TokenProvider
    if target.auth == "entra":
        from demurrage.provider.entra import EntraTokens  # noqa: PLC0415 - only who uses it

        key = EntraTokens()
    else:
        key = settings.secrets.api_keys[name].get_secret_value()
    return Connection(
        provider=target.provider,
        base_url=target.base_url,
        api_key=key,
        timeout=target.timeout,
        proxy=target.proxy.get_secret_value(),
        ca_file=target.ca_file,
        beta_header=target.beta_header,
    )


def canary(settings: Settings, name: str, log: Appender, budget: CallBudget) -> Canary:
    """The experiments at one target; whoever runs them closes its `api`.

    Raises:
        SettingsError: the connection cannot be used.
    """
    return Canary(
        name,
        Experimenter(connection(settings, name), budget),
        log,
        settings.canary_of(name).model,
        settings.targets[name].beta_header,
    )


def targets(
    settings: Settings, calls: dict[str, CallBudget], on_call: dict[str, OnCall] | None = None
) -> list[Target]:
    """The targets of the settings, each with its own client."""
    return [
        Target(
            name,
            OpenAIContainers(
                connection(settings, name),
                calls[settings.budget_group(name)],
                on_call=(on_call or {}).get(name),
            ),
            settings.rules(name),
            settings.mode,
        )
        for name in settings.targets
    ]


@dataclass(frozen=True, slots=True)
class Works:
    """The running parts of a daemon."""

    settings: Settings
    state: State
    budgets: dict[str, CallBudget]
    metrics: Metrics
    engine: Engine
    dispatch: Dispatch
    check_ins: "CheckIns | None"

    def start(self) -> None:
        """Let what works beside the cycles begin."""
        self.dispatch.start()
        if self.check_ins is not None:
            self.check_ins.start()

    async def stop(self) -> None:
        """Drain deletes, close clients, let the sinks go, then the state."""
        await self.engine.stop()
        await asyncio.to_thread(self.dispatch.stop)
        if self.check_ins is not None:
            await asyncio.to_thread(self.check_ins.stop)
        await asyncio.to_thread(self.state.close)


def build(settings: Settings, state: State) -> Works:
    """Build the engine and what observes it."""
    calls = budgets(settings)
    metrics = Metrics(VERSION, settings.targets, sink_names(settings))
    hidden = redactor(settings)
    sinks = dispatch(settings, state.store, hidden, metrics.notified)
    checking_in = check_ins(settings, hidden)

    def budget(name: str) -> tuple[str, float, float]:
        group = settings.budget_group(name)
        figures = calls[group].snapshot()
        return group, figures.effective, figures.used_last_minute

    rules = {name: settings.rules(name) for name in settings.targets}
    telling = Telling(metrics, budget, {name: each.billing for name, each in rules.items()})

    def called(target: str, kind: str, outcome: str, _seconds: float) -> None:
        metrics.api_call(target, kind, outcome)

    watched = targets(settings, calls, {name: partial(called, name) for name in settings.targets})
    for name in settings.targets:
        metrics.mode(name, settings.mode)
        metrics.interval(name, rules[name].watch.interval)
    engine = Engine(
        watched,
        state.log,
        state.store,
        Fan(telling, sinks, *([checking_in] if checking_in else [])),
        settings.retention.rules(),
        feed=feed(settings, state.log, telling),
        incidents=settings.alerts.incidents(),
        spikes=settings.alerts.spikes(),
    )
    return Works(settings, state, calls, metrics, engine, sinks, checking_in)


def feed(settings: Settings, log: EventLog, telling: Telling) -> FolderFeed | None:
    """The folder of event files, None if there is none."""
    if not settings.events.folder:
        return None
    return FolderFeed(
        Path(settings.events.folder),
        log,
        targets=settings.targets,
        clock=time.time,
        on_set_aside=telling.set_aside,
        on_trouble=telling.no_deaths,
    )


def redactor(settings: Settings) -> Redactor:
    """One that knows every secret that the settings brought in."""
    secrets = settings.secrets
    found = [
        *secrets.api_keys.values(),
        *secrets.webhook_secrets.values(),
        *(
            each
            for each in (
                secrets.events_token,
                secrets.admin_token,
                secrets.sentry_dsn,
                secrets.sentry_token,
            )
            if each is not None
        ),
    ]
    password = Place.parse(settings.store_url).url.password
    return Redactor(
        [
            *(each.get_secret_value() for each in found),
            *([password] if password else []),
            *secret_parts(settings),
        ]
    )
