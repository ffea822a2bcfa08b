"""P2: the log must be known to be complete past the birth; time alone proves nothing."""

from dataclasses import replace
from math import inf

import pytest
from tests.unit.decide.builders import (
    PERSON,
    RULES,
    T,
    Writer,
    decision_of,
    facts,
    ledger_of,
    sighting,
    verdict_of,
)

from demurrage.model.condition import ConditionKind
from demurrage.model.event import Entry, SetAside, Started
from demurrage.model.floor import Floor
from demurrage.model.verdict import Code, VerdictKind


def finished(writer: Writer, call: str = "a", at: float = 10) -> None:
    """A turn that makes a container and names none."""
    writer.starts(call, at)
    writer.ends(call, at + 20)


def waits_for_log(*sources: Writer | list[SetAside | Entry], **more: object) -> bool:
    """True when the container is pending because the log is not complete."""
    verdict = verdict_of(sighting(), *sources, **more)  # type: ignore[arg-type]  # passed through
    assert (verdict.kind is VerdictKind.PENDING) == (verdict.due_at is None)
    return verdict.codes == (Code.LOG_NOT_COMPLETE,)


def test_without_a_heartbeat_nothing_is_proven_however_late_it_is() -> None:
    """Time alone never turns unknown into none."""
    app = Writer()
    finished(app)
    assert waits_for_log(app, now=60)
    assert verdict_of(sighting(), app, now=1_000_000).due_at is None


def test_a_heartbeat_past_the_birth_completes_the_log() -> None:
    """The promise must reach past the second of birth and the skew of a start beside it."""
    for through, complete in ((12, False), (17, False), (19, True)):
        app = Writer()
        finished(app)
        app.beats(390, complete_through=T + through)
        assert waits_for_log(app) is not complete, through


def test_every_writer_is_waited_for() -> None:
    """One writer between two heartbeats holds what the others have completed."""
    app, other = Writer(), Writer("app-2")
    finished(app)
    app.beats(390)
    other.beats(11)
    assert waits_for_log(app, other)
    other.beats(390)
    assert not waits_for_log(app, other)


def test_a_writer_of_another_target_is_not_waited_for() -> None:
    """A writer counts for the targets that it has mentioned."""
    app, elsewhere = Writer(), Writer("app-2", target="other")
    finished(app)
    app.beats(390)
    elsewhere.beats(11)
    assert not waits_for_log(app, elsewhere)


def test_a_writer_with_a_hole_is_waited_for_by_every_target() -> None:
    """What is missing may be about any target."""
    app, elsewhere = Writer(), Writer("app-2", target="other")
    finished(app)
    app.beats(390)
    elsewhere.beats(5)
    elsewhere.loses(elsewhere.starts("b", 11))
    elsewhere.beats(390)
    assert waits_for_log(app, elsewhere)


def test_a_person_is_never_waited_for() -> None:
    """The daemon's own hand writes no heartbeats."""
    app, person = Writer(), Writer(PERSON)
    finished(app)
    app.beats(390)
    person.releases("cntr_9", 5)
    assert not waits_for_log(app, person)


def test_a_gap_holds_the_watermark_and_heals() -> None:
    """A missing sequence holds at the last kept promise until it arrives, however late."""
    app = Writer()
    finished(app)
    app.beats(11)
    lost = app.starts("b", 40)
    app.beats(390)
    app.loses(lost)
    assert waits_for_log(app)
    decision = decision_of(app, rows=[sighting()])
    (reason,) = decision.verdicts["cntr_1"].reasons
    assert reason.about == "app-1"
    assert f"app-1: sequence {lost.event.sequence}" in reason.text
    assert ConditionKind.SEQUENCE_GAP in {each.kind for each in decision.conditions}
    app.records.append(lost)
    assert not waits_for_log(app)


def test_a_lost_end_of_the_log_is_a_gap_too() -> None:
    """A heartbeat counts what it promises: events after the last one held are missed."""
    app = Writer()
    finished(app)
    app.beats(390, last_sequence=app.sequence + 2)
    app.loses(app.starts("b", 391))
    assert waits_for_log(app)


