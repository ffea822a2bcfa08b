"""What is remembered of responses is what would be worked out anew, whatever happened since."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.examples import examples
from tests.unit.decide.builders import PERSON, READER, TARGET, T, Writer, auto, ledger_of
from tests.unit.decide.histories import (
    History,
    at_some_moment,
    conflicted,
    degraded,
    history,
)

from demurrage.decide.book import Book
from demurrage.decide.ledger import Ledger
from demurrage.decide.response import Claim
from demurrage.decide.windows import Candidates, Windows
from demurrage.model.event import Created, Ending, Record
from demurrage.model.rules import EvidenceRules

RULES = EvidenceRules()


def looked(
    windows: Windows,
    book: Book,
    *,
    earliest: float = 0.0,
    retired: Mapping[str, float] | None = None,
    rules: EvidenceRules = RULES,
    whole_life: bool = False,
) -> Candidates:
    """What these windows make of a book; births listed since `earliest`, in seconds after T."""
    return windows.look(book.responses, T + earliest, retired or {}, rules, whole_life=whole_life)


def same(book: Book, **more: Any) -> bool:
    """True when what the book remembers is what one without a memory finds."""
    return looked(book.windows, book, **more) == looked(Windows(), book, **more)


def also_known(dice: Random, told: History, held: Sequence[Record]) -> list[Record]:
    """The same log with a person's words on some calls, and what the daemon read of others."""
    found = list(held)
    person, reader = Writer(PERSON), Writer(READER)
    for call in told.calls:
        names = [made.id for made in call.born if dice.random() < 0.3]
        if dice.random() < 0.2:
            found.insert(
                dice.randint(0, len(found)), person.ends(call.name, dice.uniform(0, 700), *names)
            )
        if dice.random() < 0.3:
            before = len(reader.records)
            reader.knows(f"resp_{call.name}", dice.uniform(0, 700))
            status = dice.choice([None, Ending.COMPLETED])
            reader.reads(call.name, dice.uniform(0, 700), *names, status=status)
            for each in reader.records[before:]:
                found.insert(dice.randint(0, len(found)), each)
    return found


@examples(150)
@given(seed=st.integers(0, 2**32))
def test_what_is_remembered_is_what_would_be_worked_out_anew(seed: int) -> None:
    """Late, repeated and contradicting events, clocks, deaths, readings, other settings."""
    dice = Random(seed)
    told = history(dice, fates=True)
    held = also_known(dice, told, conflicted(dice, degraded(dice, told, at_some_moment(dice))))
    ledger = Ledger()
    book = ledger.book(TARGET)
    rules = RULES
    while held:
        size = dice.randint(1, 6)
        claim = Claim(T + dice.uniform(0, 700), T + dice.uniform(0, 700))
        ledger.fold(held[:size], {TARGET: claim})
        held = held[size:]
        if dice.random() < 0.05:
            ledger.forget(
                TARGET, T + dice.uniform(0, 400), frozenset(), rules.max_event_delay, oldest=inf
            )
        if dice.random() < 0.1:
            rules = replace(RULES, max_birth_delay=dice.choice([20.0, 60.0]))
        assert same(
            book,
            earliest=dice.uniform(-10, 400),
            retired=told.retired_by(dice.uniform(0, 700)),
            rules=rules,
            whole_life=dice.random() < 0.1,
        )


def ended(**more: Any) -> tuple[Writer, Ledger]:
    """A writer whose one call has begun, is told of and has ended; its book has been looked at."""
    writer = Writer()
    writer.beats(0.0)
    writer.starts("a", 10.0, **more)
    writer.created("a", 11.0, created_at=10.5)
    writer.ends("a", 90.0)
    ledger = ledger_of(writer)
    assert looked(ledger.book(TARGET).windows, ledger.book(TARGET)).windows
    return writer, ledger


@pytest.mark.parametrize(
    "late",
    [
        lambda writer: writer.created("a", 12.0, created_at=4.5),
        lambda writer: writer.created("a", 12.0, created_at=30.5),
        lambda writer: writer.puts_out("a", 15.0),
        lambda writer: writer.created("a", 12.0, status="queued"),
        lambda writer: writer.sent("a", 12.0, T + 2.0),
        lambda writer: writer.starts("a", 10.0),
        lambda writer: writer.ends("a", 95.0),
        lambda writer: writer.ends("a", 90.0, "cntr_1"),
    ],
    ids=["earlier", "later", "output", "queued", "sent", "contradicted", "ended", "named"],
)
def test_a_late_event_changes_what_is_remembered(late: Any) -> None:
    """It is about a response that had ended long before."""
    writer, ledger = ended(direct=True)
    book = ledger.book(TARGET)
    ledger.fold([late(writer)])
    assert same(book)


def test_a_clock_that_turns_out_to_be_off_changes_what_is_remembered() -> None:
    """A heartbeat widens the span of its writer's offset, and the windows of its calls."""
    writer = Writer()
    writer.starts("a", 10.0)
    writer.ends("a", 20.0)
    ledger = ledger_of(writer)
    book = ledger.book(TARGET)
    before = looked(book.windows, book)
    writer.reports = 4.0
    ledger.fold([writer.beats(100.0)])
    assert same(book)
    assert looked(book.windows, book) != before


