"""A shared folder, what reads it, and recorders that write to it."""

import fcntl
import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.eventlog.conftest import make

from demurrage.eventlog.files import deaths
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.model.event import Entry, Record, SetAside


@dataclass
class Reader:
    """A feed on a folder, restarted as often as a test likes; its clock is set by hand."""

    folder: Path
    log: EventLog
    now: float = field(default_factory=time.time)
    reasons: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start the first feed."""
        self.restart()

    def restart(self, *, turn: float = 60.0) -> None:
        """Another feed takes over, knowing what the log's database knows."""
        self.feed = FolderFeed(
            self.folder,
            self.log,
            targets=("default",),
            clock=lambda: self.now,
            on_set_aside=self.reasons.extend,
            on_trouble=self.troubles.append,
            turn=turn,
        )

    def read(self) -> frozenset[str]:
        """One whole look; returns the sources that are proven dead."""
        gathered = self.feed.gather()
        assert gathered.whole
        return gathered.dead

    @property
    def records(self) -> tuple[Record, ...]:
        """All that the log holds."""
        return self.log.read(0, 100_000).records

    @property
    def ids(self) -> list[str]:
        """The ids of the events, in the log's order."""
        return [each.event.id for each in self.records if isinstance(each, Entry)]

    @property
    def aside(self) -> list[SetAside]:
        """The lines set aside."""
        return [each for each in self.records if isinstance(each, SetAside)]


@dataclass
class Recorder:
    """What a recorder's process leaves in the folder: its lock, and its journal."""

    folder: Path
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    sequence: int = 0
    number: int = 1
    lock: int | None = None

    @property
    def source(self) -> str:
        """Its name in events."""
        return f"recorder/host/1/{self.uuid}"

    @property
    def journal(self) -> Path:
        """The file that it writes to now."""
        return self.folder / f"{self.uuid}.{self.number}.jsonl"

    @property
    def lock_file(self) -> Path:
        """The file that it holds locked."""
        return self.folder / f"{self.uuid}.lock"

    def live(self) -> None:
        """Take the lock as recorders do; this very process is another to the kernel."""
        half_made = self.folder / f".{self.uuid}.lock.new"
        self.lock = os.open(half_made, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
        fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        half_made.rename(self.lock_file)

    def die(self) -> None:
        """Lose the lock, as any process does that ends."""
        assert self.lock is not None
        os.close(self.lock)
        self.lock = None

    def say(self, short: str = "response.started", **changes: Any) -> str:
        """Append one event; returns its id."""
        self.sequence += 1
        name = f"{self.uuid}-{self.sequence}"
        told = {"id": name, "source": self.source, "sequence": self.sequence, **changes}
        append(self.journal, make(short, **told))
        return name


def append(path: Path, *events: dict[str, Any]) -> None:
    """Append events to a file, one a line."""
    with path.open("ab") as file:
        file.write(b"".join(json.dumps(each).encode() + b"\n" for each in events))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty shared folder."""
    made = tmp_path / "shared"
    made.mkdir()
    return made


@pytest.fixture
def reader(folder: Path, log: EventLog) -> Reader:
    """What reads the folder into the test's log."""
    return Reader(folder, log)


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Locks prove what they prove on a local disk; returns what boots the kernel anew."""

    def boot(name: str) -> None:
        monkeypatch.setattr(deaths, "boot", lambda: name)

    monkeypatch.setattr(deaths, "lock_fault", lambda _: None)
    boot("first")
    return boot


@pytest.fixture
def recorder(folder: Path, local: Callable[[str], None]) -> Iterator[Recorder]:
    """A recorder that lives."""
    del local
    made = Recorder(folder)
    made.live()
    yield made
    if made.lock is not None:
        made.die()
