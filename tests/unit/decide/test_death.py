"""Whose proven death ends the waiting, and whose must be judged by a person."""

from math import inf
from typing import Any

import pytest

from demurrage.decide.death import may_be_retired
from demurrage.decide.ledger import NOBODY, Ledger
from demurrage.decide.source import Source
from demurrage.decide.watermark import has_gone, watermark
from demurrage.model.event import Event, Heartbeat, SetAside, Started
from demurrage.model.rules import EvidenceRules

NOW = 1_000_000.0
RULES = EvidenceRules()
LONG_AGO = NOW - RULES.max_event_delay - RULES.writer_timeout - 1


def source(*events: Event, name: str = "w") -> Source:
    """A writer as its events show it."""
    made = Source(name)
    for position, each in enumerate(events, start=1):
        made.fold(each, position)
    return made


def started(sequence: int | None, time: float = LONG_AGO, **changes: Any) -> Event:
    """A start, as the writer told it."""
    told = {"id": f"e{sequence}", "source": "w", "target": "default", **changes}
    return Event(time=time, fact=Started(f"call-{sequence}"), sequence=sequence, **told)


def beat(sequence: int, time: float = LONG_AGO, **changes: Any) -> Event:
    """A heartbeat that promises all before it."""
    fact = Heartbeat(time, sequence - 1, **changes)
    return Event(f"e{sequence}", "w", time, "default", fact, sequence)


def test_a_whole_record_that_fell_silent_is_retired() -> None:
    """Nothing of it is missing, and nothing more comes."""
    assert may_be_retired(source(started(1), beat(2)), {}, RULES, NOW)


def test_silence_counts_from_its_last_word_by_its_own_clock() -> None:
    """One that was heard a moment ago lives, whatever its lock says."""
    assert not may_be_retired(source(started(1), beat(2, NOW)), {}, RULES, NOW)
    slow = beat(2, LONG_AGO, clock_offset=-3600.0)
    assert not may_be_retired(source(started(1), slow), {}, RULES, NOW)


@pytest.mark.parametrize(
    "flawed",
    [
        source(),
        source(started(2)),
        source(started(1), started(3)),
        source(started(1), started(1, id="other")),
        source(started(1), started(None)),
        source(started(1), beat(2, dropped=1)),
        source(started(1), beat(4)),
        source(started(1), beat(2, final=True)),
        source(started(1), name="demurrage:person/ann"),
    ],
    ids=[
        "nothing held",
        "no first",
        "a gap",
        "a conflict",
        "no sequence",
        "dropped",
        "promised more",
        "goodbye",
        "a person",
    ],
)
def test_a_flawed_record_waits_for_a_person(flawed: Source) -> None:
    """What is missing may have named a container; who said goodbye needs no retiring."""
    assert not may_be_retired(flawed, {}, RULES, NOW)


def test_a_line_set_aside_waits_for_a_person() -> None:
    """With or without its place in the sequence."""
    for sequence in (None, 2, 1):
        flawed = source(started(1))
        flawed.miss(sequence, NOW)
        assert not may_be_retired(flawed, {}, RULES, NOW)


def test_who_was_retired_once_is_never_retired_by_proof_again() -> None:
    """Had it not come back to life, there would be no need to."""
    assert not may_be_retired(source(started(1)), {"w": LONG_AGO - 999}, RULES, NOW)


def test_a_person_answers_for_the_unreadable_lines_that_there_are() -> None:
    """One that comes later holds everything again: nobody has looked at it."""
    ledger = Ledger()
    ledger.fold([SetAside(1, "torn", at=NOW - 100)])
    assert has_gone(ledger.sources[NOBODY], {NOBODY: NOW - 50}, RULES)
    assert watermark(ledger, "default", {NOBODY: NOW - 50}, RULES, NOW).through == inf
    ledger.fold([SetAside(2, "torn", at=NOW)])
    assert not has_gone(ledger.sources[NOBODY], {NOBODY: NOW - 50}, RULES)
    assert watermark(ledger, "default", {NOBODY: NOW - 50}, RULES, NOW).through == -inf


def test_one_event_is_a_record_too() -> None:
    """A process that died right after its first word has told all that it did."""
    assert may_be_retired(source(started(1)), {}, RULES, NOW)


def test_of_two_clocks_the_slower_dates_its_last_word() -> None:
    """It may have spoken as late as that, and silence must last from then."""
    last = NOW - RULES.writer_timeout
    fast, slow = beat(1, last, clock_offset=500.0), beat(2, last - 9, clock_offset=0.0)
    assert not may_be_retired(source(fast, slow), {}, RULES, NOW)
    assert may_be_retired(source(fast, slow), {}, RULES, NOW + 0.5)
