"""What applications may have created by themselves without ever learning its id.

The answer to a `POST /containers` can be lost. The container stands all the same, and whoever
looks through the list for its name finds it: it is no auto container, though nothing says so.
"""

from collections.abc import Iterable

from demurrage.decide.book import Book
from demurrage.decide.response import Moment
from demurrage.decide.window import Window
from demurrage.model.rules import EvidenceRules


def unanswered_creates(book: Book, rules: EvidenceRules) -> tuple[Window, ...]:
    """When containers may have been born whose creation was begun and never answered.

    Which of several requests under way an answer belongs to is not logged, so all of them count
    until each has its own.
    """
    answers: dict[str, list[Moment]] = {}
    for moments in book.explicit.values():
        # Told twice by one writer, a container answers one request all the same.
        first = {each.source.id: each for each in sorted(moments, key=_when, reverse=True)}
        for source_id, moment in first.items():
            answers.setdefault(source_id, []).append(moment)
    return tuple(
        Window(
            moment.earliest(rules.max_event_delay) - rules.clock_skew,
            moment.latest(rules.max_event_delay) + rules.max_birth_delay + rules.clock_skew,
        )
        for source_id, moments in book.requested.items()
        for moment in _open(moments, answers.get(source_id, ()))
    )


def _open(requests: Iterable[Moment], answers: Iterable[Moment]) -> list[Moment]:
    """The requests of one source that may be without an answer."""
    told = [(moment, True) for moment in requests] + [(moment, False) for moment in answers]
    waiting: list[Moment] = []
    answered = 0
    for moment, asks in sorted(told, key=lambda each: _when(each[0])):
        if asks:
            waiting.append(moment)
        else:
            answered += 1
        if answered >= len(waiting):
            waiting, answered = [], 0
    return waiting


def _when(moment: Moment) -> tuple[float, int]:
    """A writer's own order of what it told."""
    return moment.time, moment.sequence or 0
