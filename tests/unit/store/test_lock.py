import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from demurrage.model.error import AlreadyRunningError, StoreAwayError, StoreUnusableError
from demurrage.store import StoreLock

HOLDER = """
import sys, time
from demurrage.store import StoreLock
with StoreLock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_cannot_hold_it_twice(url: str) -> None:
    """A second lock fails and names the holder; released, it can be taken again."""
    with StoreLock(url), pytest.raises(AlreadyRunningError, match=f"pid {os.getpid()}"):
        StoreLock(url).acquire()
    with StoreLock(url):
        pass


def test_releasing_what_is_not_held_does_nothing(url: str) -> None:
    """Release is safe at any time."""
    StoreLock(url).release()


@pytest.mark.process
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_it_dies_with_its_holder(url: str, end: signal.Signals) -> None:
    """Another process holds it until it ends, however it ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunningError, match=f"pid {holder.pid}"):
            StoreLock(url).acquire()
        holder.send_signal(end)
        holder.wait()
        with StoreLock(url):
            pass


def test_a_holder_that_has_not_written_yet_still_holds(url: str, path: Path) -> None:
    """The kernel's lock counts, the note is for people."""
    with StoreLock(url):
        path.with_name(path.name + ".lock").write_text("")
        with pytest.raises(AlreadyRunningError):
            StoreLock(url).acquire()


def test_anybody_may_ask_who_holds_it(url: str) -> None:
    """The answer names the process; asking takes nothing."""
    lock = StoreLock(url)
    assert lock.holder() is None
    with lock:
        assert f"pid {os.getpid()}" in str(StoreLock(url).holder())
        assert lock.held
    assert not lock.held
    assert lock.holder() is None


def test_two_names_of_one_file_are_one_lock(tmp_path: Path) -> None:
    """A symbolic link is no way around it."""
    (tmp_path / "true").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "true")
    with StoreLock(f"sqlite:///{tmp_path}/true/a.db"), pytest.raises(AlreadyRunningError):
        StoreLock(f"sqlite:///{tmp_path}/link/a.db").acquire()


def test_a_place_that_cannot_be_locked_is_refused(tmp_path: Path) -> None:
    """No folder, or no file to lock: the refusal names the setting."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusableError, match="database_url"):
        StoreLock(f"sqlite:///{tmp_path}/file/a.db").acquire()
    with pytest.raises(StoreAwayError, match="database_url"):
        StoreLock(f"postgresql+psycopg://u@/db?host={tmp_path}").acquire()