def test_what_was_of_no_account_comes_back_when_its_clock_turns_out_to_be_off() -> None:
    """It was over before the first birth, and by the new bounds is not."""
    writer = Writer()
    writer.starts("a", 10.0)
    writer.ends("a", 20.0)
    ledger = ledger_of(writer)
    book = ledger.book(TARGET)
    assert not looked(book.windows, book, earliest=100.0).windows
    writer.reports = -200.0
    ledger.fold([writer.beats(30.0)])
    assert looked(book.windows, book, earliest=100.0).windows
    assert same(book, earliest=100.0)


def test_what_is_over_comes_back_when_something_older_is_listed() -> None:
    """A container can become visible long after it was born."""
    writer, ledger = ended()
    writer.starts("b", 1000.0)
    ledger.fold(writer.records[-1:])
    book = ledger.book(TARGET)
    both = ["a", "b"]
    looks = ((0.0, both), (900.0, ["b"]), (900.0, ["b"]), (95.0, both), (900.0, ["b"]), (0.0, both))
    for earliest, near in looks:
        assert list(looked(book.windows, book, earliest=earliest).windows) == near


def test_a_death_changes_what_is_remembered() -> None:
    """A goodbye, or a person's word that the writer is gone, bounds what left before it."""
    for goodbye in (True, False):
        writer = Writer()
        writer.starts("a", 10.0, direct=True)
        ledger = ledger_of(writer)
        book = ledger.book(TARGET)
        before = looked(book.windows, book)
        if goodbye:
            ledger.fold([writer.beats(20.0, "a", final=True)])
        retired = {} if goodbye else {writer.name: T + 20.0}
        assert same(book, retired=retired)
        assert looked(book.windows, book, retired=retired) != before


def test_what_the_daemon_reads_changes_the_application_s_own_call() -> None:
    """Its reading steps back, and the call takes its names and its end."""
    app, reader = Writer(), Writer(READER)
    app.starts("a", 10.0)
    app.created("a", 11.0)
    ledger = ledger_of(app)
    book = ledger.book(TARGET)
    before = looked(book.windows, book)
    reader.knows("resp_a", 20.0)
    reader.reads("a", 30.0, "cntr_1")
    ledger.fold(reader.records)
    assert same(book)
    assert looked(book.windows, book) != before


def test_what_the_daemon_reads_changes_every_call_that_logs_the_response() -> None:
    """Two calls bear one id: both take its names and its end."""
    app, reader = Writer(), Writer(READER)
    for call in ("a", "b"):
        app.starts(call, 10.0)
        app.say(11.0, Created(call, "resp_a"))
    ledger = ledger_of(app)
    book = ledger.book(TARGET)
    looked(book.windows, book)
    reader.reads("a", 30.0, "cntr_1")
    ledger.fold(reader.records)
    assert same(book)
    assert book.mentions["cntr_1"] >= {"a", "b"}


def test_what_has_not_changed_is_not_worked_out_anew() -> None:
    """Or every decision would cost what the whole log does."""
    _, ledger = ended()
    book = ledger.book(TARGET)
    first, second = (looked(book.windows, book).windows["a"] for _ in range(2))
    assert first is second
    book.windows.clear()
    assert looked(book.windows, book).windows["a"] is not first


def test_the_order_of_its_slots_is_no_part_of_a_request() -> None:
    """What is told of two requests with the same slots is the same."""
    found = []
    for slots in ((auto("1g"), auto()), (auto(), auto("1g"))):
        writer = Writer()
        writer.starts("a", 10.0, *slots)
        writer.ends("a", 90.0)
        found.append(looked(Windows(), ledger_of(writer).book(TARGET)).spans)
    assert found[0] == found[1]
    assert len(found[0]) == 2


def test_what_was_over_before_the_first_birth_is_no_candidate() -> None:
    """Up to the last moment of its end; one that names a container may have made it late."""
    end = 90.0 + RULES.clock_skew
    writer, ledger = ended()
    book = ledger.book(TARGET)
    at_end, later = (looked(book.windows, book, earliest=each) for each in (end, end + 0.5))
    assert (set(at_end.windows), len(at_end.spans)) == ({"a"}, 1)
    assert (later.windows, later.spans, later.others) == ({}, [], [])
    ledger.fold([writer.ends("a", 90.0, "cntr_1")])
    later = looked(book.windows, book, earliest=end + 0.5)
    assert (set(later.windows), later.spans, later.others) == ({"a"}, [], [])


def test_what_is_forgotten_is_remembered_no_more() -> None:
    """Or memory would grow for ever."""
    _, ledger = ended()
    book = ledger.book(TARGET)
    assert "'a'" in repr(book.windows)
    ledger.forget(TARGET, T + 1000.0, frozenset(), 30.0, oldest=inf)
    assert "'a'" not in repr(book.windows)
    assert same(book)
