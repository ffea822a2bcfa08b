"""What is forgotten can bear on nothing alive, and the pruned log still says the same."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.examples import examples
from tests.unit.decide.builders import (
    PERSON,
    READER,
    TARGET,
    T,
    Writer,
    decision_of,
    facts,
    ledger_of,
    sighting,
    verdict_of,
)
from tests.unit.decide.histories import at_some_moment, history

from demurrage.decide.decision import Decision
from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Claim
from demurrage.decide.watermark import complete_through, has_gone, watermark
from demurrage.model.event import (
    ContainerReferenced,
    ConversationEnded,
    Ending,
    Entry,
    Finished,
)
from demurrage.model.floor import Floor
from demurrage.model.rules import EvidenceRules
from demurrage.model.verdict import Code, Verdict, VerdictKind

UNKNOWN = 30.0


def reread(records: list[Entry], ledger: Ledger, before: float) -> Ledger:
    """A reader that starts anew from what retention left of the log: nothing recent goes."""
    keep = ledger.held_positions()
    fresh = Ledger()
    held = [each for each in records if each.position in keep or each.event.time >= T + before]
    last = max((each.position for each in records), default=0)
    gone = [each.event for each in records if each not in held]
    fresh.start_from(
        {
            name: Floor(
                each.held_through,
                last,
                frozenset(event.target for event in gone if event.source == name),
            )
            for name, each in ledger.sources.items()
        }
    )
    fresh.fold(held)
    return fresh


def placed(*writers: Writer) -> list[Entry]:
    """All that the writers said, each at its own place in the log."""
    said = [each for writer in writers for each in writer.records if isinstance(each, Entry)]
    return [replace(entry, position=place) for place, entry in enumerate(said, start=1)]


def test_a_finished_lineage_is_forgotten_as_a_whole() -> None:
    """Once all of it is over, and nothing needed is named in it."""
    app = Writer()
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30, "cntr_1")
    app.starts("b", 100, conversation="talk")
    app.ends("b", 120)
    app.closes(130, "talk")
    for before, needed, left in (
        (110, set[str](), {"a", "b"}),
        (500, {"cntr_1"}, {"a", "b"}),
        (500, set[str](), set[str]()),
    ):
        ledger = ledger_of(placed(app))
        ledger.forget(TARGET, T + before, frozenset(needed), UNKNOWN, oldest=inf)
        assert set(ledger.book(TARGET).responses) == left


def test_what_comes_after_a_lineage_is_forgotten_with_it() -> None:
    """In one go, whatever stands between."""
    app = Writer()
    for call, talk in (("a", "talk"), ("b", "talk"), ("c", "chat"), ("d", "talk")):
        app.starts(call, 10, conversation=talk)
        app.ends(call, 30, "cntr_1", f"cntr_{call}")
    app.closes(40, "talk")
    app.starts("e", 10, containers=["cntr_1"])
    ledger = ledger_of(placed(app))
    ledger.forget(TARGET, T + 500, frozenset(), UNKNOWN, oldest=inf)
    book = ledger.book(TARGET)
    assert set(book.responses) == {"e"}
    assert list(book.held_positions()) == book.responses["e"].positions
    assert book.mentions == {"cntr_1": {"e"}}


@pytest.mark.parametrize("word", [Writer.makes, Writer.pins, Writer.releases])
@pytest.mark.parametrize("named", [False, True])
def test_each_word_on_a_container_stays_until_it_is_old(
    word: Callable[[Writer, str, float], object], *, named: bool
) -> None:
    """And longer, while a response that is held names the container."""
    app = Writer()
    word(app, "cntr_1", 100)
    if named:
        app.starts("a", 110, containers=["cntr_1"])
    for before, left in ((90, True), (500, named)):
        ledger = ledger_of(placed(app))
        ledger.forget(TARGET, T + before, frozenset(), UNKNOWN, oldest=inf)
        book = ledger.book(TARGET)
        assert any("cntr_1" in told for told in (book.explicit, book.pins, book.releases)) == left


def test_a_call_that_two_starts_claim_is_not_forgotten_for_its_one_end() -> None:
    """The other may still run."""
    app, other = Writer(), Writer("app-2")
    app.starts("a", 10)
    other.starts("a", 11)
    app.ends("a", 30)
    ledger = ledger_of(placed(app, other))
    ledger.forget(TARGET, T + 500, frozenset(), UNKNOWN, oldest=inf)
    assert set(ledger.book(TARGET).responses) == {"a"}


def test_an_id_that_is_given_again_after_it_was_forgotten_is_known_anew() -> None:
    """Nothing that is held answers to it."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    app.knows("resp_a", 31)
    old, new = Claim(T + 40.0, T + 10.0), Claim(T + 700.0, T + 650.0)
    ledger = ledger_of(placed(app), claims={TARGET: old})
    ledger.forget(TARGET, T + 500, frozenset(), UNKNOWN, oldest=inf)
    ledger.fold([app.knows("resp_a", 600)], {TARGET: new})
    book = ledger.book(TARGET)
    assert [each for each, _ in book.unresolved()] == ["resp_a"]
    reader = Writer(READER)
    reader.reads("a", 700)
    ledger.fold(reader.records)
    assert book.responses["resp_a"].claim == new


