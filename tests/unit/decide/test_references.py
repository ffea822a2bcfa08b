"""P1: nothing names an orphan, and it was never used."""

import pytest
from tests.unit.decide.builders import PERSON, Writer, auto, sighting, verdict_of

from demurrage.model.event import Ending, Slot
from demurrage.model.verdict import Code, VerdictKind


def idle_turn(writer: Writer, call: str = "a", at: float = 10) -> None:
    """A turn that makes a container and names none."""
    writer.starts(call, at)
    writer.ends(call, at + 20)


def test_unnamed_container_of_a_finished_response_is_an_orphan() -> None:
    """The base case: everything proven, so it is due just before the billing floor ends."""
    app = Writer()
    idle_turn(app)
    app.beats(390)
    verdict = verdict_of(sighting(), app)
    assert verdict.kind is VerdictKind.ORPHAN
    assert verdict.codes == (Code.NO_REFERENCE, Code.CANDIDATES_DONE, Code.COUNT_FITS)
    assert verdict.maker == "a"
    assert verdict.due_at == verdict.proven_at


@pytest.mark.parametrize("where", ["created", "output", "finished"])
def test_a_name_anywhere_in_the_answer_is_a_reference(where: str) -> None:
    """The opening, the first output and the end of an answer can each name it."""
    app = Writer()
    app.starts("a", 10)
    app.created("a", 11, *(["cntr_1"] if where == "created" else []))
    app.puts_out("a", 20, *(["cntr_1"] if where == "output" else []))
    app.ends("a", 30, *(["cntr_1"] if where == "finished" else []))
    app.beats(390)
    verdict = verdict_of(sighting(), app)
    assert verdict.kind is VerdictKind.REFERENCED
    assert verdict.codes == (Code.NAMED_BY_RESPONSE,)


def test_a_name_in_the_request_is_a_reference() -> None:
    """Replayed items and a tool's own container count, whatever became of the request."""
    for more in ({"containers": ["cntr_1"]}, {}):
        app = Writer()
        idle_turn(app)
        app.starts("b", 40, auto() if more else Slot(container="cntr_1"), **more)
        app.ends("b", 41, status=Ending.REFUSED)
        app.beats(390)
        assert verdict_of(sighting(), app).kind is VerdictKind.REFERENCED


def test_a_lost_answer_that_named_it_is_a_reference() -> None:
    """What arrived before the connection broke counts."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30, "cntr_1", status=Ending.LOST)
    app.beats(390)
    assert verdict_of(sighting(), app).kind is VerdictKind.REFERENCED


def test_a_reference_of_another_writer_counts() -> None:
    """Whoever names it holds it."""
    app, other = Writer(), Writer("app-2")
    idle_turn(app)
    other.starts("b", 200, containers=["cntr_1"])
    for each in (app, other):
        each.beats(390)
    assert verdict_of(sighting(), app, other).kind is VerdictKind.REFERENCED


def test_a_reference_from_a_writer_with_a_gap_counts() -> None:
    """A name is a name, however incomplete the record around it."""
    app = Writer()
    app.loses(app.starts("a", 10))
    app.ends("a", 30, "cntr_1")
    assert verdict_of(sighting(), app).kind is VerdictKind.REFERENCED


@pytest.mark.parametrize("name", ["app-1", PERSON])
def test_a_pin_holds_a_container_that_no_response_names(name: str) -> None:
    """An application or a person can pin what is not yet used."""
    app, pinner = Writer(), Writer(name)
    idle_turn(app)
    app.beats(390)
    pinner.sequence = app.sequence
    pinner.pins("cntr_1", 391)
    assert verdict_of(sighting(), app, pinner).codes == (Code.PINNED,)


def test_activity_after_birth_is_use() -> None:
    """Beyond the tolerance the container itself says that it was used."""
    app = Writer()
    idle_turn(app)
    app.beats(390)
    at_the_bound = verdict_of(sighting(active=14), app)
    beyond = verdict_of(sighting(active=15), app)
    assert at_the_bound.kind is VerdictKind.ORPHAN
    assert beyond.kind is VerdictKind.REFERENCED
    assert beyond.codes == (Code.ACTIVE_SINCE_BIRTH,)
    assert " 3 s " in beyond.reasons[0].text


def test_an_id_that_could_not_be_decoded_keeps_all_that_lived_then() -> None:
    """It may be any container born by then, and none born later."""
    app = Writer()
    idle_turn(app)
    idle_turn(app, "b", 100)
    entry = app.ends("c", 60)
    app.loses(entry)
    app.sequence -= 1
    app.say(60, entry.event.fact, undecodable=True)
    old, young = sighting(), sighting("cntr_2", 110)
    assert verdict_of(old, app).shadow is VerdictKind.PENDING
    app.beats(390)
    assert verdict_of(old, app, beside=[young]).codes == (Code.UNDECODABLE_REFERENCE,)
    assert verdict_of(young, app, beside=[old]).kind is VerdictKind.ORPHAN
    assert verdict_of(sighting(born=65), app).codes == (Code.UNDECODABLE_REFERENCE,)
    assert verdict_of(sighting(born=66), app).codes == (Code.FOREIGN,)


@pytest.mark.parametrize("how", ["bears", "names", "pins", "makes"])
def test_a_name_under_another_target_is_a_reference_too(how: str) -> None:
    """Ids are the provider's: who logs under another name uses the same container."""
    app, other = Writer(), Writer("app-2", target="other")
    idle_turn(app)
    if how == "bears":
        other.starts("b", 100, containers=["cntr_1"])
    elif how == "names":
        other.ends("b", 100, "cntr_1")
    elif how == "pins":
        other.pins("cntr_1", 100)
    else:
        other.makes("cntr_1", 10)
    for each in (app, other):
        each.beats(390)
    verdict = verdict_of(sighting(), app, other)
    assert (verdict.kind, verdict.codes) == (VerdictKind.REFERENCED, (Code.NAMED_BY_RESPONSE,))
    assert verdict.reasons[0].about == "other"


def test_a_release_does_not_let_go_what_is_named_under_another_target() -> None:
    """One of two users is done."""
    app, other = Writer(), Writer("app-2", target="other")
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30, "cntr_1")
    app.closes(100, "talk")
    other.starts("b", 100, containers=["cntr_1"])
    for each in (app, other):
        each.beats(390)
    assert verdict_of(sighting(active=25), app).kind is VerdictKind.RELEASED
    assert verdict_of(sighting(active=25), app, other).kind is VerdictKind.REFERENCED
