"""Reading a trace of requests: CSV, plain or gzipped, with a header line."""

import csv
import gzip
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import TextIO, TypeVar

from demurrage.model.error import DemurrageError
from demurrage.simulator.ask import TIERS
from demurrage.simulator.score.load import ALWAYS, MODES, NEVER, TOOLS, Load, Request

_T = TypeVar("_T", bound=str)
_DURATIONS = ("duration_s", "duration_est_s")
_USE = {
    **dict.fromkeys(("1", "true", "yes"), ALWAYS),
    **dict.fromkeys(("0", "false", "no"), NEVER),
}
# Real time would run out before a longer trace does, and so would the memory.
_LONGEST_S = 366 * 86_400.0


class TraceError(DemurrageError):
    """A trace cannot be read; the message names file, line, column and the fix."""


def read_trace(path: Path, *, seed: int = 0) -> Load:
    """Read a trace.

    Columns: `start_s` (seconds from any beginning), `duration_s` or `duration_est_s`; optional
    `session` (else each row is a session of its own), `u` (0 to 1: the tool is called where it
    lies under the tool-use rate) or `uses_tool` (true/false), `tier`, `tool` (code_interpreter,
    shell, none), `mode` (blocking, streamed, background). Others are ignored.

    Args:
        path: the file; gzipped if its name ends in .gz.
        seed: where the trace has neither `u` nor `uses_tool`, their place is drawn from it.

    Raises:
        TraceError: the file cannot be read, or a row is wrong.
    """
    try:
        with _opened(path) as lines:
            return _load(path, lines, seed)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is not a whole gzip file"
        raise TraceError(f"{path}: cannot be read: {reason}") from None
    except UnicodeDecodeError:
        raise TraceError(f"{path}: is not text in UTF-8; save it as such") from None
    except csv.Error as error:
        raise TraceError(f"{path}: is not CSV: {error}") from None


def _opened(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _load(path: Path, lines: Iterable[str], seed: int) -> Load:
    rows = csv.DictReader(lines)
    columns = [name for name in rows.fieldnames or () if name]
    if twice := next((name for name in columns if columns.count(name) > 1), None):
        raise TraceError(f"{path}: line 1: column {twice} is there twice; leave one")
    duration = _duration_column(path, columns)
    rng = Random(f"draws/{seed}")  # noqa: S311 - a replay repeats itself from its seed
    requests = []
    for row in rows:
        if None in row:
            raise TraceError(
                f"{path}: line {rows.line_num}: has more cells than the header; write decimals "
                "with a point, and put a cell with a comma in quotes"
            )
        cells = _Cells(path, rows.line_num, row)
        requests.append(
            Request(
                session=cells.text("session") or f"row {rows.line_num}",
                start=cells.seconds("start_s"),
                seconds=cells.seconds(duration),
                draw=_draw(cells, columns, rng),
                tier=cells.choice("tier", TIERS),
                tool=cells.choice("tool", TOOLS) or "code_interpreter",
                mode=cells.choice("mode", MODES),
            )
        )
    if not requests:
        raise TraceError(f"{path}: has no rows below its header")
    requests.sort(key=lambda each: each.start)
    span = requests[-1].start + 1.0
    if span > _LONGEST_S:
        raise TraceError(
            f"{path}: start_s reaches to {span:.0f} s, more than a year; count seconds from the "
            "trace's own start, not from an epoch"
        )
    return Load(
        path.name,
        tuple(requests),
        span,
        recorded_use="uses_tool" in columns,
        recorded_mode=all(request.mode is not None for request in requests),
    )


def _duration_column(path: Path, columns: Sequence[str]) -> str:
    found = f"name it in the header, which has {', '.join(columns) or 'nothing'}"
    if "start_s" not in columns:
        raise TraceError(f"{path}: line 1: column start_s is missing; {found}")
    for name in _DURATIONS:
        if name in columns:
            return name
    raise TraceError(f"{path}: line 1: column duration_s (or duration_est_s) is missing; {found}")


def _draw(cells: "_Cells", columns: Sequence[str], rng: Random) -> float:
    """Where the row's use lies among the rates; the generator moves on whatever the row says."""
    drawn = rng.random()
    if "uses_tool" in columns:
        word = cells.text("uses_tool").lower()
        if word not in _USE:
            raise cells.wrong("uses_tool", "write true or false")
        return _USE[word]
    return cells.share("u") if "u" in columns else drawn


class _Cells:
    """One row, with its place for the errors."""

    def __init__(self, path: Path, line: int, row: Mapping[str | None, str | None]) -> None:
        self._path = path
        self._line = line
        self._row = row

    def wrong(self, column: str, fix: str) -> TraceError:
        """What is wrong with a cell; its content stays out of the message."""
        return TraceError(f"{self._path}: line {self._line}: column {column}: {fix}")

    def text(self, column: str) -> str:
        """The cell without blanks, empty if the row has none."""
        return (self._row.get(column) or "").strip()

    def seconds(self, column: str) -> float:
        """A finite number of seconds, not negative."""
        value = self._number(column)
        if value < 0:
            raise self.wrong(column, "must be 0 or more seconds")
        return value

    def share(self, column: str) -> float:
        """A number from 0 to 1."""
        value = self._number(column)
        if not 0 <= value <= 1:
            raise self.wrong(column, "must lie between 0 and 1")
        return value

    def choice(self, column: str, among: Sequence[_T]) -> _T | None:
        """One of the words, None for an empty cell or no such column."""
        word = self.text(column).lower()
        for each in among:
            if word == each:
                return each
        if word:
            raise self.wrong(column, f"must be one of {', '.join(among)}, or empty")
        return None

    def _number(self, column: str) -> float:
        try:
            value = float(self.text(column))
        except ValueError:
            raise self.wrong(column, "must be a number") from None
        if not math.isfinite(value):
            raise self.wrong(column, "must be a finite number")
        return value
