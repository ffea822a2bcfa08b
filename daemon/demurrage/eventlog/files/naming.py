"""What the names in the folder say."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".br", ".zip", ".z")
_UUID = r"(?P<uuid>[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12})"
_JOURNAL = re.compile(_UUID + r"\.(?P<number>[1-9][0-9]{0,8})\.jsonl")
_LOCK = re.compile(_UUID + r"\.lock")


@dataclass(frozen=True, slots=True)
class Journal:
    """A recorder's file: every line is of the source that ends in `/uuid`.

    Its files are numbered from 1, and it writes to the last.
    """

    uuid: str
    number: int


def counts(name: str) -> bool:
    """True for files that hold events: `.jsonl` is in the name, and nothing packed it.

    Hidden ones are half-made, by editors and copying programs.
    """
    return ".jsonl" in name and not name.startswith(".") and not name.lower().endswith(_COMPRESSED)


def journal_of(name: str) -> Journal | None:
    """What a recorder's file is, None for a file of anybody else."""
    found = _JOURNAL.fullmatch(name)
    return None if found is None else Journal(found["uuid"], int(found["number"]))


def lock_of(name: str) -> str | None:
    """The uuid whose process holds the lock on this file; None if it is no such file."""
    found = _LOCK.fullmatch(name)
    return None if found is None else found["uuid"]


def latest_journals(names: Iterable[str]) -> dict[str, int]:
    """By uuid: the number of the journal that its recorder writes to."""
    latest: dict[str, int] = {}
    for journal in map(journal_of, names):
        if journal is not None:
            latest[journal.uuid] = max(latest.get(journal.uuid, 0), journal.number)
    return latest


def rotated_away(name: str, latest: Mapping[str, int]) -> bool:
    """True for a file to which its writer does not return, given everybody's latest journal."""
    own = journal_of(name)
    if own is None:
        return not name.endswith(".jsonl")
    return latest.get(own.uuid, 0) > own.number


def printable(name: str) -> str:
    """A file's name as it may stand in a message."""
    shown = name.encode("utf-8", "backslashreplace").decode()
    return "".join(each if each.isprintable() else "?" for each in shown)
