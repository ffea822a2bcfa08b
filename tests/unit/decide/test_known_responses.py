"""Responses known by their id, once the daemon has read them at the API."""

from itertools import permutations
from math import inf
from random import Random

import pytest
from tests.unit.decide.builders import (
    AUTO,
    COMPLETE,
    PERSON,
    READER,
    RULES,
    T,
    Writer,
    decision_of,
    facts,
    ledger_of,
    sighting,
    verdict_of,
)

from demurrage.decide.ledger import NOBODY, Ledger
from demurrage.decide.response import Claim
from demurrage.model.condition import ConditionKind
from demurrage.model.event import Ending, Finished, SetAside, Slot
from demurrage.model.facts import BreakKind
from demurrage.model.verdict import VerdictKind


def _readings(told: str = "resp_b", heard: float = 11) -> tuple[Writer, Writer]:
    """An application that gives an id and beats, and the daemon's own hand."""
    app = Writer()
    app.knows(told, heard)
    app.beats(390)
    return app, Writer(READER)


def test_a_response_that_was_read_to_its_end_can_be_the_maker() -> None:
    """Its slots explain the container, and its end says that nobody will name it."""
    app, reader = _readings()
    reader.reads("b", 30)
    decision = decision_of(app, reader, rows=[sighting(born=12)])
    verdict = decision.verdicts["cntr_1"]
    assert verdict.kind is VerdictKind.ORPHAN
    assert decision.attribution.makers["cntr_1"] == "resp_b"


def test_a_response_that_names_it_keeps_it() -> None:
    """What the API itself says of a container counts as any application's word does."""
    app, reader = _readings()
    reader.reads("b", 30, "cntr_1")
    assert verdict_of(sighting(born=12), app, reader).kind is VerdictKind.REFERENCED


def test_what_its_input_bears_is_kept() -> None:
    """A response may refer to a container through its input alone."""
    app, reader = _readings()
    reader.reads("b", 30, containers=frozenset({"cntr_1"}))
    assert verdict_of(sighting(born=-100), app, reader).kind is VerdictKind.REFERENCED


def test_one_that_still_runs_blocks_what_it_may_have_made() -> None:
    """Having been read once is no end; and it makes nothing before it was created."""
    app, reader = _readings()
    reader.reads("b", 30, status=None, background=True)
    inside, before = sighting("cntr_in", born=12), sighting("cntr_before", born=-100)
    assert verdict_of(inside, app, reader).kind is VerdictKind.PENDING
    other = Writer("app-2")
    other.starts("a", -102)
    other.ends("a", -90)
    other.beats(390)
    assert verdict_of(before, app, other, reader).kind is VerdictKind.ORPHAN


def test_the_daemons_own_reading_holds_no_watermark_and_breaks_no_coverage() -> None:
    """It has no sequence and no heartbeat; a restart leaves nothing to wait for."""
    app, reader = _readings()
    reader.reads("b", 30)
    decision = decision_of(app, reader, rows=[sighting(born=12)])
    assert decision.watermark.through == T + 390
    assert not decision.breaks
    assert {holder.source for holder in decision.watermark.holders} == {app.name}


def test_its_own_reading_advances_no_watermark_either() -> None:
    """An application that is silent goes on holding it."""
    app, reader = Writer(), Writer(READER)
    app.knows("resp_b", 11)
    reader.reads("b", 380)
    assert verdict_of(sighting(born=12), app, reader).kind is VerdictKind.PENDING


def _logged_and_read(*, end: bool = True) -> tuple[Writer, Writer]:
    app, reader = Writer(), Writer(READER)
    app.starts("b", 10, AUTO)
    app.created("b", 11, created_at=10)
    app.knows("resp_b", 31)
    if end:
        app.ends("b", 30)
    app.beats(390, *(() if end else ("b",)))
    reader.reads("b", 40)
    return app, reader


def test_one_that_its_application_logs_too_is_one_maker_not_two() -> None:
    """Two containers and one slot: somebody else made one of them."""
    app, reader = _logged_and_read()
    first, second = sighting("cntr_1", born=12), sighting("cntr_2", born=13)
    decision = decision_of(app, reader, rows=[first, second])
    assert {each.kind for each in decision.verdicts.values()} == {VerdictKind.UNPROVEN}
    assert ConditionKind.UNLOGGED_MAKERS in {each.kind for each in decision.conditions}


def test_the_order_of_log_lines_does_not_matter() -> None:
    """Whoever of the two was read first, the same is known in the end."""
    app, reader = _logged_and_read(end=False)
    rows = [sighting("cntr_1", born=12), sighting("cntr_2", born=13)]
    records = [*app.records, *reader.records]
    orders = list(permutations(range(len(records))))
    expected = decision_of(app, reader, rows=rows)
    for order in Random(1).sample(orders, 300):
        ledger = Ledger()
        ledger.fold(records[place] for place in order)
        found = decision_of(ledger, rows=rows)
        assert found.verdicts == expected.verdicts, order
        assert found.attribution.matching == expected.attribution.matching, order


def test_the_daemons_reading_ends_a_call_that_its_application_left_open() -> None:
    """A killed application's background response ends all the same."""
    app, reader = _logged_and_read(end=False)
    assert verdict_of(sighting(born=12), app, reader).kind is VerdictKind.ORPHAN
    app, _ = _logged_and_read(end=False)
    assert verdict_of(sighting(born=12), app).kind is VerdictKind.PENDING


def test_a_reading_keeps_what_the_applications_end_left_out() -> None:
    """Names add up, whoever told them."""
    app, reader = _logged_and_read()
    more = Writer(READER)
    more.reads("b", 50, "cntr_1", status=Ending.INCOMPLETE)
    assert verdict_of(sighting(born=12), app, reader).kind is VerdictKind.ORPHAN
    assert verdict_of(sighting(born=12), app, more).kind is VerdictKind.REFERENCED


