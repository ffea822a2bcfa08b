"""Which calls stand in the way of proof because their end is not known, for people to settle."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from demurrage.decide.book import Book
from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Moment, Response
from demurrage.model.verdict import Code, Verdict


@dataclass(frozen=True, slots=True)
class Blocking:
    """One call that only a definite end lets go.

    `about` is its call id, or a response id of which nothing else is known; `source` the writer
    that told of it and `since` when, on that writer's clock, as far as that is logged.
    `containers`: how many living ones wait for it first; others may wait for it next.
    """

    about: str
    source: str | None
    since: float | None
    containers: int


def blocking(verdicts: Iterable[Verdict], book: Book) -> tuple[Blocking, ...]:
    """The calls of unknown end that verdicts wait for, the oldest first."""
    waiting = Counter(
        reason.about
        for verdict in verdicts
        for reason in verdict.reasons
        if reason.code is Code.RESPONSE_END_UNKNOWN and reason.about is not None
    )
    known = dict(book.unresolved())
    found = []
    for about, count in waiting.items():
        response = book.responses.get(about)
        at = _told(response) if response is not None else known.get(about)
        source, since = (None, None) if at is None else (at.source.id, at.time)
        found.append(Blocking(about, source, since, count))
    return tuple(sorted(found, key=lambda each: (each.since or 0.0, each.about)))


def left_open(ledger: Ledger, source_id: str) -> tuple[tuple[str, Response], ...]:
    """The calls of a writer that have no known end, each with its target, the oldest first."""
    source = ledger.sources.get(source_id)
    found = [
        (target, response)
        for target in sorted(source.targets if source is not None else ())
        for response in ledger.book(target).responses.values()
        if not response.ended and (at := _told(response)) is not None and at.source is source
    ]
    return tuple(sorted(found, key=lambda each: (told_at(each[1]) or 0.0, each[1].call_id)))


def told_at(response: Response) -> float | None:
    """When a call was first told of, on its writer's clock; None where no event says."""
    at = _told(response)
    return None if at is None else at.time


def _told(response: Response) -> Moment | None:
    return response.started or response.queued or response.running or response.output
