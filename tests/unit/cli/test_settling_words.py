"""A person's word settles what nothing else can."""

import pytest

from demurrage.cli.own_words import own_events
from demurrage.decide.ledger import Ledger
from demurrage.model.event import Entry, Event, Known


@pytest.mark.parametrize(("finished", "left"), [("resp_1", []), ("resp_2", ["resp_1"])])
def test_a_response_known_by_its_id_alone_can_be_finished(finished: str, left: list[str]) -> None:
    """Or it would keep whatever is born after it for ever."""
    ledger = Ledger()
    known = Event("1", "webhook", 0.0, "default", Known("resp_1"), sequence=1)
    (line,) = own_events(
        ("default",),
        None,
        releases=(),
        ends=(),
        finishes=(finished,),
        ending="completed",
        now=lambda _: 1_800_000_000.0,
    )
    assert line.event.time == 1_800_000_000.0
    ledger.fold([Entry(1, known), Entry(2, line.event)])
    book = ledger.book("default")
    assert [each for each, _ in book.unresolved()] == left
    assert book.responses[finished].ended