def test_a_reading_that_stepped_back_is_forgotten_with_the_application_s_own_call() -> None:
    """It was read while it ran, and its application told the end: nothing is left to wait for."""
    app, reader = Writer(), Writer(READER)
    app.starts("b", 10, background=True)
    app.created("b", 11)
    app.knows("resp_b", 12)
    reader.reads("b", 20, status=None)
    for before, left in ((25, {"b", "resp_b"}), (500, set[str]())):
        ledger = ledger_of(placed(app, reader))
        ledger.forget(TARGET, T + before, frozenset(), UNKNOWN, oldest=inf)
        assert set(ledger.book(TARGET).responses) == {"b", "resp_b"}
        ended = Writer()
        ended.starts("b", 10, background=True)
        ended.created("b", 11)
        ended.knows("resp_b", 12)
        ended.ends("b", 30)
        ledger = ledger_of(placed(ended, reader))
        ledger.forget(TARGET, T + before, frozenset(), UNKNOWN, oldest=inf)
        assert set(ledger.book(TARGET).responses) == left


def test_what_has_not_ended_is_never_forgotten() -> None:
    """Running and lost responses may still name what they made."""
    app = Writer()
    app.starts("a", 10)
    app.starts("b", 10)
    app.ends("b", 30, status=Ending.LOST)
    ledger = ledger_of(placed(app))
    ledger.forget(TARGET, T + 1e9, frozenset(), UNKNOWN, oldest=inf)
    assert set(ledger.book(TARGET).responses) == {"a", "b"}


