"""The port behind which each sink lies."""

from collections.abc import Sequence
from typing import Protocol

from demurrage.alerts.notice import Notice
from demurrage.model.error import DemurrageError


class SinkFailedError(DemurrageError):
    """A sink could not be told; the message says why, without its address or any secret."""


class Sink(Protocol):
    """Somebody who can be told of incidents. Its methods may block; a thread waits for them."""

    remind_every: float | None
    """Seconds between two reminders of what stands, for a sink that forgets; else None."""
    fault: str
    """Why it can never be told, known from its making; empty where nothing is known."""

    def tell(self, notice: Notice) -> None:
        """Tell of an incident that has opened, become graver, or ended.

        Raises:
            SinkFailedError: it did not take it.
        """
        ...

    def remind(self, notices: Sequence[Notice]) -> None:
        """Say again what it was told of and what still stands; nobody is to be called by that.

        Raises:
            SinkFailedError: it did not take it.
        """
        ...


class Unusable:
    """In the place of a sink that could not even be made: fails, and says why."""

    remind_every: float | None = None

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def tell(self, notice: Notice) -> None:
        """Fail."""
        del notice
        raise SinkFailedError(self.fault)

    def remind(self, notices: Sequence[Notice]) -> None:
        """Nothing: there is nobody."""
