"""Which recorders' processes are proven dead, by the locks that they held."""

from collections.abc import Callable, Mapping

from demurrage.eventlog.files.folder import Listing
from demurrage.eventlog.files.following import Progress
from demurrage.eventlog.files.locks import Hold, boot, lock_fault, try_lock
from demurrage.eventlog.files.naming import journal_of
from demurrage.eventlog.files.positions import load_held, save_held
from demurrage.eventlog.log import EventLog


class DeathWatch:
    """Looks at locks, and remembers in the log's database which ones it saw held.

    Args:
        log: where that is kept.
        on_trouble: told, each once, the reasons why locks prove nothing.
    """

    def __init__(self, log: EventLog, on_trouble: Callable[[str], None]) -> None:
        self._log = log
        self._on_trouble = on_trouble
        self._told: set[str] = set()

    def look(self, descriptor: int, listing: Listing) -> frozenset[str]:
        """The uuids of processes that are dead now: seen with their lock once, and without now."""
        if not listing.locks:
            return frozenset()
        fault, booted = lock_fault(descriptor), boot()
        if fault is not None or booted is None:
            self._tell(fault or "this system does not tell since when it runs")
            return frozenset()
        tested = {uuid: try_lock(descriptor, name) for uuid, name in listing.locks.items()}
        for each in tested.values():
            if each.hold is Hold.UNKNOWN:
                self._tell(f"a lock proves nothing: {each.why}")
        with self._log.transaction() as connection:
            known = load_held(connection, booted)
        held = [
            (uuid, each.identity)
            for uuid, each in tested.items()
            if each.hold is Hold.HELD and known.get(uuid) != each.identity
        ]
        if held:
            with self._log.transaction() as connection:
                save_held(connection, held, booted)
        return frozenset(
            uuid
            for uuid, each in tested.items()
            if each.hold is Hold.FREE and known.get(uuid) == each.identity
        )

    def _tell(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            self._on_trouble(why)


def dead_sources(
    uuids: frozenset[str], listing: Listing, progress: Mapping[str, Progress]
) -> frozenset[str]:
    """The sources of dead processes whose every journal was read to its end without a fault."""
    found: set[str] = set()
    for uuid in uuids:
        sources: set[str | None] = set()
        for each in listing.files.values():
            journal = journal_of(each.name)
            if journal is None or journal.uuid != uuid:
                continue
            read = progress.get(each.identity)
            whole = read is not None and read.position == each.size and not read.set_aside
            sources.add(read.source if read is not None and whole else None)
        if len(sources) == 1:
            found.update(source for source in sources if source is not None)
    return frozenset(found)
