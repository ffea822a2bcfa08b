"""Events that a command appends: read from a file, or made from a person's options."""

import sys
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from demurrage.cli.exits import UsageError
from demurrage.cli.ids import is_container_id, is_id
from demurrage.cli.moments import rfc3339
from demurrage.cli.session import person
from demurrage.eventlog.parse import Line, parse_batch, read_line
from demurrage.model.error import MalformedEventError
from demurrage.model.event import PERSON_PREFIX, Ending, Unheard, reserved

# A person only says that it is over; that an answer is lost is not an end.
_ENDINGS = (Ending.COMPLETED, Ending.FAILED, Ending.INCOMPLETE, Ending.CANCELLED)


def read_events(file: Path, targets: Collection[str]) -> Sequence[Line]:
    """Read one event, an array of events, or one event a line.

    Raises:
        UsageError: the file cannot be read, an event breaks the format (names the field), is
            about none of the targets, or speaks in a person's name: what applications wrote
            must not pass for a person's word.
    """
    lines = _lines_of(file)
    for number, line in enumerate(lines, start=1):
        event = line.event
        if reserved(event.source):
            raise UsageError(
                f"{file}: event {number}: /source: is a name of the daemon's own; "
                "a person's word is given by the options"
            )
        if event.target not in targets and not isinstance(event.fact, Unheard):
            raise UsageError(
                f"{file}: event {number}: /data/target: the settings have no such target; "
                f"there are: {', '.join(sorted(targets))}"
            )
    return lines


def _lines_of(file: Path) -> Sequence[Line]:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    if not raw.strip():
        raise UsageError(f"{file}: holds no event")
    try:
        return parse_batch(raw)
    except MalformedEventError as error:
        rows = [line for line in raw.splitlines() if line.strip()]
        if len(rows) == 1 or error.reason != _not_json():
            raise UsageError(f"{file}: {error}") from None
    return _read_lines(file, rows)


def _not_json() -> str:
    """How the border says that a text as a whole is no JSON."""
    try:
        parse_batch(b"{")
    except MalformedEventError as error:
        return error.reason
    raise AssertionError("half an object is no JSON")


def _read_lines(file: Path, rows: Iterable[bytes]) -> list[Line]:
    lines = []
    for number, row in enumerate(rows, start=1):
        try:
            lines.append(read_line(row))
        except MalformedEventError as error:
            raise UsageError(f"{file}: event {number}: {error}") from None
    return lines


def own_events(
    targets: Collection[str],
    target: str | None,
    *,
    releases: Iterable[str],
    ends: Iterable[str],
    finishes: Iterable[str],
    ending: str,
    now: Callable[[str], tuple[float, float]],
) -> list[Line]:
    """What a person says, as events of that person.

    Args:
        targets: those of the settings.
        target: the one that is meant; may be None where there is only one.
        releases: containers that nobody needs any more.
        ends: conversations that are over, or responses whose lineage is.
        finishes: calls that ended for certain, or responses of which only the id is known.
        ending: how these ended.
        now: what the provider's time may be, the earliest and the latest, for a target. That
            something is over counts from the earliest, for it must cover nothing that came after;
            a call's end from the latest, for it may have made something until then.

    Raises:
        UsageError: the target is not clear, or an id or the ending is no good.
    """
    if ending not in _ENDINGS:
        raise UsageError(f"--ending: must be one of {', '.join(_ENDINGS)}")
    said: list[tuple[str, str, dict[str, Any]]] = [
        *(("--release", "container.released", {"container_id": each}) for each in releases),
        *(
            (
                "--end-conversation",
                "conversation.ended",
                {"response_id" if each.startswith("resp_") else "conversation": each},
            )
            for each in ends
        ),
        *(
            (
                "--finish",
                "response.finished",
                # Of a response that is known by its id alone, that id is all there is to say.
                {"call_id": each, "status": ending}
                | ({"response_id": each} if each.startswith("resp_") else {}),
            )
            for each in finishes
        ),
    ]
    if not said:
        return []
    for option, _, data in said:
        _check_ids(option, data)
    owner = _target(targets, target)
    earliest, latest = now(owner)
    return [
        _event(
            option,
            kind,
            latest if kind == "response.finished" else earliest,
            {"target": owner, **data},
        )
        for option, kind, data in said
    ]


def _check_ids(option: str, data: Mapping[str, str]) -> None:
    """Refuse what can be no id.

    Raises:
        UsageError: names the option.
    """
    for name, given in data.items():
        if name == "container_id" and not is_container_id(given):
            raise UsageError(f"{option}: must be a container's id, like cntr_68f0a1b2...")
        if not is_id(given):
            raise UsageError(f"{option}: must be an id, without spaces")


def _target(targets: Collection[str], target: str | None) -> str:
    known = ", ".join(sorted(targets))
    if target is None:
        if len(targets) == 1:
            return next(iter(targets))
        raise UsageError(f"--target: say which is meant: {known}")
    if target not in targets:
        raise UsageError(f"--target: no target is named {target}; there are: {known}")
    return target


def _event(option: str, kind: str, at: float, data: dict[str, Any]) -> Line:
    document = {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"{PERSON_PREFIX}{person()}",
        "type": f"demurrage.{kind}",
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "data": data,
    }
    try:
        return read_line(document)
    except MalformedEventError as error:
        raise UsageError(f"{option}: {error}") from None
