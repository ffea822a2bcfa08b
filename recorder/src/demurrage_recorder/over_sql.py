"""Straight into the daemon's event log, where its database can be reached."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from demurrage_recorder.carrier import Hear, NotNowError, RefusedError, unheard

if TYPE_CHECKING:
    from demurrage.eventlog.log import EventLog

# For how many seconds SQLite waits for another writer; heartbeats wait as long.
_BUSY_TIMEOUT = 2.0


class OverSql:
    """A carrier that appends to the event log.

    Args:
        url: of the database, as in the daemon's setting `database_url`.

    Raises:
        ImportError: `demurrage` is not installed in this environment.
    """

    def __init__(self, url: str) -> None:
        try:
            import demurrage.eventlog.log  # noqa: F401, PLC0415 - only who uses it needs it
        except ModuleNotFoundError as error:
            raise ImportError(
                "to log straight into a database, install `demurrage` beside the application; "
                f"{error.name} is missing"
            ) from error
        self.hear: Hear = unheard
        self._url = url
        self._log: EventLog | None = None

    def carry(self, lines: Sequence[bytes]) -> None:
        """Append the lines in one transaction.

        Raises:
            NotNowError: the database cannot be used now.
            RefusedError: one of them breaks the format, or would speak as the daemon or a person.
        """
        from demurrage.eventlog.log import EventLog  # noqa: PLC0415 - see the constructor
        from demurrage.eventlog.parse import read_lines  # noqa: PLC0415
        from demurrage.model.error import (  # noqa: PLC0415
            LogUnreadableError,
            MalformedEventError,
            StoreUnusableError,
        )
        from demurrage.model.event import reserved  # noqa: PLC0415

        try:
            events = read_lines(lines)
            if any(reserved(each.event.source) for each in events):
                raise RefusedError("/source: sources of this namespace are the daemon's own")
            if self._log is None:
                self._log = EventLog.open(self._url, clock=time.time, busy_timeout=_BUSY_TIMEOUT)
            self._log.append(events, appended_at=time.time())
        except MalformedEventError as error:
            raise RefusedError(f"{error.path or 'the event'}: {error.reason}") from error
        except StoreUnusableError as error:
            raise NotNowError(str(error), lasting=True) from error
        except LogUnreadableError as error:
            raise NotNowError(str(error)) from error

    def close(self) -> None:
        """Close the log's connections."""
        if self._log is not None:
            self._log.close()
            self._log = None
