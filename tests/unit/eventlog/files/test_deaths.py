"""When the lock of a recorder's process proves its death, and when it must not."""

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.eventlog.files.conftest import Reader, Recorder, append

from demurrage.eventlog.files import deaths
from demurrage.eventlog.files.folder import opened
from demurrage.eventlog.files.locks import Hold, boot, lock_fault, try_lock
from demurrage_recorder.locks import Lock

Make = Callable[..., dict[str, Any]]


def test_a_lock_that_was_held_and_is_free_proves_a_death(
    reader: Reader, recorder: Recorder
) -> None:
    """Not before, and with all that the process wrote in the log."""
    recorder.say()
    assert reader.read() == frozenset()
    recorder.say()
    recorder.number += 1
    recorder.say()
    recorder.die()
    assert reader.read() == {recorder.source}
    assert len(reader.ids) == 3


def test_the_proof_outlives_the_reader(reader: Reader, recorder: Recorder) -> None:
    """Another feed on the same log knows that the lock was held."""
    recorder.say()
    reader.read()
    recorder.die()
    reader.restart()
    assert reader.read() == {recorder.source}


def test_a_lock_never_seen_held_proves_nothing(reader: Reader, recorder: Recorder) -> None:
    """It may be a copy, another's forgery, or out of the reach of this kernel's locks."""
    recorder.say()
    recorder.die()
    assert reader.read() == frozenset()


def test_a_copied_folder_proves_nothing(reader: Reader, recorder: Recorder, tmp_path: Path) -> None:
    """Its process lives elsewhere, whatever the copy's lock says."""
    recorder.say()
    reader.read()
    reader.folder = tmp_path / "restored"
    shutil.copytree(recorder.folder, reader.folder)
    reader.restart()
    assert reader.read() == frozenset()


def test_a_lock_put_in_its_place_proves_nothing(reader: Reader, recorder: Recorder) -> None:
    """A living process's lock is that very file; a new one of its name is somebody's else."""
    recorder.say()
    reader.read()
    recorder.lock_file.unlink()
    recorder.lock_file.touch()
    assert reader.read() == frozenset()


def test_a_lock_made_where_the_old_one_was_proves_nothing(
    reader: Reader, recorder: Recorder
) -> None:
    """The file system may give it the same inode."""
    recorder.say()
    reader.read()
    recorder.die()
    recorder.lock_file.unlink()
    recorder.lock_file.touch()
    assert reader.read() == frozenset()


def test_a_lock_touched_since_proves_nothing(reader: Reader, recorder: Recorder) -> None:
    """Until it was seen held again as it is."""
    recorder.say()
    reader.read()
    recorder.lock_file.chmod(0o600)
    os.utime(recorder.lock_file)
    reader.read()
    recorder.die()
    assert reader.read() == {recorder.source}


@pytest.mark.parametrize("mended", [False, True])
def test_a_lock_that_its_process_disowns_proves_nothing(
    reader: Reader, folder: Path, local: Callable[[str], None], *, mended: bool
) -> None:
    """It could not write all that it had to tell; where it could later on, it takes that back."""
    del local
    recorder = Recorder(folder)
    lock = Lock.make(folder, recorder.uuid, "file:", 0o600)
    recorder.say()
    reader.read()
    lock.disown()
    with opened(folder) as descriptor:
        assert try_lock(descriptor, recorder.lock_file.name).hold is Hold.HELD, "it still lives"
    reader.read()
    if mended:
        lock.own()
        reader.read()
    lock.let_go()
    assert reader.read() == ({recorder.source} if mended else frozenset())


def test_after_a_reboot_nothing_is_proven(
    reader: Reader, recorder: Recorder, local: Callable[[str], None]
) -> None:
    """The end of the journal may have been lost with the machine's memory."""
    recorder.say()
    reader.read()
    recorder.die()
    local("second")
    assert reader.read() == frozenset()


def test_a_process_between_its_lock_and_its_first_event(reader: Reader, recorder: Recorder) -> None:
    """There is nobody in the log to retire, whether it lives or is dead."""
    assert reader.read() == frozenset()
    recorder.die()
    assert reader.read() == frozenset()


def test_a_torn_end_is_set_aside_and_proves_no_whole_record(
    reader: Reader, recorder: Recorder
) -> None:
    """The process is dead, so nothing more comes; what the line said is not known."""
    recorder.say()
    with recorder.journal.open("ab") as file:
        file.write(b'{"id": "cut')
    reader.read()
    assert not reader.aside
    recorder.die()
    assert reader.read() == frozenset()
    assert [each.source for each in reader.aside] == [recorder.source]


def test_another_s_line_in_a_journal_is_set_aside(
    reader: Reader, recorder: Recorder, event: Make
) -> None:
    """Nobody speaks for another there, and such a journal proves nothing."""
    recorder.say()
    append(recorder.journal, event(id="forged"))
    append(recorder.journal, event(id="forged", source=f"elsewhere/{recorder.uuid}"))
    reader.read()
    recorder.die()
    assert reader.read() == frozenset()
    assert len(reader.aside) == 2
    assert "forged" not in reader.ids


def test_a_free_lock_of_a_source_that_writes_elsewhere(
    reader: Reader, recorder: Recorder, event: Make
) -> None:
    """Only whose journal lies beside the lock can be meant by it."""
    append(recorder.folder / "app.jsonl", event(source=recorder.source))
    reader.read()
    recorder.die()
    assert reader.read() == frozenset()


@pytest.mark.parametrize("fault", ["it is on nfs4", None])
def test_locks_that_prove_nothing_are_reported_once(
    reader: Reader, recorder: Recorder, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    """Where the file system, or the system, cannot tell, all writers are waited for."""
    monkeypatch.setattr(deaths, "lock_fault", lambda _: fault)
    if fault is None:
        monkeypatch.setattr(deaths, "boot", lambda: None)
    recorder.say()
    reader.read()
    recorder.die()
    assert reader.read() == frozenset()
    assert len(reader.troubles) == 1


def test_a_lock_that_cannot_be_tried_is_reported_once(
    reader: Reader, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on file systems that have none."""
    recorder.say()
    reader.read()
    recorder.die()

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert reader.read() == reader.read() == frozenset()
    assert len(reader.troubles) == 1


def test_trying_a_lock_keeps_it_from_nobody(reader: Reader, recorder: Recorder) -> None:
    """It is neither made nor held."""
    with opened(reader.folder) as folder:
        assert try_lock(folder, recorder.lock_file.name).hold is Hold.HELD
        recorder.die()
        assert try_lock(folder, recorder.lock_file.name).hold is Hold.FREE
        recorder.live()
        assert try_lock(folder, "absent.lock").hold is Hold.UNKNOWN
        (reader.folder / "link.lock").symlink_to(recorder.lock_file)
        assert try_lock(folder, "link.lock").hold is Hold.UNKNOWN
    assert {each.name for each in reader.folder.iterdir()} == {recorder.lock_file.name, "link.lock"}


def test_only_local_file_systems_are_trusted(folder: Path) -> None:
    """What this machine says of a folder decides, and silence means no."""
    with opened(folder) as descriptor:
        fault = lock_fault(descriptor)
    assert fault is None or "folder" in fault
    with opened(Path("/proc")) as descriptor:
        assert lock_fault(descriptor) is not None
    assert lock_fault(9_999) is not None
    assert boot() == boot()
