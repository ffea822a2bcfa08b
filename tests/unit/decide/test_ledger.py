"""What the ledger holds beside the writers' own records and the targets' books."""

from itertools import permutations

from tests.unit.decide.builders import TARGET, T, Writer, ledger_of

from demurrage.model.event import Unheard


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
