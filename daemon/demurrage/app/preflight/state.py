"""Whether store and event log are there and can be written, and what stands open in them."""

import errno
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from sqlalchemy import Table, func, select

from demurrage.app.preflight.check import Check, Grade, refused
from demurrage.app.settings import Settings
from demurrage.eventlog import tables
from demurrage.eventlog.log import EventLog
from demurrage.model.away import is_away
from demurrage.model.error import DemurrageError, NoStoreError, OldStoreError, StoreAwayError
from demurrage.store.database import connect, named_failures
from demurrage.store.lock import StoreLock
from demurrage.store.opening import open_store
from demurrage.store.place import Place
from demurrage.store.tables import metadata

# Bytes: days of a busy target's events, and room for SQLite to work in.
_LITTLE_ROOM = 256 * 1024 * 1024
# A missing mount can look like that, too, but mostly a person has to see to it.
_RIGHTS = frozenset({errno.EACCES, errno.EPERM})


def state_checks(settings: Settings) -> list[Check]:
    """The daemon's lock, the store, the event log, and what waits for a person."""
    return [_daemon(settings), *_store(settings)]


def _daemon(settings: Settings) -> Check:
    try:
        holder = StoreLock(settings.store_url).holder()
    except DemurrageError as error:
        return _kept(refused("daemon", error), error)
    if holder is None:
        return Check("daemon", Grade.WARN, "none runs on this store", "start it: demurrage run")
    return Check("daemon", Grade.PASS, f"runs on this store ({holder})")


def _store(settings: Settings) -> list[Check]:
    try:
        place = Place.parse(settings.store_url)
        if place.path is not None and not _there(place.path):
            return [_room(place.path)]
        with open_store(settings.store_url, read_only=True, state=settings.state_folder) as store:
            found = [_writable(place), *_disk(place), _log(place)]
            if store.restored:
                advice = "see demurrage status; a person has to resume each target"
                found.append(Check("store", Grade.WARN, "was restored from an older copy", advice))
            for name in settings.targets:
                found += [
                    Check(
                        f"{name}: hold",
                        Grade.WARN,
                        f"{hold.rail.value}: {hold.summary}",
                        f"demurrage resume {hold.id}",
                    )
                    for hold in store.holds(name)
                    if hold.resumed_at is None
                ]
            found += [
                _logged(each.target, each.status)
                for each in store.statuses()
                if each.target in settings.targets
            ]
    except NoStoreError:
        shown = Place.parse(settings.store_url).shown
        return [Check("store", Grade.PASS, f"is made in {shown} at the first start")]
    except OldStoreError as error:
        finding, _, advice = str(error).partition("; ")
        return [Check("store", Grade.PASS, finding, advice)]
    except DemurrageError as error:
        return [_kept(refused("store", error), error)]
    return found


def _kept(check: Check, error: DemurrageError) -> Check:
    """What is away for now keeps no daemon from starting: it waits."""
    if not isinstance(error, StoreAwayError):
        return check
    return replace(check, grade=Grade.WARN, advice=f"a daemon waits for it; else {check.advice}")


def _room(path: Path) -> Check:
    """A store that is not there yet needs a folder that can be made and written."""
    folder = next(each for each in path.parents if _there(each))
    if not folder.is_dir():
        return Check("store", Grade.FAIL, f"{folder} is no folder", "point database_url elsewhere")
    return _closed(folder) or Check("store", Grade.PASS, f"is made at {path} at the first start")


def _there(path: Path) -> bool:
    """True where something can be seen to be; in a folder of another user nothing can."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists() raises where it may not look


def _closed(folder: Path) -> Check | None:
    """That no file can be made in a folder; None where one can.

    Permissions do not tell all: there are folders in which nobody can make a file.
    """
    try:
        with TemporaryFile(dir=folder):
            return None
    except OSError as error:
        finding = f"{folder} cannot be written by this user: {error.strerror}"
        advice = "change the folder's owner, or point database_url elsewhere"
        if is_away(error) and error.errno not in _RIGHTS:
            return Check("store", Grade.WARN, finding, f"a daemon waits for it; else {advice}")
        return Check("store", Grade.FAIL, finding, advice)


def _writable(place: Place) -> Check:
    finding = f"{place.shown} is of this version and can be written"
    if place.path is None:
        return _granted(place, "store", metadata.tables["meta"], finding)
    closed = _closed(place.path.parent)
    if closed is None and not os.access(place.path, os.W_OK):
        advice = "run this as the daemon's user, or change the owner"
        return Check("store", Grade.FAIL, f"{place.path} cannot be written by this user", advice)
    return closed or Check("store", Grade.PASS, finding)


def _disk(place: Place) -> list[Check]:
    """Room beside a SQLite file; a server sees to its own."""
    if place.path is None:
        return []
    free = shutil.disk_usage(place.path.parent).free
    finding = f"{free // 2**20} MiB are free beside {place.path}"
    if free < _LITTLE_ROOM:
        advice = "make room: what cannot be written down is not deleted"
        return [Check("disk", Grade.WARN, finding, advice)]
    return [Check("disk", Grade.PASS, finding)]


def _log(place: Place) -> Check:
    engine = connect(place, read_only=True)
    try:
        head = EventLog.open(engine, clock=time.time).head()
    except DemurrageError as error:
        return refused("event log", error)
    finally:
        engine.dispose()
    held = "holds events" if head.position else "is empty"
    if place.path is not None:
        return Check("event log", Grade.PASS, held)
    return _granted(place, "event log", tables.head, f"{held}, and can be appended to")


def _granted(place: Place, name: str, table: Table, finding: str) -> Check:
    """Whether a server lets this user write; what it would say is asked, nothing is tried."""
    engine = connect(place, read_only=True)
    asked = func.has_table_privilege(table.name, "UPDATE"), func.pg_is_in_recovery()
    try:
        with named_failures(), engine.connect() as connection:
            granted, replica = connection.execute(select(*asked)).one()
    except DemurrageError as error:
        return refused(name, error)
    finally:
        engine.dispose()
    if replica:
        advice = "point database_url at the primary"
        return Check(name, Grade.FAIL, f"{place.shown} is a replica and takes no writes", advice)
    if not granted:
        advice = "grant it, or give database_url another user"
        return Check(name, Grade.FAIL, f"its user may not UPDATE {table.name}", advice)
    return Check(name, Grade.PASS, finding)


def _logged(target: str, status: Mapping[str, Any]) -> Check:
    """Whether anybody has told of a target's requests, by its last cycle."""
    if (status.get("evidence") or {}).get("logged"):
        return Check(f"{target}: events", Grade.PASS, "applications log for it")
    advice = "demurrage status shows the line to add to an application"
    return Check(f"{target}: events", Grade.WARN, "nobody logs for it", advice)
