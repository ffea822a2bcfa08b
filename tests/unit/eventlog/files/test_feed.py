"""Files of the shared folder come into the log, each line once."""

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from tests.unit.eventlog.files.conftest import Reader, append

from demurrage.eventlog.files import feed as feed_module
from demurrage.eventlog.files import folder as folder_module
from demurrage.eventlog.files.folder import Listing
from demurrage.eventlog.log import EventLog
from demurrage.eventlog.parse import MOST_BYTES
from demurrage.model.error import LogUnreadableError

Make = Callable[..., dict[str, Any]]


def numbered(event: Make, *numbers: int) -> list[dict[str, Any]]:
    """Events of one source."""
    return [event(id=str(number), sequence=number) for number in numbers]


def test_lines_come_in_once(reader: Reader, folder: Path, event: Make) -> None:
    """However often the folder is looked at, and by whoever takes over."""
    append(folder / "app.jsonl", *numbered(event, 1, 2))
    reader.read()
    append(folder / "app.jsonl", *numbered(event, 3))
    append(folder / "other.jsonl", *numbered(event, 4))
    reader.restart()
    reader.read()
    reader.read()
    assert reader.ids == ["1", "2", "3", "4"]


def test_a_renamed_file_goes_on_where_it_was(reader: Reader, folder: Path, event: Make) -> None:
    """Also lines that its writer adds before it notices, and those of its successor."""
    append(folder / "app.jsonl", *numbered(event, 1))
    reader.read()
    append(folder / "app.jsonl", *numbered(event, 2))
    (folder / "app.jsonl").rename(folder / "app.jsonl.1")
    append(folder / "app.jsonl.1", *numbered(event, 3))
    append(folder / "app.jsonl", *numbered(event, 4))
    reader.read()
    assert sorted(reader.ids) == ["1", "2", "3", "4"]


def test_a_file_that_was_cut_off_is_begun_anew(reader: Reader, folder: Path, event: Make) -> None:
    """Whether it has outgrown its old length since or not."""
    path = folder / "app.jsonl"
    for grown in (1, 50):
        first = grown * 1000
        append(path, *numbered(event, first))
        reader.read()
        os.truncate(path, 0)
        append(path, *numbered(event, *range(first + 1, first + 1 + grown)))
        reader.read()
        assert set(reader.ids) >= {str(first + n) for n in range(grown + 1)}
    assert not reader.aside


def test_a_file_made_anew_is_read_from_its_start(reader: Reader, folder: Path, event: Make) -> None:
    """Even where the file system gives it the same inode."""
    path = folder / "app.jsonl"
    for number in range(1, 6):
        append(path, *numbered(event, number))
        reader.read()
        path.unlink()
    assert reader.ids == ["1", "2", "3", "4", "5"]


def test_half_a_line_waits_for_its_end(reader: Reader, folder: Path, event: Make) -> None:
    """It is neither lost nor set aside, in whatever pieces it comes."""
    line = json.dumps(event(id="1")).encode() + b"\n"
    for start in range(0, len(line), 40):
        with (folder / "app.jsonl").open("ab") as file:
            file.write(line[start : start + 40])
        reader.read()
    assert reader.ids == ["1"]
    assert not reader.aside


def test_half_a_line_of_a_rotated_file_is_set_aside_in_time(
    reader: Reader, folder: Path, event: Make
) -> None:
    """Its writer may still be at it for a while; then nothing more comes."""
    path = folder / "app.jsonl"
    append(path, *numbered(event, 1))
    with path.open("ab") as file:
        file.write(b'{"source": "host/1"')
    path.rename(folder / "app.jsonl.1")
    reader.read()
    assert not reader.aside
    reader.now += 61
    reader.read()
    assert [each.reason for each in reader.aside] == reader.reasons
    assert reader.reasons[0].startswith("app.jsonl.1, line 2: ")


def test_what_is_no_event_is_named_and_passed_over(
    reader: Reader, folder: Path, event: Make
) -> None:
    """By file and line, without its content; what stands around it comes in."""
    secret = "the secret of the line"
    bad = [
        b"not json: " + secret.encode(),
        b"\x00\xff\xfe binary " + secret.encode(),
        json.dumps([secret]).encode(),
        json.dumps({**event(id="a"), "time": secret}).encode(),
        json.dumps({**event(id="b"), "source": "demurrage:person/ann"}).encode(),
        json.dumps(event(id="c", data={"target": secret})).encode(),
        b'{"pad": "' + b"x" * MOST_BYTES + b'"}',
        b"[" * 100_000,
    ]
    good = numbered(event, *range(len(bad)))[1:] + numbered(event, len(bad))
    with (folder / "app.jsonl").open("wb") as file:
        for line, after in zip(bad, good, strict=True):
            file.write(line + b"\n\n" + json.dumps(after).encode() + b"\n")
    reader.read()
    assert reader.ids == [each["id"] for each in good]
    assert [each.reason.split(":")[0] for each in reader.aside] == [
        f"app.jsonl, line {1 + 3 * index}" for index in range(len(bad))
    ]
    assert secret not in repr(reader.aside) + repr(reader.reasons)
    assert len(reader.reasons) == len(bad)


def test_a_line_of_many_megabytes_is_passed_over(reader: Reader, folder: Path, event: Make) -> None:
    """In pieces, never held whole, also across restarts and while it is still growing."""
    path = folder / "app.jsonl"
    with path.open("wb") as file:
        file.write(b"x" * 3 * MOST_BYTES)
    reader.read()
    reader.restart()
    with path.open("ab") as file:
        file.write(b"x" * 3 * MOST_BYTES + b"\n")
    append(path, *numbered(event, 1))
    append(path, {"nothing": 1})
    reader.read()
    assert reader.ids == ["1"]
    assert [each.reason.split(":")[0] for each in reader.aside] == [
        "app.jsonl, line 1",
        "app.jsonl, line 3",
    ]


