"""Removing journals that are done with; nobody else's file is ever removed."""

import contextlib
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from demurrage.eventlog.files.folder import Found, Listing, remove
from demurrage.eventlog.files.following import Progress
from demurrage.eventlog.files.locks import Hold, try_lock
from demurrage.eventlog.files.naming import journal_of, rotated_away

REST = 3600.0
"""An hour, in seconds: whoever looks into what just happened still finds the lines."""


def tidy(
    descriptor: int,
    listing: Listing,
    progress: Mapping[str, Progress],
    over: Callable[[str], bool],
    now: float,
) -> tuple[str, ...]:
    """Remove what is read to its end and was rotated away from, or whose source is over.

    A journal with lines set aside stays until its source is over, for these are named by file
    and line. Where nothing may be removed, nothing is.

    Args:
        descriptor: the opened folder's.
        listing: what lies in it.
        progress: how far each file was read, by identity.
        over: whether a source, by name, said goodbye or was retired.
        now: the local time, in epoch seconds.

    Returns:
        The uuids of which nothing is left.
    """
    by_uuid: dict[str, list[Found]] = defaultdict(list)
    for each in listing.files.values():
        journal = journal_of(each.name)
        if journal is not None:
            by_uuid[journal.uuid].append(each)
    cleared: list[str] = []
    for uuid, journals in by_uuid.items():
        sources = [read.source for each in journals if (read := progress.get(each.identity))]
        ended = _is_over(sources, over) and not _held(descriptor, listing.locks.get(uuid))
        removed = [
            _done(each, progress.get(each.identity), listing, now, ended=ended)
            and remove(descriptor, each)
            for each in journals
        ]
        if ended and all(removed):
            lock = listing.locks.get(uuid)
            if lock is not None:
                with contextlib.suppress(OSError):
                    os.unlink(lock, dir_fd=descriptor)
            cleared.append(uuid)
    return tuple(cleared)


def _is_over(sources: Sequence[str | None], over: Callable[[str], bool]) -> bool:
    """True when all of a uuid's journals are one source's, and that is over."""
    source = sources[0] if len(set(sources)) == 1 else None
    return source is not None and over(source)


def _held(descriptor: int, lock: str | None) -> bool:
    return lock is not None and try_lock(descriptor, lock).hold is Hold.HELD


def _done(
    found: Found, read: Progress | None, listing: Listing, now: float, *, ended: bool
) -> bool:
    if read is None or read.position != found.size or now - found.modified <= REST:
        return False
    return ended or (rotated_away(found.name, listing.latest) and not read.set_aside)