def test_a_reading_does_not_narrow_what_the_application_says() -> None:
    """Slots, start and a later end stay the application's: here its slot fits, the other not."""
    app, reader = Writer(), Writer(READER)
    app.starts("b", 10, Slot(tier="4g"), background=True)
    app.created("b", 11, created_at=10)
    app.ends("b", 300)
    app.knows("resp_b", 301)
    app.beats(390)
    reader.reads("b", 40, slots=(Slot(tier="1g"),), created_at=38)
    row = sighting(born=200, tier="4g")
    assert verdict_of(row, app, reader).kind is VerdictKind.ORPHAN
    assert verdict_of(sighting(born=39), app, reader).kind is VerdictKind.UNPROVEN


@pytest.mark.parametrize("before", [True, False])
def test_a_person_settles_one_that_cannot_be_read_any_more(before: bool) -> None:  # noqa: FBT001
    """It was seen running and then was gone; the person's word on its id ends it."""
    app, reader = _readings()
    reader.reads("b", 30, status=None, background=True)
    person = Writer(PERSON)
    person.say(60, Finished("resp_b", Ending.COMPLETED, "resp_b"))
    told = (person, app, reader) if before else (app, reader, person)
    assert verdict_of(sighting(born=12), app, reader).kind is VerdictKind.PENDING
    assert verdict_of(sighting(born=12), *told).kind is VerdictKind.ORPHAN


def _late(heard: float) -> list[BreakKind]:
    """What breaks coverage if an id was heard only then, while decisions went on."""
    app, reader = Writer(), Writer(READER)
    ledger = ledger_of(app)
    app.knows("resp_b", heard)
    claims = {app.target: Claim(T + heard, T + heard - 30)}
    ledger.fold(app.records, claims)
    reader.reads("b", heard + 200)
    ledger.fold(reader.records, {app.target: Claim(T + heard + 200, T + heard + 170)})
    app.records.clear()
    app.beats(390)
    ledger.fold(app.records, claims)
    found = decision_of(ledger, rows=[sighting(born=12)], known=COMPLETE, rules=RULES)
    return [each.kind for each in found.breaks]


def test_an_id_that_comes_long_after_the_response_began_breaks_coverage() -> None:
    """Until then its container could have been taken for another's: its start came late."""
    assert _late(heard=200) == [BreakKind.LATE_START]


def test_how_long_the_reading_took_breaks_nothing() -> None:
    """From the moment the id was heard the response blocked whatever it may have made."""
    assert _late(heard=15) == []


def test_what_is_unsettled_is_what_the_daemon_has_to_read() -> None:
    """Ids of which no end is known, whoever gave them; read to the end, they are done with."""
    app, reader = _readings()
    app.starts("c", 10)
    app.created("c", 11)
    app.knows("resp_c", 12)
    app.starts("d", 10)
    app.ends("d", 11)
    app.knows("resp_d", 12)
    ledger = ledger_of(app)
    book = ledger.book(app.target)
    assert [each for each, _ in book.unsettled()] == ["resp_b", "resp_c"]
    assert not book.logged("resp_b")
    assert book.logged("resp_c")
    reader.reads("b", 30, status=None)
    ledger.fold(reader.records)
    assert [each for each, _ in book.unsettled()] == ["resp_b", "resp_c"]
    assert book.begun("resp_b")
    reader.reads("b", 40)
    ledger.fold(reader.records[-1:])
    assert [each for each, _ in book.unsettled()] == ["resp_c"]


def test_a_known_id_is_forgotten_with_its_response() -> None:
    """Else a restart would look for it again, when the API has long forgotten it."""
    app, reader = _readings()
    reader.reads("b", 30)
    ledger = ledger_of(app, reader)
    ledger.forget(app.target, T + 1000, frozenset(), 30.0, oldest=inf)
    book = ledger.book(app.target)
    assert not book.known
    assert not book.responses
    assert not book.unsettled()
    assert not book.positions


def test_a_lost_line_of_the_daemons_own_holds_everything() -> None:
    """It may have named the container; a person has to say that it did not matter."""
    app, reader = _readings()
    reader.reads("b", 30)
    damaged = SetAside(99, "the stored event is damaged", READER, at=T + 50.0)
    row = sighting(born=12)
    assert verdict_of(row, app, reader, [damaged]).kind is VerdictKind.PENDING
    retired = facts(retired={NOBODY: T + 100.0})
    settled = verdict_of(row, app, reader, [damaged], known=retired)
    assert settled.kind is VerdictKind.ORPHAN


def test_a_reading_of_one_that_runs_ends_nothing() -> None:
    """The application's open call stays open."""
    app, _ = _logged_and_read(end=False)
    running = Writer(READER)
    running.reads("b", 40, status=None)
    assert verdict_of(sighting(born=12), app, running).kind is VerdictKind.PENDING


def test_a_reading_of_another_response_ends_nothing() -> None:
    """An end is one response's."""
    app, _ = _logged_and_read(end=False)
    other = Writer(READER)
    other.reads("c", 40)
    assert verdict_of(sighting(born=12), app, other).kind is VerdictKind.PENDING


def test_a_reading_does_not_end_a_call_that_two_starts_claim() -> None:
    """It is one of the two; of the other nothing is known."""
    app, reader = _logged_and_read(end=False)
    twin = Writer("app-2")
    twin.starts("b", 11)
    twin.beats(390, "b")
    assert verdict_of(sighting(born=12), app, twin, reader).kind is VerdictKind.PENDING
