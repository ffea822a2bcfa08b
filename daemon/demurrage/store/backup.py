"""A copy of the store, taken while the daemon runs."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from demurrage.model.error import StoreFailedError
from demurrage.store.database import Repository, named_failures
from demurrage.store.dialect import copy_sqlite, is_disk_full
from demurrage.store.place import Place


class Backup(Repository):
    """Online backup."""

    _place: Place
    _clock: Callable[[], float]

    def backup(self, destination: Path) -> None:
        """Write a consistent copy to one file, replacing what is there once it is complete.

        The copy knows that it is one: a daemon that opens it treats it as a restored store.

        Raises:
            StoreFailedError: the store is on a server (use its own tools), the destination is
                the store itself or in no folder that exists, or copying failed; an older file
                there is left as it was.
        """
        if self._place.path is None:
            raise StoreFailedError("a store on a server is backed up by pg_dump")
        if destination.resolve() == self._place.path:
            raise StoreFailedError("the backup cannot replace the store itself")
        if not destination.parent.is_dir():
            raise StoreFailedError(f"{destination.parent} is no folder; make it first")
        partial = destination.with_name(destination.name + ".partial")
        mark = ("UPDATE meta SET backup_at = ?", (self._clock(),))
        try:
            with named_failures():
                partial.unlink(missing_ok=True)
                copy_sqlite(self._database.engine, partial, mark)
                _sync(partial)
                partial.replace(destination)
                _sync(destination.parent)
        except sqlite3.Error as error:
            full = is_disk_full(error)
            raise StoreFailedError(f"the backup failed: {error}", disk_full=full) from error
        finally:
            # Where nothing could be written, there is nothing to clear away.
            with suppress(OSError):
                partial.unlink()


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
