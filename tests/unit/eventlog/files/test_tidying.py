"""Journals that are done with are removed after a while; nothing else ever is."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.unit.eventlog.files.conftest import Reader, Recorder, append

Make = Callable[..., dict[str, Any]]
HOUR = 3600.0


def left(folder: Path) -> set[str]:
    """What lies in the folder."""
    return {each.name for each in folder.iterdir()}


def everybody(_: str) -> bool:
    """All have said goodbye."""
    return True


def nobody(_: str) -> bool:
    """Nobody has."""
    return False


def test_a_journal_that_was_left_goes_after_an_hour(reader: Reader, recorder: Recorder) -> None:
    """The one that is written to stays, and so does the lock."""
    recorder.say()
    first = recorder.journal.name
    recorder.number += 1
    recorder.say()
    reader.read()
    reader.feed.tidy(nobody)
    assert first in left(recorder.folder)
    reader.now += HOUR + 60
    reader.feed.tidy(nobody)
    assert left(recorder.folder) == {recorder.journal.name, recorder.lock_file.name}


def test_all_of_a_writer_that_is_over_goes(reader: Reader, recorder: Recorder) -> None:
    """Its last journal and its lock too, once nobody holds that."""
    recorder.say()
    reader.read()
    reader.now += HOUR + 60
    reader.feed.tidy(everybody)
    assert len(left(recorder.folder)) == 2
    recorder.die()
    reader.feed.tidy(nobody)
    assert len(left(recorder.folder)) == 2
    reader.feed.tidy(everybody)
    assert not left(recorder.folder)


def test_what_is_not_read_stays(reader: Reader, recorder: Recorder) -> None:
    """However old it is."""
    recorder.say()
    reader.read()
    recorder.say()
    recorder.die()
    reader.now += HOUR + 60
    reader.feed.tidy(everybody)
    assert len(left(recorder.folder)) == 2


def test_a_journal_with_lines_set_aside_stays_for_a_person(
    reader: Reader, recorder: Recorder
) -> None:
    """They are named by file and line; who retires its writer has looked."""
    recorder.say()
    with recorder.journal.open("ab") as file:
        file.write(b"?\n")
    bad = recorder.journal.name
    recorder.number += 1
    recorder.say()
    reader.read()
    reader.now += HOUR + 60
    reader.feed.tidy(nobody)
    assert bad in left(recorder.folder)
    recorder.die()
    reader.feed.tidy(everybody)
    assert not left(recorder.folder)


def test_files_of_others_are_never_removed(reader: Reader, folder: Path, event: Make) -> None:
    """Whoever wrote them rotates them."""
    append(folder / "app.jsonl", event(id="1"))
    append(folder / "app.jsonl.1", event(id="2"))
    reader.read()
    reader.now += 100 * HOUR
    reader.feed.tidy(everybody)
    assert left(folder) == {"app.jsonl", "app.jsonl.1"}


def test_where_nothing_may_be_removed_nothing_is(
    reader: Reader, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is only read is no error."""
    recorder.say()
    recorder.die()
    reader.read()
    reader.now += HOUR + 60

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", refuse)
    reader.feed.tidy(everybody)
    monkeypatch.undo()
    assert len(left(recorder.folder)) == 2


def test_files_that_went_are_remembered_for_days(reader: Reader, folder: Path, event: Make) -> None:
    """So that a folder that was away for a while is not read again; then they are forgotten."""
    path = folder / "app.jsonl"
    append(path, event())
    reader.read()
    aside = path.rename(folder.parent / "away.jsonl")
    reader.feed.tidy(nobody)
    reader.now += 5 * 86400
    reader.feed.tidy(nobody)
    assert known(reader) == 1
    aside.rename(path)
    reader.feed.tidy(nobody)
    path.unlink()
    reader.feed.tidy(nobody)
    reader.now += 5 * 86400
    reader.feed.tidy(nobody)
    assert known(reader) == 1
    reader.now += 3 * 86400
    reader.feed.tidy(nobody)
    assert known(reader) == 0


def known(reader: Reader) -> int:
    """How many files are remembered."""
    with reader.log.transaction() as connection:
        return int(connection.execute(text("SELECT count(*) FROM event_log_file")).scalar_one())
