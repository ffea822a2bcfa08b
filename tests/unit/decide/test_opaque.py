"""What goes on from something that it does not name, against the definition, call by call."""

from math import inf
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.decide.builders import READER, RULES, TARGET, T, Writer, ledger_of

from demurrage.decide.book import Book
from demurrage.decide.ledger import Ledger
from demurrage.decide.opaque import Opaque
from demurrage.model.event import Ending, Slot

RULE = RULES.evidence
GIVEN = Slot(container="cntr_0")


def told(dice: Random) -> Writer:
    """Some calls, each opaque or not, going on from another or not, ended or not."""
    app = Writer()
    app.beats(0)
    for number in range(dice.randint(0, 7)):
        at, before = dice.randint(5, 200), dice.randint(-3, number - 1)
        more = {"previous_response_id": f"resp_{before}"} if before >= 0 else {}
        app.starts(str(number), at, GIVEN, opaque=dice.random() < 0.4, **more)
        how = dice.random()
        if how < 0.7:
            status = dice.choice([Ending.COMPLETED, Ending.COMPLETED, Ending.REFUSED])
            app.ends(str(number), at + dice.randint(1, 60), status=status)
        elif how < 0.8:
            app.ends(str(number), at + 1, status=Ending.LOST)
        if dice.random() < 0.2:
            app.closes(dice.randint(50, 400), after=str(number))
    return app


def book_of(app: Writer, dice: Random) -> Book:
    """The folded log, whatever the order in which it was read."""
    records = list(app.records)
    dice.shuffle(records)
    ledger = Ledger()
    ledger.fold(records)
    return ledger.book(TARGET)


def holds(book: Book, born: float, declared: float) -> bool:
    """Whether any lineage may have what was born then in its context after that end."""
    for call in book.responses.values():
        members = [book.responses[each] for each in book.lineages.members(call.call_id)]
        starts = {each.call_id: each.begun_latest(RULE.max_event_delay) for each in members}
        reached_back = call.opaque and call.ending is not Ending.REFUSED
        if not reached_back or starts[call.call_id] + RULE.clock_skew < born:
            continue
        runs = any(not each.ended for each in members)
        over = any(
            all(each.started is not None and each.started.precedes(end) for each in members)
            for end in book.lineages.ends(call.call_id)
        )
        if over and not runs:
            continue
        last = inf if runs else max(starts.values())
        if last + RULE.clock_skew > declared:
            return True
    return False


@given(seed=st.integers(0, 2**32), born=st.integers(0, 220), declared=st.integers(0, 420))
def test_it_holds_what_the_definition_holds(seed: int, born: int, declared: int) -> None:
    """No more and no less, in whatever order the log is read."""
    dice = Random(seed)
    book = book_of(told(dice), dice)
    found = Opaque(book, RULE).holder(T + born, T + declared)
    assert (found is not None) == holds(book, T + born, T + declared)
    assert found is None or found in book.responses


def test_what_is_forgotten_is_not_asked_for() -> None:
    """Retention takes the mark along with the call."""
    app = Writer()
    app.starts("a", 10, GIVEN, opaque=True)
    app.ends("a", 20)
    book = book_of(app, Random(0))
    assert book.opaque == {"a"}
    book.forget(T + 1000, frozenset(), frozenset(), RULE.max_event_delay, oldest=inf)
    assert (book.opaque, Opaque(book, RULE).holder(T, T)) == (set(), None)


@given(
    seed=st.integers(0, 2**32),
    born=st.integers(0, 220),
    declared=st.integers(0, 420),
    before=st.integers(0, 1000),
)
def test_nothing_is_forgotten_that_may_hold_what_lives(
    seed: int, born: int, declared: int, before: int
) -> None:
    """However long ago it was: a container that is used for days has it in some context."""
    dice = Random(seed)
    book = book_of(told(dice), dice)
    held = Opaque(book, RULE).holder(T + born, T + declared)
    oldest = T + born - RULE.clock_skew
    book.forget(T + before, frozenset(), frozenset(), RULE.max_event_delay, oldest=oldest)
    assert Opaque(book, RULE).holder(T + born, T + declared) == held


@pytest.mark.parametrize(("later", "kept"), [(0.0, {"a"}), (0.001, set[str]())])
def test_what_began_with_the_oldest_is_kept(later: float, kept: set[str]) -> None:
    """Whoever lives since that very moment may be in its context."""
    app = Writer()
    app.starts("a", 100, GIVEN, opaque=True)
    app.ends("a", 110)
    book, unknown = book_of(app, Random(0)), RULE.max_event_delay
    begun = book.responses["a"].begun_latest(unknown)
    book.forget(T + 9000, frozenset(), frozenset(), unknown, oldest=begun + later)
    assert book.opaque == kept


def test_who_comes_back_to_it_days_later_still_holds_what_lives() -> None:
    """What goes on from it need not be opaque itself."""
    app = Writer()
    app.starts("a", 100, GIVEN, opaque=True)
    app.ends("a", 110)
    ledger = Ledger()
    ledger.fold(app.records)
    unknown, oldest = RULE.max_event_delay, T + 50 - RULE.clock_skew
    ledger.forget(TARGET, T + 9000, frozenset(), unknown, oldest=oldest)
    app.starts("b", 9500, GIVEN, previous_response_id="resp_a")
    ledger.fold(app.records[-1:])
    assert Opaque(ledger.book(TARGET), RULE).holder(T + 50, T + 9400) == "b"


def test_a_lineage_that_has_ended_hides_no_other() -> None:
    """Nor do clocks that nobody knows: the latest that it can have begun counts."""
    app = Writer()
    app.starts("a", 10, GIVEN, opaque=True)
    app.ends("a", 20)
    app.closes(30, after="a")
    app.starts("b", 100, GIVEN, opaque=True)
    app.ends("b", 110)
    opaque = Opaque(book_of(app, Random(0)), RULE)
    reach = 100 + RULE.max_event_delay + RULE.clock_skew
    assert opaque.holder(T + reach, T + reach - 1) == "b"
    assert opaque.holder(T + reach + 1, T + reach - 1) is None
    assert opaque.holder(T + reach, T + reach) is None


def test_who_reached_back_less_far_is_not_asked_of_what_was_born_later() -> None:
    """Whatever it did since."""
    app = Writer()
    app.beats(0)
    app.starts("a", 100, GIVEN, opaque=True)
    app.ends("a", 110)
    app.starts("b", 50, GIVEN, opaque=True)
    app.ends("b", 60)
    app.starts("c", 300, GIVEN, previous_response_id="resp_b")
    app.ends("c", 310)
    opaque = Opaque(book_of(app, Random(0)), RULE)
    assert opaque.holder(T + 40, T + 200) == "c"
    assert opaque.holder(T + 80, T + 200) is None
    assert opaque.holder(T + 80, T + 104) == "a"


def test_a_reading_that_stepped_back_reaches_back_to_nothing() -> None:
    """The application's own call tells what it goes on from."""
    app, reader = Writer(), Writer(READER)
    app.beats(0)
    app.starts("b", 10, GIVEN)
    app.created("b", 11)
    app.knows("resp_b", 12)
    reader.reads("b", 20, opaque=True)
    book = ledger_of(app, reader).book(TARGET)
    assert book.opaque == {"resp_b"}
    assert Opaque(book, RULE).holder(T + 5, T + 5) is None
