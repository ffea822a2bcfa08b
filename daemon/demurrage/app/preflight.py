"""Checks before a start, or when something is wrong: each says what to do about it."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from demurrage.app.assembly import budgets, targets
from demurrage.app.settings import Settings, door_problems
from demurrage.app.settings_sections import DEFAULT_PRICES
from demurrage.engine.look import Target
from demurrage.eventlog.files.folder import look, opened
from demurrage.eventlog.files.locks import lock_fault
from demurrage.eventlog.log import EventLog
from demurrage.model.condition import ConditionKind
from demurrage.model.error import DemurrageError, NoStoreError
from demurrage.model.listing import Region
from demurrage.model.plan import Mode
from demurrage.store.database import connect
from demurrage.store.lock import StoreLock
from demurrage.store.opening import open_store
from demurrage.store.place import Place

# Beyond this a person should mend the clock; decisions go by the provider's own.
_OFFSET = 5.0
# A short stretch of the listing tells of the key all that a listing can tell.
_BACK = 60.0


class Grade(StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `advice` says what to do, empty where nothing is."""

    name: str
    grade: Grade
    finding: str
    advice: str = ""


_ADVICE = {
    ConditionKind.UNAUTHORIZED: "check the key that api_key_env names, and base_url",
    ConditionKind.MISSING_SCOPE: "give the key the scopes to read and write containers",
    ConditionKind.SPEND_LIMIT: "raise the project's spend limit; no waiting cures it",
    ConditionKind.UNREACHABLE: "check base_url, proxy and ca_file, and the way out of this host",
    ConditionKind.TIMEOUT: "try again; if it stays so, check proxy and raise timeout",
    ConditionKind.RATE_LIMITED: "try again later, and lower requests_per_minute",
    ConditionKind.OVERLOADED: "try again later",
    ConditionKind.SERVER_ERROR: "try again later",
    ConditionKind.NOT_JSON: "check base_url: something else than the API answers there",
}
_ANY_ADVICE = "check base_url and provider"


def local_checks(settings: Settings) -> list[Check]:
    """All that this machine alone can tell."""
    names = ", ".join(sorted(settings.targets))
    found = [
        Check("settings", Grade.PASS, f"mode {settings.mode}, targets: {names}"),
        _daemon(settings),
        *_store(settings),
        *_event_files(settings),
        *_doors(settings),
    ]
    for name in settings.targets:
        found += [*_sanity(settings, name), *_prices(settings, name)]
    return found


async def api_checks(settings: Settings) -> list[Check]:
    """What one page of each target's listing tells; nothing is retrieved or deleted."""
    found: list[Check] = []
    for target in targets(settings, budgets(settings)):
        try:
            found += await _api(target, settings.targets[target.name].base_url)
        finally:
            await target.api.close()
    return found


def _doors(settings: Settings) -> list[Check]:
    """Whether the tokens of the HTTP API are there, as far as the settings ask for them."""
    problems = door_problems(settings, os.environ)
    return [Check("http", Grade.FAIL, line, "the daemon does not start so") for line in problems]


def _daemon(settings: Settings) -> Check:
    try:
        holder = StoreLock(settings.store_url).holder()
    except DemurrageError as error:
        return _refused("daemon", error)
    if holder is None:
        return Check("daemon", Grade.WARN, "none runs on this store", "start it: demurrage run")
    return Check("daemon", Grade.PASS, f"runs on this store ({holder})")


def _store(settings: Settings) -> list[Check]:
    """Whether the store is there and can be written, and what stands open in it."""
    try:
        place = Place.parse(settings.store_url)
        if place.path is not None and not place.path.exists():
            return [_room(place.path)]
        with open_store(settings.store_url, read_only=True, state=settings.state_folder) as store:
            found = [_writable(place), *_log(place)]
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
    except DemurrageError as error:
        return [_refused("store", error)]
    return found


def _room(path: Path) -> Check:
    """A store that is not there yet needs a folder that can be made and written."""
    folder = next(each for each in path.parents if each.exists())
    advice = "change the folder's owner, or point database_url elsewhere"
    if not folder.is_dir():
        return Check("store", Grade.FAIL, f"{folder} is no folder", "point database_url elsewhere")
    try:
        # Permissions do not tell all: there are folders in which nobody can make a file.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        finding = f"{folder} cannot be written by this user: {error.strerror}"
        return Check("store", Grade.FAIL, finding, advice)
    return Check("store", Grade.PASS, f"is made at {path} at the first start")


def _writable(place: Place) -> Check:
    if place.path is not None:
        for needed in (place.path, place.path.parent):
            if not os.access(needed, os.W_OK):
                advice = "run this as the daemon's user, or change the owner"
                finding = f"{needed} cannot be written by this user"
                return Check("store", Grade.FAIL, finding, advice)
    return Check("store", Grade.PASS, f"{place.shown} is of this version and can be written")


