"""What the ledger holds beside the writers' own records and the targets' books."""

from itertools import permutations
from math import inf

from tests.unit.decide.builders import READER, TARGET, T, Writer, ledger_of

from demurrage.model.event import ContainerReferenced, ContainerRequested, Created, Unheard


def test_of_a_key_the_latest_use_is_remembered() -> None:
    """In whatever order the log is read."""
    one, other = Writer("app-1"), Writer("app-2")
    used = [
        one.starts("a", 10, key_mark="k"),
        other.starts("b", 20, key_mark="k"),
        one.starts("c", 20, key_mark="k"),
    ]
    for order in permutations(used):
        (moments,) = ledger_of(order).keys.values()
        assert {target: each.order for target, each in moments.items()} == {
            TARGET: (T + 20, "app-2")
        }


def test_events_that_nobody_knows_are_counted_by_their_type() -> None:
    """Each of them once."""
    app = Writer()
    app.say(10, Unheard("adopted"))
    app.say(20, Unheard("adopted"))
    app.say(30, Unheard("lent"))
    assert ledger_of(app, app).unheard == {"adopted": 2, "lent": 1}


def test_an_id_that_was_given_twice_was_last_given_when_it_was() -> None:
    """In whatever order that is read."""
    app = Writer()
    told = [app.knows("resp_1", at) for at in (10, 30, 20)]
    for order in permutations(told):
        ((name, moment),) = ledger_of(order).book(TARGET).unresolved()
        assert (name, moment.time) == ("resp_1", T + 30)


def test_a_response_has_begun_once_a_start_stands_under_its_own_id() -> None:
    """An answer alone, or an application's call, is none."""
    app, reader = Writer(), Writer(READER)
    app.starts("a", 10)
    app.created("a", 11)
    assert not ledger_of(app).book(TARGET).begun("resp_a")
    reader.say(30, Created("resp_a", "resp_a"))
    assert not ledger_of(app, reader).book(TARGET).begun("resp_a")
    reader.reads("a", 40)
    assert ledger_of(app, reader).book(TARGET).begun("resp_a")


def test_every_word_stands_at_its_place_in_the_log() -> None:
    """Retention leaves there what a reader that starts anew would need."""
    app = Writer()
    app.knows("resp_9", 10)
    app.say(20, ContainerRequested())
    app.makes("cntr_1", 30)
    app.pins("cntr_2", 40)
    app.releases("cntr_3", 50)
    app.closes(60, "talk")
    app.closes(70, after="z")
    book = ledger_of(app).book(TARGET)
    assert set(book.held_positions()) == set(range(1, 8))
    book.forget(
        T - 1000.0, frozenset({"cntr_1", "cntr_2", "cntr_3"}), frozenset(), 30.0, oldest=inf
    )
    assert set(book.held_positions()) == set(range(1, 8))
    book.forget(T + 10_000.0, frozenset(), frozenset(), 30.0, oldest=inf)
    assert set(book.held_positions()) == {1}, "what was never answered"


def test_of_names_that_nobody_can_read_the_last_of_each_writer_is_held() -> None:
    """In whatever order they are read."""
    one, other = Writer("app-1"), Writer("app-2")
    told = [
        each.say(at, ContainerReferenced("cntr_?"), undecodable=True)
        for each, at in ((one, 10), (one, 30), (one, 20), (other, 15))
    ]
    for order in permutations(told):
        book = ledger_of(order).book(TARGET)
        held = {name: each.time for name, each in book.undecodable.items()}
        assert held == {"app-1": T + 30, "app-2": T + 15}
