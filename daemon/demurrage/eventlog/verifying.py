"""A report on the whole log, for `demurrage events verify`."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from demurrage.eventlog import tables
from demurrage.eventlog.reading import read_batch
from demurrage.model.event import Entry, Heartbeat, Record, SetAside, reserved

MOST_SHOWN = 1000
"""Of so many lines set aside a report says why."""

_PAGE = 2000
_EVENT = tables.events.c


@dataclass(slots=True)
class SourceReport:
    """What the log holds of one writer.

    `first`, `last`: the lowest and highest sequence held. `floor`: all up to it was held once
    and may have been pruned. `promised`: the highest sequence that a heartbeat has spoken of.
    `gaps`: the stretches (from, to) that are missing below both. `conflicts`: ids with several
    contents, and sequences given to several ids. `last_heartbeat`: on the writer's clock.
    `heard_at`: when anything of it was last appended, in epoch seconds. `unsequenced`: events
    without the sequence that every writer owes; a person's words owe none.
    """

    source: str
    events: int = 0
    unsequenced: int = 0
    set_aside: int = 0
    conflicts: int = 0
    floor: int = 0
    first: int | None = None
    last: int | None = None
    promised: int = 0
    gaps: list[tuple[int, int]] = field(default_factory=list)
    last_heartbeat: float | None = None
    heard_at: float | None = None
    final: bool = False

    @property
    def sound(self) -> bool:
        """True when nothing of the writer is missing or in doubt."""
        return not (self.gaps or self.conflicts or self.set_aside or self.unsequenced)


@dataclass(frozen=True, slots=True)
class LogReport:
    """What the log holds.

    `nameless`: lines set aside whose source could not be made out. `set_aside`: why each line
    was, which names file and line where it was one of a file; only the latest are kept here.
    """

    generation: str
    events: int
    nameless: int
    sources: tuple[SourceReport, ...]
    set_aside: tuple[SetAside, ...] = ()

    @property
    def sound(self) -> bool:
        """True when every source is sound and every line could be read."""
        return not self.nameless and all(source.sound for source in self.sources)


def verify(connection: Connection) -> LogReport:
    """Read everything, check every row against its fingerprint, and look for gaps."""
    sources: dict[str, SourceReport] = {}
    events = nameless = 0
    latest: deque[SetAside] = deque(maxlen=MOST_SHOWN)
    for record in _records(connection):
        if isinstance(record, SetAside):
            latest.append(record)
        match record:
            case Entry():
                events += 1
                _count(sources, record)
            case SetAside(source=None):
                nameless += 1
            case SetAside(source=str(source)):
                _report(sources, source).set_aside += 1
    floors = select(tables.floors.c.source, tables.floors.c.sequence)
    for source, floor in connection.execute(floors):
        _report(sources, source).floor = floor
    heard = select(_EVENT.source, func.max(_EVENT.appended_at)).group_by(_EVENT.source)
    for source, heard_at in connection.execute(heard.where(_EVENT.source.is_not(None))):
        _report(sources, source).heard_at = heard_at
    _find_gaps(connection, sources)
    _find_conflicts(connection, sources)
    generation = str(connection.execute(select(tables.head.c.generation)).scalar_one())
    ordered = tuple(sources[name] for name in sorted(sources))
    return LogReport(generation, events, nameless, ordered, tuple(latest))


def _records(connection: Connection) -> Iterator[Record]:
    after = 0
    while records := (batch := read_batch(connection, after, _PAGE, 0.0)).records:
        yield from records
        after = batch.cursor


def _report(sources: dict[str, SourceReport], name: str) -> SourceReport:
    return sources.setdefault(name, SourceReport(name))


def _count(sources: dict[str, SourceReport], entry: Entry) -> None:
    event = entry.event
    report = _report(sources, event.source)
    report.events += 1
    # The daemon's own hand, and a person's, counts nothing.
    report.unsequenced += event.sequence is None and not reserved(event.source)
    if isinstance(event.fact, Heartbeat):
        report.promised = max(report.promised, event.fact.last_sequence)
        report.last_heartbeat = max(report.last_heartbeat or event.time, event.time)
        report.final = report.final or event.fact.final


def _find_gaps(connection: Connection, sources: dict[str, SourceReport]) -> None:
    held = (
        select(_EVENT.source, _EVENT.sequence)
        .where(_EVENT.body.is_not(None), _EVENT.sequence.is_not(None))
        .order_by(_EVENT.source, _EVENT.sequence)
    )
    for source, sequence in connection.execute(held):
        report = _report(sources, source)
        report.first = sequence if report.first is None else report.first
        _note_gap(report, sequence - 1)
        report.last = sequence
    for report in sources.values():
        _note_gap(report, report.promised)


def _note_gap(report: SourceReport, through: int) -> None:
    start = max(report.floor, report.last or 0) + 1
    if start <= through:
        report.gaps.append((start, through))


def _find_conflicts(connection: Connection, sources: dict[str, SourceReport]) -> None:
    contents = (
        select(_EVENT.source, func.count())
        .where(_EVENT.body.is_not(None))
        .group_by(_EVENT.source, _EVENT.id)
        .having(func.count() > 1)
    )
    ids = (
        select(_EVENT.source, func.count())
        .where(_EVENT.body.is_not(None), _EVENT.sequence.is_not(None))
        .group_by(_EVENT.source, _EVENT.sequence)
        .having(func.count(_EVENT.id.distinct()) > 1)
    )
    for query in (contents, ids):
        for source, _ in connection.execute(query):
            _report(sources, source).conflicts += 1
