"""Following one file: whole lines from where it was left, however it was rotated meanwhile.

A file is known by its device, inode and a mark of what was read of it. Renamed, it goes on where
it was; cut off or replaced, its mark no longer fits, and it is read from its start. What that
reads twice the log knows by its content.
"""

import os
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from demurrage.eventlog.parse import MOST_BYTES

TOO_LONG: Final = f"is longer than {MOST_BYTES} bytes"
TORN: Final = "ends without a newline, and nothing more comes"

# Any line that is not too long fits, with its newline and room to see that one is.
_CHUNK = MOST_BYTES + 65_536
# So much of a file's beginning, and of what was read last, tells it from another.
_MARKED = 1024
_DIGEST_BYTES = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one file was read.

    `identity`: its device and inode. `position`: the byte to go on from, behind `lines` whole
    lines. `mark`: a digest of what was read. `skipping`: the rest of a line that is too long
    is still to be passed over. `source`: whose journal it is. `set_aside`: lines that were no
    events.
    """

    identity: str
    name: str
    position: int = 0
    lines: int = 0
    mark: bytes = b""
    skipping: bool = False
    source: str | None = None
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """One line of a file, by its number from 1. `fault`: why it can be no event, if so."""

    number: int
    raw: bytes
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines, and the progress once they are taken in."""

    texts: tuple[Text, ...]
    progress: Progress


def read_chunk(file: int, progress: Progress, *, ended: bool) -> Chunk | None:
    """The next whole lines.

    Args:
        file: an open descriptor.
        progress: from where.
        ended: True when nothing more will be written, so that a line without its newline at
            the end is torn; else it waits.

    Returns:
        None where the file is no longer what was read before: begin it anew.

    Raises:
        OSError: it cannot be read.
    """
    start = progress.position
    data = os.pread(file, _CHUNK, start)
    # Looked at after the data: had the file been cut off in between, it would show here.
    head = os.pread(file, min(start, _MARKED), 0)
    tail = os.pread(file, min(start, _MARKED), start - min(start, _MARKED))
    if start and _mark(head, tail) != progress.mark:
        return None
    texts, taken, lines, skipping = _split(data, progress, ended=ended)
    if not taken:
        return Chunk((), progress)
    read = data[:taken]
    whole_head = (head + read)[:_MARKED] if start < _MARKED else head
    after = replace(
        progress,
        position=start + taken,
        lines=lines,
        mark=_mark(whole_head, (tail + read)[-_MARKED:]),
        skipping=skipping,
    )
    return Chunk(tuple(texts), after)


def _split(data: bytes, progress: Progress, *, ended: bool) -> tuple[list[Text], int, int, bool]:
    """The lines in the data, how many bytes and lines are done with, and whether to skip on."""
    texts: list[Text] = []
    at, number, skipping = 0, progress.lines, progress.skipping
    if skipping:
        newline = data.find(b"\n")
        if newline < 0:
            return texts, len(data), number, True
        at, number, skipping = newline + 1, number + 1, False
    while (newline := data.find(b"\n", at)) >= 0:
        number += 1
        raw = data[at:newline]
        at = newline + 1
        if raw.strip():
            texts.append(Text(number, raw, TOO_LONG if len(raw) > MOST_BYTES else None))
    rest = data[at:]
    if len(rest) > MOST_BYTES:
        texts.append(Text(number + 1, rest[:MOST_BYTES], TOO_LONG))
        return texts, len(data), number, True
    # Only a chunk that is not full reaches the end of the file.
    if ended and rest and len(data) < _CHUNK:
        if rest.strip():
            texts.append(Text(number + 1, rest, TORN))
        return texts, len(data), number + 1, False
    return texts, at, number, skipping


def _mark(head: bytes, tail: bytes) -> bytes:
    return blake2b(head + tail, digest_size=_DIGEST_BYTES).digest()