def test_a_silent_writer_holds_at_its_last_heartbeat() -> None:
    """Silence is no goodbye, and is reported after the timeout."""
    app = Writer()
    finished(app)
    app.beats(11)
    assert waits_for_log(app, now=10_000)
    decision = decision_of(app, rows=[sighting()], now=10_000)
    assert ConditionKind.SILENT_WRITER in {each.kind for each in decision.conditions}


def test_a_goodbye_frees_the_watermark() -> None:
    """A final heartbeat with everything held ends the wait for its writer."""
    app = Writer()
    finished(app)
    app.beats(11, final=True)
    assert not waits_for_log(app)
    assert decision_of(app, rows=[sighting()]).watermark.through == inf


def test_a_goodbye_with_a_gap_frees_nothing() -> None:
    """What the process wrote before it left is still missing."""
    app = Writer()
    finished(app)
    app.loses(app.starts("b", 11))
    app.beats(12, final=True)
    assert waits_for_log(app)


def test_a_retired_writer_is_not_waited_for() -> None:
    """A person, or proof of death, ends the wait; a gap does not matter any more."""
    app = Writer()
    finished(app)
    app.beats(11)
    app.loses(app.starts("b", 12))
    app.beats(31)
    assert waits_for_log(app)
    assert not waits_for_log(app, known=facts(retired={"app-1": T + 100.0}))


def test_a_heartbeat_whose_in_flight_call_is_unknown_promises_nothing() -> None:
    """A call in flight whose start is not held contradicts the promise."""
    app = Writer()
    finished(app)
    app.beats(390, "b")
    assert waits_for_log(app)


def test_a_heartbeat_after_dropped_events_promises_nothing() -> None:
    """A writer that lost events for good holds from then on."""
    app = Writer()
    finished(app)
    app.beats(390, dropped=1)
    assert waits_for_log(app)
    decision = decision_of(app, rows=[sighting()])
    assert ConditionKind.EVENTS_DROPPED in {each.kind for each in decision.conditions}


def test_one_id_with_two_contents_is_a_conflict() -> None:
    """A writer that contradicts itself proves nothing, in either order."""
    app = Writer()
    entry = app.starts("a", 10)
    app.ends("a", 30)
    app.beats(390)
    twin = Entry(99, replace(entry.event, digest="other"))
    assert waits_for_log(app, [twin])
    assert waits_for_log([twin], app)
    decision = decision_of(app, [twin], rows=[sighting()])
    assert ConditionKind.EVENT_CONFLICT in {each.kind for each in decision.conditions}


def test_one_id_with_two_contents_at_two_places_is_a_conflict() -> None:
    """The sequence is sound, and still one of the two is not what was said."""
    app = Writer()
    finished(app)
    app.beats(390)
    assert not waits_for_log(app)
    app.say(391, Started("b"), id="app-1/1")
    assert waits_for_log(app)


def test_one_sequence_with_two_events_is_a_conflict() -> None:
    """Two processes under one name (a fork) collide, and prove nothing from there on."""
    app = Writer()
    entry = app.starts("a", 10)
    app.ends("a", 30)
    app.beats(390)
    twin = Entry(99, replace(entry.event, id="fork/1", fact=Started("b")))
    assert waits_for_log(app, [twin])
    assert waits_for_log([twin], app)


def test_a_conflict_leaves_what_came_before_it() -> None:
    """The promise that was kept before the contradiction stands."""
    app = Writer()
    finished(app)
    app.beats(100)
    entry = app.starts("b", 200)
    app.ends("b", 210)
    app.beats(390)
    twin = Entry(99, replace(entry.event, id="fork/4"))
    assert not waits_for_log(app, [twin])


def test_an_exact_repeat_is_no_conflict() -> None:
    """Logs deliver twice; that contradicts nothing."""
    app = Writer()
    finished(app)
    app.beats(390)
    assert not waits_for_log(app, app.records)


def test_a_line_set_aside_holds_its_writer() -> None:
    """Its sequence stays missing until it is sent again, readable."""
    app = Writer()
    finished(app)
    entry = app.starts("b", 11)
    app.loses(entry)
    app.beats(390)
    aside: list[SetAside | Entry] = [SetAside(3, "not JSON", "app-1")]
    assert waits_for_log(app, aside)
    app.records.append(entry)
    assert not waits_for_log(app, aside)


