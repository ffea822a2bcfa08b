"""What a service manager is told, over a real socket."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demurrage.app.notify import Manager


class Inbox:
    """The manager's end of the socket."""

    def __init__(self, folder: str) -> None:
        self.path = str(Path(folder) / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)

    def read(self) -> list[str]:
        """All that has come since the last reading."""
        found = []
        while True:
            try:
                found.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return found

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A manager that listens."""
    with tempfile.TemporaryDirectory() as folder:
        made = Inbox(folder)
        yield made
        made.close()


def test_every_state_is_told_in_the_protocols_words(inbox: Inbox) -> None:
    """Started, alive and ending are what systemd expects to read."""
    manager = Manager({"NOTIFY_SOCKET": inbox.path})
    manager.ready()
    manager.beat()
    manager.stopping()
    assert inbox.read() == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_reload_is_dated_by_the_monotonic_clock(inbox: Inbox) -> None:
    """Without its moment, systemd would not know which reload has ended."""
    before = time.clock_gettime(time.CLOCK_MONOTONIC)
    Manager({"NOTIFY_SOCKET": inbox.path}).reloading()
    (told,) = inbox.read()
    state, moment = told.split("\n")
    assert state == "RELOADING=1"
    assert moment.startswith("MONOTONIC_USEC=")
    assert before <= int(moment.partition("=")[2]) / 1e6 <= before + 60


def test_a_status_is_one_line_and_told_when_it_changes(inbox: Inbox) -> None:
    """A line break would begin another field, and saying the same again is noise."""
    manager = Manager({"NOTIFY_SOCKET": inbox.path})
    manager.status("all\nWATCHDOG=trigger")
    manager.status("all\nWATCHDOG=trigger")
    manager.status("x" * 5000)
    first, second = inbox.read()
    assert first == "STATUS=all WATCHDOG=trigger"
    assert len(second) < 600


def test_an_abstract_socket_is_found() -> None:
    """A name that begins with an @ is no file."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    name = f"demurrage-test-{os.getpid()}"
    listener.bind(f"\0{name}")
    Manager({"NOTIFY_SOCKET": f"@{name}"}).ready()
    assert listener.recv(100) == b"READY=1"
    listener.close()


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_nobody_who_listens_is_no_fault(environ: dict[str, str]) -> None:
    """Outside of systemd, and under one that went away, the daemon goes on."""
    Manager(environ).ready()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_beats_are_asked_for_by_the_environment(
    environ: dict[str, str], seconds: float | None
) -> None:
    """Three beats for each stretch, and none that are meant for another process."""
    assert Manager(environ).beat_every == seconds
