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
        for moment in moments:
            answers.setdefault(moment.source.id, []).append(moment)
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
    for moment, asks in sorted(told, key=lambda each: (each[0].time, each[0].sequence or 0)):
        if asks:
            waiting.append(moment)
        else:
            answered += 1
        if answered >= len(waiting):
            waiting, answered = [], 0
    return waiting