def _log(place: Place) -> list[Check]:
    engine = connect(place, read_only=True)
    try:
        head = EventLog.open(engine, clock=time.time).head()
    except DemurrageError as error:
        return [_refused("event log", error)]
    finally:
        engine.dispose()
    held = "holds events" if head.position else "is empty"
    return [Check("event log", Grade.PASS, held)]


def _event_files(settings: Settings) -> list[Check]:
    """Whether the folder of event files can be read, and deaths proven by its locks."""
    if not settings.events.folder:
        return []
    folder = Path(settings.events.folder)
    try:
        with opened(folder) as descriptor:
            files = len(look(folder, descriptor).files)
            fault = lock_fault(descriptor)
    except DemurrageError as error:
        advice = "make the folder, and let the daemon's user list it and read its files"
        return [Check("event files", Grade.FAIL, str(error), advice)]
    found = f"{folder} is read; it holds {files} event file{'' if files == 1 else 's'}"
    if fault is not None:
        advice = "demurrage writers retire, for each writer that is killed"
        return [Check("event files", Grade.WARN, f"{found}; no death is proven: {fault}", advice)]
    return [Check("event files", Grade.PASS, found)]


def _logged(target: str, status: Mapping[str, Any]) -> Check:
    """Whether anybody has told of a target's requests, by its last cycle."""
    if (status.get("evidence") or {}).get("logged"):
        return Check(f"{target}: events", Grade.PASS, "applications log for it")
    advice = "demurrage status shows the line to add to an application"
    return Check(f"{target}: events", Grade.WARN, "nobody logs for it", advice)


def _sanity(settings: Settings, name: str) -> list[Check]:
    """Settings that are valid, and yet may not be what was meant."""
    rules, enforce = settings.rules(name), settings.mode is Mode.ENFORCE
    partial = rules.evidence.coverage == "partial"
    if rules.policy.unproven == "delete":
        finding = 'policy.unproven = "delete": containers are deleted without proof'
        advice = "a conversation may lose its container; keep it only if you accept that"
        return [Check(f"{name}: policy", Grade.WARN, finding, advice)]
    if enforce and partial:
        finding = "mode is enforce but coverage is partial: nothing is ever deleted"
        advice = 'set evidence.coverage = "complete" once every maker logs'
        return [Check(f"{name}: policy", Grade.WARN, finding, advice)]
    coverage = rules.evidence.coverage
    finding = f"mode {settings.mode}, coverage {coverage}: only what is proven is ever due"
    return [Check(f"{name}: policy", Grade.PASS, finding)]


def _prices(settings: Settings, name: str) -> list[Check]:
    """Tiers that the price list names and nobody has heard of; new ones may well come."""
    strange = sorted(settings.rules(name).billing.usd_per_minute.keys() - DEFAULT_PRICES.keys())
    if not strange:
        return []
    finding = f"billing.usd_per_minute prices tiers not known so far: {', '.join(strange)}"
    return [Check(f"{name}: prices", Grade.WARN, finding, "see that they are written as listed")]


async def _api(target: Target, base_url: str) -> list[Check]:
    now = target.api.clock.now()
    listing = await target.api.read((Region(down_to=now - _BACK),))
    failure = listing.failure
    if failure is not None:
        advice = _ADVICE.get(failure.kind, _ANY_ADVICE)
        finding = f"{base_url}: {failure.kind.value}: {failure.detail}"
        return [Check(f"{target.name}: API", Grade.FAIL, finding, advice)]
    finding = f"{base_url} answers; the key is valid and may list"
    return [
        Check(f"{target.name}: API", Grade.PASS, finding),
        _clock(target),
        _delete_scope(target),
    ]


def _clock(target: Target) -> Check:
    offset, name = target.api.clock.offset, f"{target.name}: clock"
    if offset is None:
        finding = "its answers carry no date, so the local clock has to do"
        return Check(name, Grade.WARN, finding, "keep this host's clock synchronised")
    finding = f"the provider's is {abs(offset):.1f} s {'ahead' if offset > 0 else 'behind'}"
    if abs(offset) > _OFFSET:
        return Check(name, Grade.WARN, finding, "synchronise this host's clock")
    return Check(name, Grade.PASS, finding)


def _delete_scope(target: Target) -> Check:
    finding = "whether the key may delete cannot be told without deleting"
    advice = "see that it has the scope to write containers"
    grade = Grade.WARN if target.mode is Mode.ENFORCE else Grade.PASS
    return Check(f"{target.name}: delete", grade, finding, advice)


def _refused(name: str, error: DemurrageError) -> Check:
    finding, _, advice = str(error).partition("; ")
    return Check(name, Grade.FAIL, finding, advice)
