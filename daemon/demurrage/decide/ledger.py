"""The event log, folded: what every writer has said, target by target.

The ledger is a value that grows. Folding the same records in any order, any number of times,
gives the same ledger, so a reader that starts anew from the log knows what it knew before.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from demurrage.decide.book import Book
from demurrage.decide.contents import Names
from demurrage.decide.response import Claim, Moment
from demurrage.decide.source import Source
from demurrage.model.event import Entry, Event, Heartbeat, Record, Started, Unheard, reserved
from demurrage.model.floor import Floor

# Stands for lines whose writer could not even be read: they hold every target until a person
# retires this name, who answers for those that there are, and not for later ones.
NOBODY = "?"

# Ids whose content is remembered, to notice one id with two contents. Folding is idempotent, so
# a repeat from further back changes nothing.
REMEMBERED = 200_000


class Ledger:
    """Everything folded so far. Owned by one caller; not safe to share between threads."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.unheard: dict[str, int] = {}
        # By the mark of a key: the targets that it was used for, and when last.
        self.keys: dict[str, dict[str, Moment]] = {}
        # How far in the log each is heard of.
        self.key_positions: dict[str, int] = {}
        self._books: dict[str, Book] = {}
        self._contents = Names(REMEMBERED)

    def start_from(self, floors: Mapping[str, Floor]) -> None:
        """Take over what retention has noted of the sources of which it dropped something."""
        for source_id, floor in floors.items():
            self._source(source_id).start_from(floor)

    def fold(self, records: Iterable[Record], claims: Mapping[str, Claim] | None = None) -> None:
        """Take records in.

        Args:
            records: entries and lines set aside, in any order.
            claims: what was decided before these were read, by target; a start that
                contradicts its target's claim came too late. None where nothing was decided.
        """
        for record in records:
            if isinstance(record, Entry):
                claim = (claims or {}).get(record.event.target)
                # It was known to the decision itself, which a reader that starts anew has not made.
                known = claim is not None and record.position <= claim.position
                self._fold_entry(record, None if known else claim)
            else:
                self._source(_waited_for(record.source)).miss(record.sequence, record.at)

    def _fold_entry(self, entry: Entry, claim: Claim | None) -> None:
        event = entry.event
        source = self._source(event.source)
        self._compare(event, source)
        if not source.fold(event, entry.position):
            return
        if isinstance(event.fact, Unheard):
            self.unheard[event.fact.type] = self.unheard.get(event.fact.type, 0) + 1
        if isinstance(event.fact, Started):
            self._fold_start(entry, source, event.fact.key_mark)
        if not isinstance(event.fact, Heartbeat):
            self.book(event.target).fold(event, source, entry.position, claim)

    def _fold_start(self, entry: Entry, source: Source, mark: str | None) -> None:
        event = entry.event
        if source.first_start is None or event.time < source.first_start:
            source.first_start = event.time
        if mark is not None:
            moments = self.keys.setdefault(mark, {})
            known = moments.get(event.target)
            if known is None or (event.time, source.id) > known.order:
                moments[event.target] = Moment(event.time, source)
            self.key_positions[mark] = max(self.key_positions.get(mark, 0), entry.position)

    def _compare(self, event: Event, source: Source) -> None:
        """One id with two contents makes its source contradictory."""
        if self._contents.agrees(hash((event.source, event.id)), hash(event.digest)) is False:
            source.contradict()

    def book(self, target: str) -> Book:
        """The folded log of one target, empty if nothing was logged for it."""
        if target not in self._books:
            self._books[target] = Book(target)
        return self._books[target]

    def named_elsewhere(self, target: str, container_ids: Collection[str]) -> Mapping[str, str]:
        """Those of the containers that another target's log names, and which that is."""
        found: dict[str, str] = {}
        for name, book in self._books.items():
            if name != target:
                for each in container_ids:
                    if book.names(each):
                        found.setdefault(each, name)
        return found

    def dropped(self, target: str) -> int:
        """How many events the target's writers have admitted to have lost."""
        return sum(each.dropped for each in self.sources.values() if target in each.targets)

    def _source(self, source_id: str) -> Source:
        if source_id not in self.sources:
            self.sources[source_id] = Source(source_id)
        return self.sources[source_id]

    def forget(
        self,
        target: str,
        before: float,
        needed: frozenset[str],
        unknown: float,
        *,
        oldest: float,
    ) -> None:
        """Drop a target's evidence that can bear on nothing alive; see `Book.forget`."""
        flying = frozenset(
            call_id for source in self.sources.values() for call_id in source.in_flight
        )
        forgotten = self.book(target).forget(before, needed, flying, unknown, oldest=oldest)
        for source in self.sources.values():
            source.calls = source.calls - forgotten

    def forget_writers(
        self, left: Callable[[Source], bool], before: float, through: int, unknown: float
    ) -> None:
        """Drop writers that have left and are spoken of by nothing that is held.

        Nobody waits for them, and what they said is forgotten: they bear on nothing. Should one
        speak again, its past is a gap, which holds the watermark until a person settles it.

        Args:
            left: tells whom nobody waits for any more.
            before: who spoke later stays, in provider time.
            through: who stands in the log beyond this position stays: a reader starting anew
                would find some of its words without its goodbye, and wait for it.
            unknown: bound in seconds on the offset of a clock that has not been reported.
        """
        held = {at.source.id for book in self._books.values() for at in book.moments()}
        for name, source in list(self.sources.items()):
            if name not in held and source.done_with(before, through, unknown) and left(source):
                del self.sources[name]

    def held_positions(self) -> frozenset[int]:
        """Where in the log stands everything that a reader starting anew would need."""
        return frozenset(
            (
                *(at for book in self._books.values() for at in book.held_positions()),
                *(at for source in self.sources.values() for at in source.held_positions()),
            )
        )


def _waited_for(source_id: str | None) -> str:
    """Under whose name a lost line holds the watermark.

    The daemon's own hand is waited for under no name, and what it wrote may have named a container.
    """
    return NOBODY if source_id is None or reserved(source_id) else source_id