def test_a_line_set_aside_holds_its_source(reader: Reader, folder: Path, event: Make) -> None:
    """The note bears source and sequence, as far as they can be made out."""
    append(folder / "app.jsonl", event(time="noon", sequence=7))
    reader.read()
    assert [(each.source, each.sequence) for each in reader.aside] == [("host/1", 7)]


@pytest.mark.parametrize(
    "name", ["app.jsonl.gz", "app.jsonl.2.XZ", "app.json", ".app.jsonl.swp", "notes.txt"]
)
def test_other_files_do_not_count(reader: Reader, folder: Path, name: str, event: Make) -> None:
    """Packed, hidden and foreign ones are left alone."""
    line = json.dumps(event()).encode() + b"\n"
    (folder / name).write_bytes(gzip.compress(line) if "gz" in name else line)
    reader.read()
    assert not reader.records


def test_links_pipes_and_folders_are_never_opened(
    reader: Reader, folder: Path, tmp_path: Path, event: Make
) -> None:
    """A pipe would hang, and a link would lead out of the folder."""
    append(tmp_path / "elsewhere.jsonl", event())
    (folder / "link.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
    (folder / "dangling.jsonl").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe.jsonl")
    (folder / "folder.jsonl").mkdir()
    reader.read()
    assert not reader.records


def test_an_unreadable_folder_is_named(reader: Reader, folder: Path) -> None:
    """Without it the log is not known to be complete."""
    folder.rmdir()
    with pytest.raises(LogUnreadableError, match=str(folder)):
        reader.read()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(reader: Reader, folder: Path, event: Make) -> None:
    """Whatever it holds is not in the log."""
    append(folder / "app.jsonl", event())
    (folder / "app.jsonl").chmod(0)
    with pytest.raises(LogUnreadableError, match=r"app\.jsonl"):
        reader.read()


def test_a_backlog_takes_several_looks(reader: Reader, folder: Path, event: Make) -> None:
    """None of which claims to have seen the end before it did."""
    events = numbered(event, *range(1, 12_001))
    append(folder / "app.jsonl", *events)
    reader.restart(turn=0.0)
    left = []
    while not (gathered := reader.feed.gather()).whole:
        left.append(gathered.left)
        assert len(left) < 20
    assert left[0] > 0
    assert left == sorted(left, reverse=True)
    assert len(reader.ids) == len(set(reader.ids)) == len(events)


@pytest.mark.usefixtures("path")  # the trigger is SQLite's
def test_positions_go_back_with_the_log(reader: Reader, folder: Path, event: Make) -> None:
    """What a crash takes out of the log is read again: both live in one transaction."""
    append(folder / "app.jsonl", *numbered(event, 1, 2))
    with reader.log.transaction() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON event_log_file "
                "BEGIN SELECT RAISE(ABORT, 'no room'); END"
            )
        )
    with pytest.raises(LogUnreadableError, match="no room"):
        reader.read()
    assert not reader.records
    with reader.log.transaction() as connection:
        connection.execute(text("DROP TRIGGER full"))
    reader.read()
    assert reader.ids == ["1", "2"]


def test_an_unchanged_file_is_not_read_again(
    reader: Reader, folder: Path, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with a long past costs a glance."""
    append(folder / "app.jsonl", *numbered(event, 1))
    os.utime(folder / "app.jsonl", (reader.now - 10, reader.now - 10))
    reader.read()
    monkeypatch.setattr(os, "pread", None)
    reader.read()


def test_a_file_that_changed_just_now_is_read_again(
    reader: Reader, folder: Path, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within one tick of the file system's clock it may have changed once more."""
    append(folder / "app.jsonl", *numbered(event, 1))
    reader.read()
    monkeypatch.setattr(os, "pread", None)
    with pytest.raises(TypeError):
        reader.read()


def test_a_file_renamed_under_the_reader_s_eyes_is_met_again(
    reader: Reader, folder: Path, event: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed by one name, gone by the time it is opened: its lines are no less there."""
    append(folder / "app.jsonl", *numbered(event, 1))
    looks = iter(range(100))

    def look(where: Path, descriptor: int) -> Listing:
        seen = folder_module.look(where, descriptor)
        if next(looks) == 1:
            (folder / "app.jsonl").rename(folder / "app.jsonl.1")
            append(folder / "app.jsonl", *numbered(event, 2))
        return seen

    monkeypatch.setattr(feed_module, "look", look)
    reader.read()
    assert sorted(reader.ids) == ["1", "2"]


def test_odd_names_are_spelled_out(reader: Reader, folder: Path) -> None:
    """A name that is no text, or holds a newline, breaks nothing."""
    for name in (b"\xff\n.jsonl", "ü\u202e.jsonl".encode()):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(name[:1] + b"\n")
    reader.read()
    assert all(reason.isprintable() for reason in reader.reasons)
    assert len(reader.reasons) == 2


def test_the_log_s_own_database_may_be_older(reader: Reader, url: str) -> None:
    """A log made before there were event files gets what it lacks when it is opened."""
    with reader.log.transaction() as connection:
        connection.execute(text("DROP TABLE event_log_file"))
        connection.execute(text("DROP TABLE event_log_lock"))
    EventLog.open(url, clock=lambda: 0.0).close()
    reader.read()
