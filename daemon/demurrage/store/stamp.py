"""A tiny file beside the database that remembers how far the database had come.

Whoever puts an older copy of the database back leaves this file ahead of it. It is written
only after the database has committed the same figures, so a crash leaves it behind, never
ahead.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    """How far a store had come: which store, and its ever growing tick."""

    store_id: str
    tick: int


@dataclass(frozen=True, slots=True)
class StampFile:
    """The file that holds a stamp."""

    path: Path

    def read(self) -> Stamp | None:
        """The stamp, None when there is none that can be read.

        Raises:
            OSError: the file is there and cannot be opened.
        """
        try:
            held = json.loads(self.path.read_bytes())
            return Stamp(str(held["store_id"]), int(held["tick"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            # Writing is atomic, so this is somebody else's doing; the next tick mends it.
            return None

    def write(self, stamp: Stamp) -> None:
        """Replace the stamp so that a power cut leaves the old one or the new one.

        Raises:
            OSError: the folder cannot be written, or no space is left.
        """
        fresh = self.path.with_name(self.path.name + ".new")
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            # Targets are turned in threads, and commands are processes: one writer at a time.
            fcntl.flock(folder, fcntl.LOCK_EX)
            with fresh.open("w") as file:
                json.dump(asdict(stamp), file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
            os.fsync(folder)
        finally:
            os.close(folder)
