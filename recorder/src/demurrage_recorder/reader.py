"""Reading a source's files in order, whole lines only."""

import re
from contextlib import suppress
from pathlib import Path

from demurrage_recorder.journal import file_of

MOST_LINES = 500
"""The most lines in one batch."""

_CHUNK = 256 << 10
# The longest line is shorter than this.
_LONGEST = 4 << 20


def numbers_of(folder: Path, name: str) -> list[int]:
    """The numbers of a source's files that exist, in order.

    Raises:
        OSError: the folder cannot be read.
    """
    shape = re.compile(re.escape(name) + r"\.([0-9]{1,9})\.jsonl")
    found = (shape.fullmatch(path.name) for path in folder.iterdir())
    return sorted(int(match[1]) for match in found if match is not None)


class Reader:
    """Goes through the files of one source, a batch of lines at a time.

    A line without its newline is not there: either it is being written, or nobody was told that
    it had been.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._number = 0
        self._offset = 0
        self._next_offset = 0

    @property
    def place(self) -> tuple[Path, int]:
        """The file that is being read, and up to which of its bytes."""
        return file_of(self._folder, self._name, self._number), self._offset

    def batch(self) -> list[bytes]:
        """The next lines, without their newlines; the same again until `advance` is called.

        Raises:
            OSError: a file cannot be read.
        """
        while True:
            # Looked for before reading: once it exists, nothing is added to those before it.
            following = next(
                (one for one in numbers_of(self._folder, self._name) if one > self._number), None
            )
            lines = self._read() if self._number else []
            if lines or following is None:
                return lines
            self._number, self._offset = following, 0

    def advance(self) -> None:
        """Go on behind the lines that `batch` gave."""
        self._offset = self._next_offset

    def remove_read(self) -> None:
        """Remove the files before the one that is being read."""
        for number in numbers_of(self._folder, self._name):
            if number < self._number:
                with suppress(OSError):
                    file_of(self._folder, self._name, number).unlink()

    def _read(self) -> list[bytes]:
        try:
            with file_of(self._folder, self._name, self._number).open("rb", buffering=0) as file:
                file.seek(self._offset)
                found = file.read(_CHUNK) or b""
                if b"\n" not in found and len(found) == _CHUNK:
                    found += file.read(_LONGEST) or b""
        except FileNotFoundError:
            return []
        lines = found.split(b"\n")[:-1][:MOST_LINES]
        self._next_offset = self._offset + sum(len(line) + 1 for line in lines)
        return lines