def test_a_line_of_an_unknown_writer_set_aside_holds_everyone() -> None:
    """Until a person retires the name that stands for it."""
    app = Writer()
    finished(app)
    app.beats(390)
    aside: list[SetAside | Entry] = [SetAside(9, "not JSON", at=T + 390.0)]
    assert waits_for_log(app, aside)
    assert not waits_for_log(app, aside, known=facts(retired={"?": T + 395.0}))


def test_a_line_of_a_writer_never_heard_of_holds_everyone() -> None:
    """All that is known of that writer is that something of it cannot be read."""
    app = Writer()
    finished(app)
    app.beats(390)
    assert waits_for_log(app, [SetAside(9, "not JSON", "app-7")])


def test_events_may_be_under_way_for_a_while_after_the_birth() -> None:
    """`max_event_delay` must have passed since the birth, whatever heartbeats say."""
    app = Writer()
    finished(app)
    app.beats(42)
    early, late = (verdict_of(sighting(), app, now=now) for now in (42.9, 43))
    assert early.codes == (Code.EVENTS_MAY_BE_LATE,)
    assert late.kind is VerdictKind.ORPHAN


def test_events_may_be_under_way_for_a_while_after_reading_began() -> None:
    """After an outage of the log, starts may have been waiting to be delivered."""
    app = Writer()
    finished(app)
    app.beats(390)
    early, late = (verdict_of(sighting(), app, read_since=since) for since in (371, 370))
    assert early.codes == (Code.EVENTS_MAY_BE_LATE,)
    assert late.kind is VerdictKind.ORPHAN


def test_what_was_born_before_a_restore_is_answered_for_stays_pending() -> None:
    """Starts may be missing; what they led to may show late even after a person's answer."""
    app = Writer()
    finished(app)
    app.beats(390)
    rules = replace(RULES, evidence=replace(RULES.evidence, max_birth_delay=7, max_event_delay=3))
    before, after = (
        verdict_of(sighting(), app, known=facts(distrust_before=T + at), rules=rules)
        for at in (2.5, 2.0)
    )
    assert before.kind is VerdictKind.PENDING
    assert before.codes == (Code.BORN_BEFORE_RESTORE,)
    assert after.kind is VerdictKind.ORPHAN


def test_a_fast_clock_completes_less() -> None:
    """A promise by a clock that is ahead reaches less far in provider time."""
    for offset, complete in ((0.0, True), (29.0, False)):
        app = Writer(reports=offset)
        finished(app)
        app.beats(390, complete_through=T + 30)
        assert waits_for_log(app) is not complete


def test_a_clock_that_was_never_reported_may_be_ahead() -> None:
    """Until it reports, a clock is taken to be off by up to `max_event_delay`."""
    app = Writer()
    finished(app)
    app.beats(40, clock_offset=None)
    assert waits_for_log(app, now=55)
    app.beats(41, clock_offset=0.0)
    assert not waits_for_log(app, now=55)


def test_what_retention_dropped_was_held() -> None:
    """A floor stands for the events up to it; nothing below it is a gap."""
    app = Writer()
    finished(app)
    finished(app, "b", 200)
    app.beats(390)
    kept = app.records[2:]
    ledger = ledger_of(kept)
    assert ledger.sources["app-1"].gap is not None
    ledger.start_from({"app-1": Floor(2, 99)})
    assert ledger.sources["app-1"].gap is not None  # islands wait for the next event
    fresh = ledger_of()
    fresh.start_from({"app-1": Floor(2, 2)})
    fresh.fold(kept)
    assert fresh.sources["app-1"].gap is None


@pytest.mark.parametrize("number", range(3))
def test_any_one_event_lost_before_a_promise_breaks_it(number: int) -> None:
    """Whichever event is missing, the promise that counts it is not kept."""
    app = Writer()
    app.starts("a", 10)
    app.created("a", 11)
    app.ends("a", 20)
    app.beats(390)
    app.records.pop(number)
    assert verdict_of(sighting(), app).kind is VerdictKind.PENDING
