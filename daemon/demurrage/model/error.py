"""What the daemon can raise at itself, by name."""


class DemurrageError(Exception):
    """Base of every error that is the daemon's own; the message is fit for a person."""


class SettingsError(DemurrageError):
    """A setting is wrong; the message names the field and the fix. Exit code 2."""


class StoreUnusableError(DemurrageError):
    """The store cannot be opened: unwritable, newer than this version, or corrupt."""


class NoStoreError(StoreUnusableError):
    """There is no store yet where one is to be read; nothing is wrong with the settings."""


class OldStoreError(StoreUnusableError):
    """The store is of an older version, and who only reads may not bring it up to date."""


class StoreAwayError(StoreUnusableError):
    """The store cannot be reached or written now; nothing need be wrong with the settings."""


class StoreFailedError(DemurrageError):
    """A read or write of the store failed; `disk_full` tells the commonest cause apart."""

    def __init__(self, message: str, *, disk_full: bool = False) -> None:
        super().__init__(message)
        self.disk_full = disk_full


class LockLostError(StoreFailedError):
    """The right to act on the store is lost, or in doubt: nothing may be deleted."""


class LogUnreadableError(DemurrageError):
    """The event log cannot be read or appended to now."""


class MalformedEventError(DemurrageError):
    """An event breaks the format of the log.

    `path` is the JSON pointer of the bad field ("" for the whole event), `reason` says what is
    wrong with it and never quotes its content; `index` is its place in a batch, from 0.
    """

    def __init__(self, path: str, reason: str, *, index: int | None = None) -> None:
        where = path or "the event"
        super().__init__(f"{where}: {reason}" if index is None else f"[{index}] {where}: {reason}")
        self.path = path
        self.reason = reason
        self.index = index


class AlreadyRunningError(DemurrageError):
    """Another daemon holds the store's lock."""
