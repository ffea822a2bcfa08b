"""A journal with a hole whose lock file cannot be removed: no taker speaks for its process."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.unit.recorder.taker import Taker

from demurrage_recorder.carrier import carrier_for, label_of
from demurrage_recorder.deliver import deliver
from demurrage_recorder.estate import Estate
from demurrage_recorder.journal import Journal

NAME = "3f2b6f1e-0000-4000-8000-000000000000"
NOWHERE = "http://127.0.0.1:9"


@dataclass
class Disk:
    """What a folder takes: lines, changes of its lock file, and that files are removed."""

    refused: set[str] = field(default_factory=set)

    def asks(self, what: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """The real thing, unless it is refused."""

        def asked(*about: Any, **more: Any) -> Any:
            if what in self.refused:
                raise OSError(errno.EACCES, os.strerror(errno.EACCES))
            return real(*about, **more)

        return asked


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """One that takes all, until a test says otherwise."""
    made = Disk()
    monkeypatch.setattr(os, "write", made.asks("lines", os.write))
    monkeypatch.setattr(os, "pwrite", made.asks("changes", os.pwrite))
    monkeypatch.setattr(Path, "unlink", made.asks("removal", Path.unlink))
    return made


@pytest.fixture
def journal(folder: Path, disk: Disk) -> Iterator[Journal]:
    """One with a line, on that disk."""
    made = Journal(folder, NAME, spool=1 << 20, note=NOWHERE, shared=False)
    assert made.append(b'{"line":1}\n')
    yield made
    disk.refused.clear()
    made.let_go()


@pytest.fixture(autouse=True)
def _unwarned(recwarn: pytest.WarningsRecorder) -> None:
    """The recorder says that the folder takes nothing."""


def _taker_doubts(folder: Path) -> bool:
    estate = Estate.claim(folder / f"{NAME}.lock")
    assert estate is not None
    try:
        assert estate.meant_for == NOWHERE
        return estate.doubt is not None
    finally:
        estate.let_go()


def test_a_hole_raises_a_doubt(journal: Journal, disk: Disk, folder: Path) -> None:
    """As where the folder may not be written to any more; the file takes no more room for it."""
    path = folder / f"{NAME}.lock"
    size = path.stat().st_size
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    journal.let_go()  # as its death does
    assert _taker_doubts(folder)
    assert path.stat().st_size == size


def test_nobody_delivers_it(journal: Journal, disk: Disk, folder: Path, taker: Taker) -> None:
    """All of it stays, for a person to retire its writer."""
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    journal.let_go()
    disk.refused.clear()
    done = deliver(folder, label_of(NOWHERE), carrier_for(taker.url, None))
    assert (done.sources, done.events, len(done.troubles)) == (0, 0, 1)
    assert (folder / f"{NAME}.1.jsonl").exists()


def test_the_living_holds_it_on(journal: Journal, disk: Disk, folder: Path) -> None:
    """It must not be taken for dead."""
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    assert Estate.claim(folder / f"{NAME}.lock") is None


@pytest.mark.parametrize("how", ["mended", "delivered"])
def test_once_all_is_written_it_is_a_proof_again(
    journal: Journal, disk: Disk, folder: Path, how: str
) -> None:
    """Also where what had waited in memory was delivered from there, and more is written."""
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    disk.refused.clear()
    if how == "mended":
        journal.mend()
    else:
        journal.forget_unwritten(1)
        journal.append(b'{"line":3}\n')
    journal.let_go()
    assert not _taker_doubts(folder)


def test_a_mend_that_ends_early_leaves_the_doubt(
    journal: Journal, disk: Disk, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first line is written, the next one is not."""
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    journal.append(b'{"line":3}\n')
    disk.refused = {"removal"}
    write = os.write

    def once(*about: Any) -> int:
        disk.refused.add("lines")
        monkeypatch.setattr(os, "write", write)
        return len(about[1])

    monkeypatch.setattr(os, "write", once)
    journal.mend()
    assert len(journal.unwritten) == 1
    journal.let_go()
    assert _taker_doubts(folder)


def test_it_is_removed_as_soon_as_it_can_be(journal: Journal, disk: Disk, folder: Path) -> None:
    """Though lines still wait in memory."""
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    disk.refused = {"lines"}
    journal.mend()
    assert not list(folder.glob("*.lock"))


def test_a_file_that_cannot_be_changed_is_tried_again(
    journal: Journal, disk: Disk, folder: Path
) -> None:
    """As long as lines wait in memory."""
    disk.refused = {"lines", "removal", "changes"}
    journal.append(b'{"line":2}\n')
    disk.refused.discard("changes")
    journal.mend()
    journal.let_go()
    assert _taker_doubts(folder)


def test_a_doubt_that_cannot_be_taken_back_holds_no_line_up(
    journal: Journal, disk: Disk, folder: Path
) -> None:
    """It stays until a later file is begun, and keeps more until then."""
    disk.refused = {"lines", "removal"}
    journal.append(b'{"line":2}\n')
    disk.refused = {"changes", "removal"}
    journal.mend()
    assert not journal.unwritten
    assert (folder / f"{NAME}.2.jsonl").read_bytes() == b'{"line":2}\n'
    journal.let_go()
    assert _taker_doubts(folder)
