"""What the daemon can raise at itself, by name."""


class DemurrageError(Exception):
    """Base of every error that is the daemon's own; the message is fit for a person."""


class SettingsError(DemurrageError):
    """A setting is wrong; the message names the field and the fix. Exit code 2."""


class StoreUnusableError(DemurrageError):
    """The store cannot be opened: unwritable, newer than this version, or corrupt."""


class StoreFailedError(DemurrageError):
    """A read or write of the store failed; `disk_full` tells the commonest cause apart."""

    def __init__(self, message: str, *, disk_full: bool = False) -> None:
        super().__init__(message)
        self.disk_full = disk_full


class LogUnreadableError(DemurrageError):
    """The event log cannot be read or appended to now."""


class AlreadyRunningError(DemurrageError):
    """Another daemon holds the store's lock."""