def test_a_known_id_goes_with_the_response_that_answers_to_it() -> None:
    """A reader that starts anew must not wait for what was answered and forgotten."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    app.knows("resp_a", 40)
    app.beats(2000)
    said = placed(app)
    for before, left in ((35, {"a"}), (1000, set[str]())):
        ledger = ledger_of(said)
        ledger.forget(TARGET, T + before, frozenset(), UNKNOWN, oldest=inf)
        assert set(ledger.book(TARGET).responses) == left
        assert not list(reread(said, ledger, before).book(TARGET).unresolved())


def test_pins_and_creations_go_with_their_container() -> None:
    """And stay with one that is needed."""
    app = Writer()
    app.makes("cntr_1", 10)
    app.pins("cntr_2", 10)
    app.releases("cntr_2", 20)
    for needed, left in (({"cntr_1", "cntr_2"}, True), (set[str](), False)):
        ledger = ledger_of(placed(app))
        ledger.forget(TARGET, T + 1000.0, frozenset(needed), UNKNOWN, oldest=inf)
        book = ledger.book(TARGET)
        assert bool(book.explicit) is bool(book.pins) is bool(book.releases) is left
        assert ledger.held_positions() == ({1, 2, 3} if left else {3}), "or the last word alone"


def test_an_end_of_what_nobody_knows_is_forgotten_by_itself() -> None:
    """Its lineage may have been forgotten before it. One of several that is recent keeps them."""
    app = Writer()
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30)
    app.closes(900, "talk")
    app.closes(910, "other")
    app.closes(990, "talk")
    ledger = ledger_of(placed(app)[:2])
    ledger.forget(TARGET, T + 500.0, frozenset(), UNKNOWN, oldest=inf)
    ledger.fold(placed(app)[2:])
    book = ledger.book(TARGET)
    for before, held in ((900, {3, 4, 5}), (970, {3, 5}), (1100, set[int]())):
        ledger.forget(TARGET, T + before, frozenset(), UNKNOWN, oldest=inf)
        assert set(book.held_positions()) == held
        assert len(list(book.moments())) == len(held)


def test_a_heartbeat_that_bears_on_nothing_more_holds_no_call() -> None:
    """It is kept for the clock's offset that it told, or by the side of a goodbye."""
    for final in (False, True):
        app = Writer()
        app.starts("a", 10)
        app.beats(20, "a", clock_offset=0.0)
        app.ends("a", 30)
        app.beats(40, clock_offset=None, final=final)
        records = placed(app)
        ledger = ledger_of(records)
        ledger.forget(TARGET, T + 400.0, frozenset(), UNKNOWN, oldest=inf)
        assert not ledger.book(TARGET).responses
        for each in (ledger, reread(records, ledger, 400)):
            (source,) = each.sources.values()
            assert source.said_goodbye is final
            assert source.offsets(UNKNOWN) == (0.0, 0.0)
            assert final or complete_through(source, EvidenceRules()) == T + 40


def test_a_goodbye_outlives_the_call_that_was_in_flight() -> None:
    """The call ended by another hand and was forgotten; its writer has still left."""
    app, resolver, other = Writer(), Writer(PERSON), Writer("app-2")
    app.starts("a", 10)
    app.beats(20, "a", final=True)
    resolver.say(60, Finished("a", Ending.COMPLETED, "resp_a"))
    other.starts("b", 5000)
    other.ends("b", 5020)
    other.beats(5390)
    records = placed(app, resolver, other)
    row = sighting(born=5002)
    ledger = ledger_of(records)
    ledger.forget(TARGET, T + 4000.0, frozenset({row.id}), UNKNOWN, oldest=inf)
    assert verdict_of(row, ledger, now=5400).kind is VerdictKind.ORPHAN
    again = reread(records, ledger, 4000)
    assert verdict_of(row, again, now=5400).kind is VerdictKind.ORPHAN


