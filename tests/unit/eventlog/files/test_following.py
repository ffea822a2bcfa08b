"""The follower against whatever writers and rotation do, in any order."""

import json
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.unit.eventlog.conftest import make
from tests.unit.eventlog.files.conftest import Reader, append

from demurrage.eventlog.files.following import Progress, read_chunk
from demurrage.eventlog.log import EventLog

KEPT = 4


class Files(RuleBasedStateMachine):
    """Two programs append to files that rotate either way, are removed, and read by restarts.

    What was there to be read is in the log once: a line is lost only with a file that was
    removed or cut off before anybody looked.
    """

    def __init__(self) -> None:
        super().__init__()
        self.room = TemporaryDirectory()
        self.folder = Path(self.room.name) / "shared"
        self.folder.mkdir()
        self.log = EventLog.open(f"sqlite:///{self.room.name}/log.db", clock=lambda: 0.0)
        self.reader = Reader(self.folder, self.log)
        self.written = 0
        self.torn: dict[str, bytes] = {}
        self.expected: set[str] = set()

    names = st.sampled_from(["a.jsonl", "b.jsonl"])

    @rule(name=names, count=st.integers(1, 4), pad=st.sampled_from([0, 0, 700, 3000]))
    def write(self, name: str, count: int, pad: int) -> None:
        """Append whole lines, after the rest of one that is half written."""
        self.finish(name)
        for _ in range(count):
            self.written += 1
            event = make(
                id=str(self.written), sequence=self.written, data={"model": "m" * (pad // 8)}
            )
            if not pad:
                del event["data"]["model"]
            append(self.folder / name, event)

    @rule(name=names)
    def begin(self, name: str) -> None:
        """Append the first half of a line."""
        if name not in self.torn:
            self.written += 1
            event = make(id=str(self.written), sequence=self.written)
            line = json.dumps(event).encode() + b"\n"
            with (self.folder / name).open("ab") as file:
                file.write(line[: len(line) // 2])
            self.torn[name] = line[len(line) // 2 :]

    def finish(self, name: str) -> None:
        """Append the second half."""
        rest = self.torn.pop(name, None)
        if rest is not None:
            with (self.folder / name).open("ab") as file:
                file.write(rest)

    @rule(name=names)
    def rename(self, name: str) -> None:
        """Rotate by renaming; the oldest goes once it was read."""
        self.finish(name)
        if (self.folder / name).exists():
            self.shift(name)
            (self.folder / name).rename(self.folder / f"{name}.1")

    @rule(name=names)
    def copy_and_cut(self, name: str) -> None:
        """Rotate by copying and cutting off."""
        self.finish(name)
        if (self.folder / name).exists():
            self.shift(name)
            shutil.copy(self.folder / name, self.folder / f"{name}.1")
            os.truncate(self.folder / name, 0)

    def shift(self, name: str) -> None:
        """Make room for the next rotated file."""
        oldest = self.folder / f"{name}.{KEPT}"
        if oldest.exists():
            self.read()
            oldest.unlink()
        for number in range(KEPT - 1, 0, -1):
            if (self.folder / f"{name}.{number}").exists():
                (self.folder / f"{name}.{number}").rename(self.folder / f"{name}.{number + 1}")

    @rule(name=names)
    def remove(self, name: str) -> None:
        """Remove a file that was read."""
        self.finish(name)
        self.read()
        (self.folder / name).unlink(missing_ok=True)

    @rule()
    def read(self) -> None:
        """A look brings in all that is whole."""
        self.expected |= {str(number) for number in range(1, self.written + 1)} - {
            json.loads(self.half(name))["id"] for name in self.torn
        }
        self.reader.read()
        assert set(self.reader.ids) == self.expected

    def half(self, name: str) -> bytes:
        """The line of which only half is written, whole."""
        begun = (self.folder / name).read_bytes().rpartition(b"\n")[2]
        return begun + self.torn[name]

    @rule()
    def restart(self) -> None:
        """Another reader takes over."""
        self.reader.restart()

    @invariant()
    def once(self) -> None:
        """Nothing is in the log twice, and nothing is set aside."""
        ids = self.reader.ids
        assert len(ids) == len(set(ids))
        assert not self.reader.aside

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.log.close()
        self.room.cleanup()


TestFiles = Files.TestCase
TestFiles.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@given(
    content=st.lists(st.binary(max_size=60), max_size=30).map(b"\n".join),
    cuts=st.lists(st.integers(0, 1500), max_size=6),
    ended=st.booleans(),
)
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_come_out_line_by_line(
    tmp_path: Path, content: bytes, cuts: list[int], *, ended: bool
) -> None:
    """In whatever pieces they arrive, each line that is no blank comes once, by its number."""
    path, seen = tmp_path / "any.jsonl", []
    path.write_bytes(b"")
    progress = Progress("1:1", "any.jsonl")
    for end in [*sorted(cut for cut in cuts if cut < len(content)), len(content)]:
        path.write_bytes(content[:end])
        file = os.open(path, os.O_RDONLY)
        try:
            chunk = read_chunk(file, progress, ended=ended and end == len(content))
        finally:
            os.close(file)
        assert chunk is not None
        seen += [(each.number, each.raw) for each in chunk.texts]
        progress = chunk.progress
    lines = content.split(b"\n")
    whole = lines if ended else lines[:-1]
    assert seen == [(number, each) for number, each in enumerate(whole, 1) if each.strip()]


def test_a_cut_between_read_and_read_is_seen(tmp_path: Path) -> None:
    """A file that was cut off and has outgrown its old length is no longer the same."""
    path = tmp_path / "any.jsonl"
    path.write_bytes(b"one\ntwo\n")
    progress = Progress("1:1", "any.jsonl")
    with path.open("rb+") as file:
        chunk = read_chunk(file.fileno(), progress, ended=False)
        assert chunk is not None
        progress = chunk.progress
        assert progress.position == 8
        file.truncate(0)
        assert read_chunk(file.fileno(), progress, ended=False) is None
        path.write_bytes(b"three\nfour\nfive\n")
        assert read_chunk(file.fileno(), progress, ended=False) is None
