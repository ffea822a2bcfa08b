"""What the engine needs of the event log, and of where events lie before they are in it."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Container as SetContainer
from typing import Any, Protocol

from demurrage.model.event import Batch
from demurrage.model.floor import Floor
from demurrage.model.gathering import Gathered


class EventReader(Protocol):
    """The shared event log, read in order; nothing is skipped whatever writers do.

    Every method raises LogUnreadableError when the log cannot be read now.
    """

    def read(self, after: int, limit: int) -> Batch:
        """Records with positions above `after`, at most `limit`, oldest first.

        Where the log is not the one in which `after` was read, the batch is empty, its cursor
        is 0 and its generation differs.
        """
        ...

    def floors(self) -> Mapping[str, Floor]:
        """By source, where retention took some of its events, what is known of these."""
        ...

    def appended_before(self, moment: float) -> int:
        """The position up to which all was appended before a moment; never that of the last."""
        ...

    def prune(self, *, before: float, through: int, keep: SetContainer[int]) -> int:
        """Drop what was appended before a moment, up to a position, and is no evidence."""
        ...


class EventAppender(Protocol):
    """The shared event log, for what the daemon itself has to say."""

    def append(self, raws: Sequence[Mapping[str, Any]], *, appended_at: float) -> object:
        """Append events, all or none; on return they are durable.

        Raises LogUnreadableError, or MalformedEventError for what is no event.
        """
        ...


class EventStream(EventReader, EventAppender, Protocol):
    """Both sides of the log."""


class EventFeed(Protocol):
    """Where events lie before they are in the log: files that programs append to.

    Every method raises LogUnreadableError when it cannot be read now.
    """

    def gather(self) -> Gathered:
        """Take all that lies there into the log, as far as one turn goes."""
        ...

    def tidy(self, over: Callable[[str], bool]) -> None:
        """Remove what is done with, given which sources said goodbye or were retired."""
        ...
