"""What commands need before they can begin: settings, the store, a person's name."""

import getpass
import os
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from demurrage.cli.exits import UsageError

if TYPE_CHECKING:
    from demurrage.app.settings import Settings
    from demurrage.eventlog.log import EventLog
    from demurrage.store.sqlstore import SqlStore

_CONFIG = "demurrage.config"
_T = TypeVar("_T")


def remember_config(context: typer.Context, path: Path | None) -> None:
    """Keep the settings file that was named, for the command that follows."""
    context.meta[_CONFIG] = path


def settings_of(context: typer.Context, *, secrets: bool = True) -> "Settings":
    """The settings.

    Args:
        context: of the command.
        secrets: False where neither the API nor the network is reached.

    Raises:
        SettingsError: something is wrong with them.
    """
    from demurrage.app.settings import load_settings

    return load_settings(context.meta.get(_CONFIG), os.environ, secrets=secrets)


def chosen_targets(
    settings: "Settings", target: str | None, named: str = "--target"
) -> tuple[str, ...]:
    """The one that was named, else all; `named` is the option or argument that named it.

    Raises:
        UsageError: there is none of that name.
    """
    if target is None:
        return tuple(settings.targets)
    if target not in settings.targets:
        known = ", ".join(sorted(settings.targets))
        raise UsageError(f"{named}: no target is named {target}; there are: {known}")
    return (target,)


@contextmanager
def store_to_read(settings: "Settings") -> Iterator["SqlStore"]:
    """The store, to look into only.

    Raises:
        StoreUnusableError: there is none, or it cannot be read.
    """
    from demurrage.store.opening import open_store

    with open_store(settings.store_url, read_only=True, state=settings.state_folder) as store:
        yield store


@contextmanager
def store_to_write(settings: "Settings") -> Iterator["SqlStore"]:
    """The store that a daemon has made, to write a person's act into.

    Raises:
        StoreUnusableError: there is none yet, or it cannot be written.
    """
    from demurrage.store.opening import open_store

    # An act upon nothing would make an empty store; looking first refuses that.
    with store_to_read(settings):
        pass
    with open_store(settings.store_url, state=settings.state_folder) as store:
        yield store


@contextmanager
def log_to_read(settings: "Settings") -> Iterator["EventLog"]:
    """The event log beside the store, to look into only.

    Raises:
        StoreUnusableError: there is none, or it cannot be read.
    """
    from demurrage.eventlog.log import EventLog
    from demurrage.store.database import connect
    from demurrage.store.place import Place

    with store_to_read(settings):
        pass
    engine = connect(Place.parse(settings.store_url), read_only=True)
    try:
        yield EventLog.open(engine, clock=time.time)
    finally:
        engine.dispose()


@contextmanager
def log_to_write(settings: "Settings") -> Iterator["EventLog"]:
    """The event log beside the store, to append to.

    Raises:
        StoreUnusableError: there is no store yet, or it cannot be written.
    """
    from demurrage.eventlog.log import EventLog

    with store_to_read(settings):
        pass
    log = EventLog.open(settings.store_url, clock=time.time)
    try:
        yield log
    finally:
        log.close()


def finish(work: Coroutine[Any, Any, _T]) -> _T:
    """Run what is asynchronous to its end."""
    import asyncio

    return asyncio.run(work)


def person() -> str:
    """Who acts: the operating system's name for the user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"


def provider_now(store: "SqlStore", target: str) -> float:
    """Provider time, on which holds and protections run; not before the daemon's last look."""
    return store.provider_now(target, time.time())
