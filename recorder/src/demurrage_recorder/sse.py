"""Server-sent events, taken apart as their bytes pass, in bounded memory."""

from dataclasses import dataclass

from demurrage_recorder.ids import scanned_ids

LONGEST_LINE = 8 * 1024 * 1024
# No id is longer, so none that straddles two pieces of a line gets lost.
_OVERLAP = 1100


@dataclass(frozen=True)
class Told:
    """One event: its name, if any, and its data; or what a scan found in data too long to keep."""

    name: bytes
    data: bytes | None
    scanned: frozenset[str] = frozenset()


class EventSplitter:
    """Cuts a byte stream into events, however its chunks fall.

    Args:
        longest: bytes of one event's data beyond which only container ids are kept of it.
    """

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0
        self._name = b""
        self._data: list[bytes] = []
        self._data_size = 0
        self._scanned: set[str] = set()
        self._overlong = False

    def feed(self, chunk: bytes) -> list[Told]:
        """The events that the chunk completes."""
        first, *rest = chunk.split(b"\n")
        self._gather(first)
        told: list[Told] = []
        for piece in rest:
            self._line(told)
            self._gather(piece)
        return told

    def end(self) -> list[Told]:
        """What remains when the stream ends without a last blank line."""
        told: list[Told] = []
        self._line(told)
        self._dispatch(told)
        return told

    def _gather(self, piece: bytes) -> None:
        if not piece:
            return
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > self._longest:
            text = b"".join(self._pieces)
            self._scan(text)
            self._pieces, self._size = [text[-_OVERLAP:]], _OVERLAP

    def _scan(self, text: bytes) -> None:
        self._scanned |= scanned_ids(text)
        self._overlong = True
        self._data.clear()

    def _line(self, told: list[Told]) -> None:
        line = b"".join(self._pieces).removesuffix(b"\r")
        self._pieces, self._size = [], 0
        if not line:
            self._dispatch(told)
        elif self._overlong:
            self._scan(line)
        elif line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._data_size += len(line)
            if self._data_size > self._longest:
                self._scan(b"\n".join(self._data))
        elif line.startswith(b"event:"):
            self._name = line[6:].strip()

    def _dispatch(self, told: list[Told]) -> None:
        if self._overlong:
            told.append(Told(self._name, None, frozenset(self._scanned)))
        elif self._data:
            told.append(Told(self._name, b"\n".join(self._data)))
        self._name, self._data, self._data_size = b"", [], 0
        self._scanned, self._overlong = set(), False