def test_an_undecodable_name_of_an_unheard_event_is_not_pruned() -> None:
    """Whatever it may mean lives."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    entry = app.starts("x", 40)
    app.loses(entry)
    app.sequence -= 1
    app.say(40, entry.event.fact, undecodable=True)
    app.ends("x", 50)
    app.beats(390)
    records = placed(app)
    ledger = ledger_of(records)
    assert verdict_of(sighting(), reread(records, ledger, 390)).codes == (
        Code.UNDECODABLE_REFERENCE,
    )


def test_a_name_that_nobody_can_read_is_held_when_all_else_is_forgotten() -> None:
    """The last of each writer; a reader that starts anew must hear of it."""
    app = Writer()
    for at in (10, 20):
        app.say(at, ContainerReferenced("cntr_?"), undecodable=True)
    app.pins("cntr_1", 30)
    ledger = ledger_of(placed(app))
    ledger.forget(TARGET, T + 4000.0, frozenset(), UNKNOWN, oldest=inf)
    assert set(ledger.book(TARGET).held_positions()) == {2}


def let_go(
    ledger: Ledger,
    before: float = 4000,
    through: int = 99,
    retired: Mapping[str, float] | None = None,
) -> set[str]:
    """Forget whatever may be forgotten, writers too; returns the writers that are left."""
    ledger.forget(TARGET, T + before, frozenset(), UNKNOWN, oldest=inf)
    rules = EvidenceRules()
    ledger.forget_writers(
        lambda each: each.said_goodbye or has_gone(each, retired or {}, rules),
        T + before,
        through,
        UNKNOWN,
    )
    return set(ledger.sources)


def left(**more: Any) -> Writer:
    """A writer that has told all of a call and said goodbye."""
    app = Writer(**more)
    app.starts("a", 10)
    app.ends("a", 30)
    app.beats(40, final=True)
    return app


def test_a_writer_that_has_left_goes_with_the_last_that_it_told() -> None:
    """And nothing of it need be in the log; before that it stays."""
    ledger = ledger_of(placed(left()))
    assert let_go(ledger, before=35) == let_go(ledger, before=60) == {"app-1"}
    assert let_go(ledger, before=71) == set()
    assert not ledger.held_positions()
    app = Writer()
    app.pins("cntr_1", 10)
    app.beats(40, final=True)
    ledger = ledger_of(placed(app))
    ledger.forget(TARGET, T + 4000.0, frozenset({"cntr_1"}), UNKNOWN, oldest=inf)
    ledger.forget_writers(lambda each: each.said_goodbye, T + 4000.0, 99, UNKNOWN)
    assert set(ledger.sources) == {"app-1"}
    assert let_go(ledger) == set()


def test_a_writer_that_was_retired_is_forgotten_alike() -> None:
    """Unless it has spoken since."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    assert let_go(ledger_of(placed(app))) == {"app-1"}
    assert let_go(ledger_of(placed(app)), retired={"app-1": T + 100.0}) == set()
    assert let_go(ledger_of(placed(app)), retired={"app-1": T + 1.0}) == set(), (
        "by an unknown clock"
    )
    app.beats(60)
    assert let_go(ledger_of(placed(app)), retired={"app-1": T + 1.0}) == {"app-1"}


def _goes_on(app: Writer) -> None:
    app.beats(50)


def _leaves_a_gap(app: Writer) -> None:
    app.loses(app.starts("lost", 35))
    app.beats(50, final=True)


def _drops(app: Writer) -> None:
    app.beats(50, dropped=1)
    app.beats(51, final=True)


def _loses_count(app: Writer) -> None:
    app.say(35, ConversationEnded("talk"), sequence=None)


def _contradicts_itself(app: Writer) -> None:
    app.say(35, ConversationEnded("talk"), sequence=1, id="other")
    app.beats(50, final=True)


def _leaves_a_call(app: Writer) -> None:
    app.starts("b", 45)
    app.beats(50, "b", final=True)


def _leaves_a_name_that_nobody_can_read(app: Writer) -> None:
    app.say(45, ContainerReferenced("cntr_?"), undecodable=True)
    app.beats(50, final=True)


@pytest.mark.parametrize(
    "also",
    [
        _goes_on,
        _leaves_a_gap,
        _drops,
        _loses_count,
        _contradicts_itself,
        _leaves_a_call,
        _leaves_a_name_that_nobody_can_read,
    ],
)
def test_a_writer_that_still_bears_on_something_stays(also: Callable[[Writer], object]) -> None:
    """It is waited for, or tells that something is missing, or of something that is held."""
    app = left()
    also(app)
    ledger = ledger_of(placed(app))
    before = watermark(ledger, TARGET, {}, EvidenceRules(), T + 5000.0)
    assert let_go(ledger) == {"app-1"}
    assert watermark(ledger, TARGET, {}, EvidenceRules(), T + 5000.0) == before


def test_a_writer_stays_while_the_log_keeps_some_of_its_words() -> None:
    """A reader starting anew that found them without the goodbye would wait for ever."""
    app = left()
    assert let_go(ledger_of(placed(app)), through=2) == {"app-1"}
    assert let_go(ledger_of(placed(app)), through=3) == set()


