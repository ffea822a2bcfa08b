"""Which lines of a file become events, and what is said of the others."""

from collections.abc import Collection
from dataclasses import dataclass

from demurrage.eventlog.files.following import Text
from demurrage.eventlog.files.naming import Journal, printable
from demurrage.eventlog.parse import Line, read_line
from demurrage.model.error import MalformedEventError
from demurrage.model.event import Event, Unheard, reserved


@dataclass(frozen=True, slots=True)
class Note:
    """A line to set aside. `reason` names file and line, and quotes nothing of it."""

    raw: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The lines of a chunk, sorted. `source`: whose journal the file turned out to be."""

    lines: tuple[Line, ...]
    notes: tuple[Note, ...]
    source: str | None


def admit(
    texts: Collection[Text],
    name: str,
    journal: Journal | None,
    source: str | None,
    targets: Collection[str],
) -> Admitted:
    """Sort the lines of a file.

    A file proves no more than the HTTP API would take: nobody speaks as the daemon or a person
    in it, and only of targets that are watched.

    Args:
        texts: the lines.
        name: the file's.
        journal: which recorder's file it is, None for anybody else's.
        source: whose journal it was so far.
        targets: those of the settings.
    """
    lines: list[Line] = []
    notes: list[Note] = []
    for text in texts:
        reason = text.fault
        if reason is None:
            try:
                line = read_line(text.raw)
            except MalformedEventError as error:
                reason = f"{error.path}: {error.reason}" if error.path else error.reason
            else:
                reason = _refusal(line.event, journal, source, targets)
                if reason is None:
                    lines.append(line)
                    source = line.event.source if journal is not None else None
        if reason is not None:
            notes.append(Note(text.raw, f"{printable(name)}, line {text.number}: {reason}"))
    return Admitted(tuple(lines), tuple(notes), source)


def _refusal(
    event: Event, journal: Journal | None, source: str | None, targets: Collection[str]
) -> str | None:
    """Why an event is not taken from this file; None if it is."""
    if reserved(event.source):
        return "/source: sources of this namespace are the daemon's own; use another name"
    if journal is not None:
        if not event.source.endswith(f"/{journal.uuid}"):
            return "/source: is not the one whose journal this file is"
        if source is not None and event.source != source:
            return "/source: differs from that of the lines before"
    if event.target not in targets and not isinstance(event.fact, Unheard):
        known = ", ".join(sorted(targets))
        return f"/data/target: this daemon watches no such target; it watches {known}"
    return None
