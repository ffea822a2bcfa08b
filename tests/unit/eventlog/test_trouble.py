"""What the log makes of damaged rows, locked files, full disks and restored copies."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, select, text, update

from demurrage.eventlog import tables
from demurrage.eventlog.log import EventLog
from demurrage.model.error import LogUnreadableError, StoreUnusableError
from demurrage.model.event import Entry, SetAside

Make = Callable[..., dict[str, Any]]


def _run(log: EventLog, statement: str) -> None:
    with log._engine.begin() as connection:
        connection.execute(text(statement))


@contextmanager
def _writing(url: str) -> Iterator[None]:
    """Another appender that has begun and does not go on."""
    engine = create_engine(url)
    with engine.connect() as other, other.begin():
        other.execute(update(tables.head).values(position=tables.head.c.position))
        yield
    engine.dispose()


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: {"body": b"\0"},
        lambda _: {"body": b"{}"},
        lambda _: {"body": None},
        lambda _: {"digest": b"\0"},
        lambda body: {"body": body.replace(b"call_2", b"call_9")},
    ],
)
def test_a_damaged_row_is_set_aside(
    log: EventLog, event: Make, damage: Callable[[bytes], dict[str, bytes | None]]
) -> None:
    """One event whose content no longer fits its fingerprint stops nobody, and holds its source."""
    log.append(
        [event(id=str(n), sequence=n, data={"call_id": f"call_{n}"}) for n in (1, 2, 3)],
        appended_at=0.0,
    )
    second = tables.events.c.position == 2
    with log._engine.begin() as connection:
        body = connection.scalars(select(tables.events.c.body).where(second)).one()
        assert body is not None
        connection.execute(update(tables.events).where(second).values(damage(body)))
    before, damaged, after = log.read(0, 10).records
    assert isinstance(before, Entry)
    assert isinstance(after, Entry)
    assert isinstance(damaged, SetAside)
    assert (damaged.position, damaged.source, damaged.sequence) == (2, "host/1", 2)


@pytest.mark.usefixtures("path")
def test_a_row_damaged_all_over_holds_every_source(log: EventLog, event: Make) -> None:
    """Where not even the source is text any more, nobody is known to be complete."""
    log.append([event()], appended_at=0.0)
    _run(log, "UPDATE event_log SET body = X'00', source = CAST(X'ff' AS TEXT)")
    (aside,) = log.read(0, 10).records
    assert isinstance(aside, SetAside)
    assert aside.source is None


def test_a_locked_log_refuses_appends_by_name(log: EventLog, url: str, event: Make) -> None:
    """Another writer that does not let go is no crash; reading goes on meanwhile."""
    log.append([event()], appended_at=0.0)
    with _writing(url):
        with pytest.raises(LogUnreadableError):
            log.append([event(id="2")], appended_at=0.0)
        with pytest.raises(LogUnreadableError):
            log.set_aside(b"?", "bad", appended_at=0.0)
        assert len(log.read(0, 10).records) == 1
    assert log.append([event(id="2")], appended_at=0.0).accepted == 1


@pytest.mark.usefixtures("path")
def test_a_full_database_refuses_appends_by_name_and_whole(log: EventLog, event: Make) -> None:
    """What did not fit is not there in part, and what was there can be read."""
    log.append([event()], appended_at=0.0)
    with log._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    big = [event(id=str(n), extra="x" * 10_000) for n in range(20)]
    with pytest.raises(LogUnreadableError):
        log.append(big, appended_at=0.0)
    assert len(log.read(0, 100).records) == 1


def test_errors_quote_no_content(log: EventLog, event: Make) -> None:
    """Neither the message nor the chain behind it holds an event's text."""
    _run(log, "DROP TABLE event_log_mention")
    with pytest.raises(LogUnreadableError) as caught:
        log.append([event(data={"call_id": "call_secret"})], appended_at=0.0)
    assert "call_secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "use",
    [
        lambda log: log.read(0, 10),
        lambda log: log.head(),
        lambda log: log.generation,
        lambda log: log.recent(1),
        lambda log: log.events_about(["cntr_1"]),
        lambda log: log.floors(),
        lambda log: log.verify(),
        lambda log: log.prune(before=1.0, through=1, keep=()),
    ],
)
def test_every_use_names_its_trouble(log: EventLog, use: Callable[[EventLog], object]) -> None:
    """A database that is broken never raises an error of its own."""
    for table in ("event_log", "event_log_head", "event_log_mention", "event_log_source_floor"):
        _run(log, f"DROP TABLE {table}")
    with pytest.raises(LogUnreadableError):
        use(log)


@pytest.mark.parametrize("where", ["sqlite:////no/such/folder/log.sqlite", "file"])
def test_a_log_that_cannot_be_opened_says_so(tmp_path: Path, where: str) -> None:
    """A missing folder, and a file that is no database."""
    if where == "file":
        (tmp_path / "letter.txt").write_text("Dear database, " * 100)
        where = f"sqlite:///{tmp_path / 'letter.txt'}"
    with pytest.raises(StoreUnusableError):
        EventLog.open(where, clock=lambda: 0.0, busy_timeout=0.01)


def test_a_log_set_back_to_a_copy_sends_its_reader_to_the_start(
    log: EventLog, url: str, backend: str, request: pytest.FixtureRequest, event: Make
) -> None:
    """Its generation differs from the known one, be it before or after new appends."""
    log.append([event(id="1")], appended_at=100.0)
    if backend == "sqlite":
        with log._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = f"{url}.copy"
        shutil.copy(url.removeprefix("sqlite:///"), copy.removeprefix("sqlite:///"))
    else:
        log._engine.dispose()  # nobody may be connected to what is copied
        server = request.getfixturevalue("postgres")
        copy = server.url(server.copy(str(make_url(url).database)))
    log.append([event(id="2")], appended_at=200.0)
    known = log.read(0, 10)

    restored = EventLog.open(copy, clock=lambda: 0.0)
    for _ in range(2):
        batch = restored.read(known.cursor, 10)
        assert batch.generation != known.generation
        assert (batch.records, batch.cursor) == ((), 0)
        restored.append([event(id="3"), event(id="4")], appended_at=300.0)
    again = restored.read(0, 10)
    assert again.generation == known.generation
    assert len(again.records) == 3
    assert restored.read(again.cursor, 10).generation == known.generation
    restored.close()