def test_a_forgotten_writer_that_speaks_again_is_waited_for() -> None:
    """What it may have said before is not known any more; told again as a whole, all is well."""
    app, other = left(), left(name="app-2")
    row = sighting(born=5002)
    other.sequence, other.records = 0, []
    other.starts("b", 5000)
    other.ends("b", 5020)
    other.beats(5390)
    ledger = ledger_of(placed(app))
    assert let_go(ledger) == set()
    ledger.fold(other.records)
    assert verdict_of(row, ledger, now=5400).kind is VerdictKind.ORPHAN
    ledger.fold(app.records[2:])
    assert verdict_of(row, ledger, now=5400).codes == (Code.LOG_NOT_COMPLETE,)
    ledger.fold(app.records[:2])
    assert verdict_of(row, ledger, now=5400).kind is VerdictKind.ORPHAN


def blameless(decision: Decision) -> dict[str, Verdict]:
    """The verdicts without who is to blame: of two that may be, one can be forgotten already."""
    return {key: replace(each, maker=None) for key, each in decision.verdicts.items()}


@examples(200)
@example(115099)
@given(st.integers(0, 2**32))
def test_forgetting_changes_nothing_for_what_is_needed(seed: int) -> None:
    """Neither in memory nor for a reader that starts anew from the pruned log."""
    dice = Random(seed)
    told = history(dice, fates=dice.random() < 0.5)
    now = at_some_moment(dice)
    before = dice.uniform(0, now)
    gone = told.retired_by(now)
    known, rules = facts(retired=gone), EvidenceRules()
    records = [
        replace(entry, position=place)
        for place, (true, _, entry) in enumerate(told.entries, start=1)
        if true <= now
    ]
    rows = [each for each in told.listed(now) if each.container.created_at >= T + before + 1]
    ledger = ledger_of(records)
    whole = decision_of(ledger, rows=rows, now=now, known=known)
    # Breaches are written down when they are found, whatever is forgotten then.
    known = facts(retired=gone, breaks=whole.breaks)
    ledger.forget(TARGET, T + before, frozenset(each.id for each in rows), UNKNOWN, oldest=inf)
    later = (each.position for each in records if each.event.time >= T + before)
    ledger.forget_writers(
        lambda each: each.said_goodbye or has_gone(each, gone, rules),
        T + before,
        min(later, default=len(records)) - 1,
        UNKNOWN,
    )
    forgot = decision_of(ledger, rows=rows, now=now, known=known)
    again = decision_of(reread(records, ledger, before), rows=rows, now=now, known=known)
    assert blameless(forgot) == blameless(again) == blameless(whole)
    assert forgot.watermark == whole.watermark


@examples(200)
@given(st.integers(0, 2**32))
def test_what_is_told_later_lets_nothing_go_that_the_whole_log_would_keep(seed: int) -> None:
    """Late, and again: a writer that was forgotten may speak, and repeat what it had said."""
    dice = Random(seed)
    told = history(dice, fates=dice.random() < 0.5)
    then = dice.uniform(150, 900)
    before = then - dice.uniform(60, 300)
    now = then + dice.uniform(0, 600)
    first = [entry for _, arrival, entry in told.entries if arrival <= then]
    later = [entry for _, arrival, entry in told.entries if then < arrival <= now]
    again = dice.sample(first, dice.randint(0, len(first)))
    whole, ledger = ledger_of(first, later), ledger_of(first)
    ledger.forget(
        TARGET, T + before, frozenset(each.id for each in told.listed(then)), UNKNOWN, oldest=inf
    )
    gone, rules = told.retired_by(then), EvidenceRules()
    ledger.forget_writers(
        lambda each: each.said_goodbye or has_gone(each, gone, rules), T + before, 10**6, UNKNOWN
    )
    ledger.fold([*later, *again])
    rows = [each for each in told.listed(now) if each.container.created_at >= T + before + 1]
    known = facts(retired=told.retired_by(now))
    allowed = decision_of(whole, rows=rows, now=now, known=known).verdicts
    for key, verdict in decision_of(ledger, rows=rows, now=now, known=known).verdicts.items():
        if verdict.kind in (VerdictKind.ORPHAN, VerdictKind.RELEASED):
            assert allowed[key].kind is verdict.kind
