"""Bringing what programs append to files in the shared folder into the log.

Positions are stored with the events, so that a crash neither loses nor repeats a line; what is
read twice all the same, the log knows by its content.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path

from demurrage.eventlog.appending import append_lines, lock_head, note_line
from demurrage.eventlog.files.admission import admit
from demurrage.eventlog.files.deaths import DeathWatch, dead_sources
from demurrage.eventlog.files.folder import Found, Listing, file_opened, look, opened
from demurrage.eventlog.files.following import Chunk, Progress, read_chunk
from demurrage.eventlog.files.naming import journal_of, printable, rotated_away
from demurrage.eventlog.files.positions import (
    forget_departed,
    forget_lock,
    load_progress,
    save_progress,
)
from demurrage.eventlog.files.tidying import tidy
from demurrage.eventlog.log import EventLog
from demurrage.model.gathering import Gathered

# Seconds that one look may take: a backlog is brought in over several cycles, which meanwhile
# say so and delete nothing.
TURN = 10.0
# A file may still be written to after it was renamed, until its writer notices; a line that is
# not whole is given so many seconds there.
GRACE = 60.0
# Files that appear while the folder is read are looked for so often.
_ROUNDS = 20
# Files that went may come back, as with a folder that was not mounted: days are cheap.
REMEMBERED = 7 * 86400.0
# A file as young as this, in seconds, may change again without its time stamp changing.
_YOUNG = 2.0
# A file that is replaced more often than this while it is read is left for the next look.
_MOST_RESETS = 3


class FolderFeed:
    """The files of one folder. For one thread at a time.

    Args:
        folder: where programs append.
        log: where it goes.
        targets: those of the settings; events of others are set aside.
        clock: the local time, in epoch seconds.
        on_set_aside: told the reasons of lines that were no events, each line once.
        on_trouble: told, each once, why deaths cannot be proven.
        turn: seconds that one look may take.
    """

    def __init__(
        self,
        folder: Path,
        log: EventLog,
        *,
        targets: Collection[str],
        clock: Callable[[], float],
        on_set_aside: Callable[[Sequence[str]], None] = lambda _: None,
        on_trouble: Callable[[str], None] = lambda _: None,
        turn: float = TURN,
    ) -> None:
        self._folder = folder
        self._log = log
        self._targets = frozenset(targets)
        self._clock = clock
        self._on_set_aside = on_set_aside
        self._deaths = DeathWatch(log, on_trouble)
        self._turn = turn
        self._taken = 0
        self._progress: dict[str, Progress] = {}
        # As each file was when its end was last reached.
        self._at_end: dict[str, tuple[int, int, int]] = {}

    def gather(self) -> Gathered:
        """Take in all that lies in the folder now, as far as a turn goes.

        Raises:
            LogUnreadableError: the folder, a file in it, or the log cannot be read.
        """
        deadline = time.monotonic() + self._turn
        self._taken = 0
        with opened(self._folder) as descriptor:
            # Deaths first: what a dead process has written is all there when it is read next.
            dead = self._deaths.look(descriptor, look(self._folder, descriptor))
            with self._log.transaction() as connection:
                self._progress = load_progress(connection)
            return self._read_all(descriptor, dead, deadline)

    def _read_all(self, descriptor: int, dead: frozenset[str], deadline: float) -> Gathered:
        """Read until a look at the folder finds nothing that was not read since the first.

        A file that is renamed under its reader's eyes is met again by its new name.
        """
        read: set[str] = set()
        for _ in range(_ROUNDS):
            listing = look(self._folder, descriptor)
            unread = [each for each in listing.files.values() if each.identity not in read]
            if not unread:
                return Gathered(whole=True, dead=dead_sources(dead, listing, self._progress))
            for found in sorted(unread, key=lambda each: (each.modified, each.name)):
                ended = self._nothing_follows(found, listing, dead)
                if self._unchanged(found) or self._read(descriptor, found, deadline, ended=ended):
                    read.add(found.identity)
                # Each look gets further, however slow it is.
                if self._taken and time.monotonic() > deadline:
                    return Gathered(whole=False, left=self._left(listing))
        return Gathered(whole=False, left=self._left(look(self._folder, descriptor)))

    def _left(self, listing: Listing) -> int:
        """Bytes that are not read yet, roughly."""
        return sum(
            max(0, each.size - read.position if (read := self._progress.get(key)) else each.size)
            for key, each in listing.files.items()
        )

    def _nothing_follows(self, found: Found, listing: Listing, dead: frozenset[str]) -> bool:
        """True when a line without its newline, at the file's end, will not be finished."""
        journal = journal_of(found.name)
        if journal is not None and journal.uuid in dead:
            return True
        settled = self._clock() - found.modified > GRACE
        return settled and rotated_away(found.name, listing.latest)

    def _unchanged(self, found: Found) -> bool:
        progress = self._progress.get(found.identity)
        return (
            progress is not None
            and progress.position == found.size
            and self._at_end.get(found.identity) == found.changed
        )

    def _read(self, descriptor: int, found: Found, deadline: float, *, ended: bool) -> bool:
        """Read one file to where it ended when it was found; False if it is another by now."""
        began = self._clock()
        with file_opened(self._folder, descriptor, found) as file:
            if file is None:
                return False
            fresh = Progress(found.identity, printable(found.name))
            progress = replace(self._progress.get(found.identity, fresh), name=fresh.name)
            resets = 0
            while True:
                chunk = read_chunk(file, progress, ended=ended)
                if chunk is None:
                    resets += 1
                    if resets > _MOST_RESETS:
                        return False
                    progress = fresh
                    continue
                if chunk.progress == progress:
                    break
                progress = self._take_in(found.name, chunk)
                if progress.position >= found.size or time.monotonic() > deadline:
                    break
        if progress.position == found.size and began - found.modified > _YOUNG:
            self._at_end[found.identity] = found.changed
        else:
            self._at_end.pop(found.identity, None)
        return True

    def _take_in(self, name: str, chunk: Chunk) -> Progress:
        """Store a chunk's events, its lines set aside, and the position behind them, at once."""
        progress = chunk.progress
        admitted = admit(chunk.texts, name, journal_of(name), progress.source, self._targets)
        at = self._clock()
        progress = replace(
            progress,
            source=admitted.source,
            set_aside=progress.set_aside + len(admitted.notes),
        )
        with self._log.transaction() as connection:
            append_lines(connection, admitted.lines, at)
            fresh = [
                note
                for note in admitted.notes
                if note_line(connection, note.raw, note.reason, at, source=admitted.source)
                is not None
            ]
            save_progress(connection, progress)
        self._progress[progress.identity] = progress
        self._taken += 1
        if fresh:
            self._on_set_aside([note.reason for note in fresh])
        return progress

    def tidy(self, over: Callable[[str], bool]) -> None:
        """Remove journals that are done with, and forget files that are gone for long.

        Args:
            over: whether a source, by name, said goodbye or was retired.

        Raises:
            LogUnreadableError: the folder, or the log, cannot be read.
        """
        now = self._clock()
        with opened(self._folder) as descriptor:
            listing = look(self._folder, descriptor)
            with self._log.transaction() as connection:
                progress = load_progress(connection)
            cleared = tidy(descriptor, listing, progress, over, now)
            with self._log.transaction() as connection:
                lock_head(connection)
                forget_departed(connection, listing.files.keys(), now, REMEMBERED)
                for uuid in cleared:
                    forget_lock(connection, uuid)
        for gone in self._at_end.keys() - listing.files.keys():
            del self._at_end[gone]
