"""Which calls of unknown end are in the way."""

from dataclasses import replace

from tests.unit.decide.builders import TARGET, T, Writer, decision_of, ledger_of, sighting

from demurrage.decide.blocking import blocking, left_open, told_at
from demurrage.model.event import Ending
from demurrage.model.verdict import Code, Reason


def test_a_lost_call_is_named_with_its_writer_and_all_that_wait_for_it() -> None:
    """A person can only settle what is named."""
    app = Writer("app-1")
    app.starts("b", 10)
    app.ends("b", 40, status=Ending.LOST)
    app.beats(390)
    ledger = ledger_of(app)
    rows = [sighting("cntr_1", 12), sighting("cntr_2", 14)]
    decision = decision_of(ledger, rows=rows)
    (found,) = blocking(decision.verdicts.values(), ledger.book(TARGET))
    assert (found.about, found.source, found.since, found.containers) == ("b", "app-1", T + 10, 2)


def test_a_running_call_and_a_settled_one_are_not_in_the_way() -> None:
    """The one ends by itself, the other has."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 20)
    app.starts("b", 11)
    app.beats(390, "b")
    ledger = ledger_of(app)
    decision = decision_of(ledger, rows=[sighting()])
    assert blocking(decision.verdicts.values(), ledger.book(TARGET)) == ()


def test_a_response_known_by_its_id_alone_is_named() -> None:
    """With whoever told of it."""
    hook = Writer("hook")
    hook.knows("resp_9", 11)
    hook.beats(390)
    ledger = ledger_of(hook)
    decision = decision_of(ledger, rows=[sighting()])
    (found,) = blocking(decision.verdicts.values(), ledger.book(TARGET))
    assert (found.about, found.source, found.since) == ("resp_9", "hook", T + 11)


def test_what_a_writer_leaves_open_is_what_has_no_known_end() -> None:
    """Of its own calls alone, a lost one among them, the oldest first."""
    app, other = Writer("app-1"), Writer("app-2")
    app.starts("a", 20)
    app.ends("a", 30, status=Ending.LOST)
    app.starts("b", 10)
    app.starts("c", 5)
    app.ends("c", 9)
    other.starts("d", 1)
    ledger = ledger_of(app, other)
    found = left_open(ledger, "app-1")
    assert [(target, each.call_id) for target, each in found] == [(TARGET, "b"), (TARGET, "a")]
    assert told_at(found[0][1]) == T + 10
    assert left_open(ledger, "nobody") == ()


def test_the_oldest_is_named_first_and_one_that_nobody_dated_before_it() -> None:
    """A call of which only the end is logged was told of at no known moment."""
    app = Writer()
    for call, at in (("z", 10), ("a", 30), ("m", 20)):
        app.starts(call, at)
        app.ends(call, at + 1, status=Ending.LOST)
    app.ends("late", 40, status=Ending.LOST)
    app.beats(390)
    ledger = ledger_of(app)
    rows = [sighting(f"cntr_{born}", born) for born in (12, 22, 32)]
    decision = decision_of(ledger, rows=rows)
    reasons = (
        Reason(Code.RESPONSE_END_UNKNOWN, "it may have made it", about)
        for about in ("a", "m", "z", "late", "gone")
    )
    asked = [replace(decision.verdicts["cntr_12"], reasons=(each,)) for each in reasons]
    found = blocking(asked, ledger.book(TARGET))
    assert [(each.about, each.source, each.since) for each in found] == [
        ("gone", None, None),
        ("late", None, None),
        ("z", "app-1", T + 10),
        ("m", "app-1", T + 20),
        ("a", "app-1", T + 30),
    ]


def test_a_call_is_told_of_by_whatever_is_held_of_it() -> None:
    """Where its start is missing, by what came after."""
    app = Writer()
    app.created("queued", 10, status="queued")
    app.created("running", 20, status="in_progress")
    app.puts_out("output", 30)
    book = ledger_of(app).book(TARGET)
    told = {call: told_at(response) for call, response in book.responses.items()}
    assert told == {"queued": T + 10, "running": T + 20, "output": T + 30}
    app.ends("end", 40)
    assert told_at(ledger_of(app).book(TARGET).responses["end"]) is None, "nor begun by then"
