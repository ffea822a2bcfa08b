"""The log with every line in time, and what the API says of responses known by their id alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import attrgetter, itemgetter

from tests.simulation.archive import Archive
from tests.simulation.telling import Letter, Post
from tests.simulation.truth import EPOCH, Call, Story

from demurrage.decide.ledger import Ledger
from demurrage.engine.readings import events_of
from demurrage.eventlog.parse import Line, read_line
from demurrage.model.event import Entry, Known
from demurrage.provider.echo import read_echo

# Nothing is read sooner before it changes.
_JUST_BEFORE = 0.001


class FullLog:
    """Folds it up to a moment, and on from there.

    `known_since` is when each id was told of which that is all that is logged.
    """

    def __init__(self, story: Story, post: Post, archives: Mapping[str, Archive]) -> None:
        self.ledger = Ledger()
        self.known_since: dict[str, float] = {}
        letters = (letter for letters in post.by_source.values() for letter in letters)
        self._letters: list[Letter] = sorted(letters, key=attrgetter("at"), reverse=True)
        read = (call for call in story.calls if call.by_id and call.stored)
        readings = (reading for call in read for reading in _readings(call))
        self._readings = sorted(readings, key=itemgetter(0), reverse=True)
        gone = (call for call in story.calls if call.by_id and not call.stored)
        self._unreadable = [(call.known_at, call.settled_at) for call in gone]
        self._archives = archives
        self._position = 0
        self._begun: set[str] = set()

    def go_on(self, now: float) -> None:
        """Fold what is known by now, in seconds since the world began."""
        while self._letters and self._letters[-1].at <= now:
            letter = self._letters.pop()
            fact = letter.read.event.fact
            if isinstance(fact, Known):
                self.known_since.setdefault(fact.response_id, letter.at)
            self._fold(letter.read)
        while self._readings and self._readings[-1][0] <= now:
            self._read(*self._readings.pop())

    def keeps_all(self, since: float, until: float) -> bool:
        """True where an id that the API does not hold waited for a person at any time between.

        It keeps every container for as long, in seconds since the world began.
        """
        return any(
            known_at <= until and settled_at >= since for known_at, settled_at in self._unreadable
        )

    def _read(self, at: float, call: Call) -> None:
        """What a daemon would write down, were it to read the response just then."""
        document = self._archives[call.target].response(call.response_id, at)
        moment = EPOCH + at
        reading = read_echo(document, call.response_id, asked_at=moment, answered_at=moment)
        reading = replace(reading, carried=frozenset(call.carried))
        for raw in events_of(call.target, reading, begun=call.id in self._begun):
            self._fold(read_line(raw))
        self._begun.add(call.id)

    def _fold(self, line: Line) -> None:
        self._position += 1
        self.ledger.fold([Entry(self._position, line.event)])


def _readings(call: Call) -> Iterator[tuple[float, Call]]:
    """When there is something new to be read, and when it was last seen to queue."""
    for at in (call.creation, call.runs - _JUST_BEFORE, call.runs, call.output, call.ends):
        yield max(call.known_at, call.creation, at), call
