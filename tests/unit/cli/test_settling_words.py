"""A person's word settles what nothing else can."""

import pytest

from demurrage.cli.own_words import own_events
from demurrage.decide.ledger import Ledger
from demurrage.model.event import Entry, Event, Known


def test_an_end_is_as_of_the_earliest_that_it_can_be() -> None:
    """On a clock that is ahead it would cover what is begun after it."""
    for more in ({"ends": ("conv_1",)}, {"releases": ("cntr_1",)}):
        said = {"releases": (), "ends": (), "finishes": (), **more}
        (line,) = own_events(
            ("default",), None, ending="completed", now=lambda _: (5e8, 6e8), **said
        )
        assert line.event.time == 5e8


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
        now=lambda _: (1_800_000_000.0, 1_800_000_060.0),
    )
    assert line.event.time == 1_800_000_060.0
    ledger.fold([Entry(1, known), Entry(2, line.event)])
    book = ledger.book("default")
    assert [each for each, _ in book.unresolved()] == left
    assert book.responses[finished].ended
