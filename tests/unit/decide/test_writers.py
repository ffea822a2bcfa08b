"""Writers that leave, die, come back, lie or change their clocks."""

from tests.unit.decide.builders import (
    T,
    Writer,
    auto,
    decision_of,
    facts,
    ledger_of,
    sighting,
    verdict_of,
)

from demurrage.decide.watermark import complete_through
from demurrage.model.condition import ConditionKind
from demurrage.model.event import SetAside
from demurrage.model.floor import Floor
from demurrage.model.rules import EvidenceRules
from demurrage.model.verdict import Code, VerdictKind


def turn(writer: Writer, call: str = "a", at: float = 10) -> None:
    """A finished turn that names nothing."""
    writer.starts(call, at)
    writer.ends(call, at + 20)


def test_a_writer_that_speaks_after_its_goodbye_has_not_left() -> None:
    """A forked or reused source is waited for again."""
    app = Writer()
    turn(app)
    app.beats(39)
    app.beats(40, final=True)
    assert verdict_of(sighting(born=60), app).kind is VerdictKind.UNPROVEN
    app.starts("b", 200)
    assert verdict_of(sighting(born=60), app).codes == (Code.LOG_NOT_COMPLETE,)


def test_what_writers_admit_to_have_lost_is_summed_by_target() -> None:
    """Of every writer of the target the latest word, and of no other's."""
    some, more, strange = Writer(), Writer("app-2"), Writer("app-3", target="other")
    for writer in (some, more, strange):
        turn(writer)
    some.beats(40, dropped=2)
    some.beats(50, dropped=3)
    more.beats(40, dropped=4)
    strange.beats(40, dropped=8)
    ledger = ledger_of(some, more, strange)
    assert ledger.dropped("default") == 7
    assert ledger.dropped("other") == 8
    assert ledger.dropped("none") == 0


def test_a_goodbye_in_a_dead_ones_name_does_not_tell_its_clock() -> None:
    """Whoever took it over has a clock of its own, which its birth windows know nothing of."""
    dead = Writer(offset=-12.0)
    dead.reports = None
    dead.starts("a", 150)
    dead.puts_out("a", 203)
    dead.offset = dead.reports = 24.0  # its successor's
    dead.beats(240, "a", final=True)
    other = Writer("app-2")
    turn(other, "b", 170)
    other.beats(390)
    row = sighting(born=180)
    assert verdict_of(row, dead, other).codes == (Code.RESPONSE_END_UNKNOWN,)


def test_a_goodbye_that_tells_no_offset_may_be_by_another_clock() -> None:
    """The last byte of a call left before its process died, and by then the goodbye was not said.

    By a clock that is half a minute slow it was said before that.
    """
    dead = Writer()
    dead.beats(5)
    dead.starts("a", 10, direct=True)
    dead.offset, dead.reports = -29.0, None
    dead.beats(40, "a", final=True)
    other = Writer("app-2")
    turn(other, "b", 80)
    other.beats(390)
    row = sighting(born=95)
    assert verdict_of(row, dead, other).codes == (Code.RESPONSE_END_UNKNOWN,)


def test_a_line_set_aside_after_the_goodbye_takes_it_back() -> None:
    """Whatever it said there, it said something."""
    app = Writer()
    turn(app)
    app.beats(40, final=True)
    row = sighting(born=60)
    assert decision_of(app, rows=[row]).watermark.holder is None
    aside = [SetAside(9, "not JSON", "app-1", app.sequence + 1)]
    assert verdict_of(row, app, aside).codes == (Code.LOG_NOT_COMPLETE,)


def test_a_line_set_aside_at_the_end_of_the_log_is_a_gap_at_once() -> None:
    """Where its sequence can be read nobody waits for the next heartbeat to miss it."""
    app = Writer()
    turn(app)
    app.beats(390)
    aside = [SetAside(9, "not JSON", "app-1", app.sequence + 1)]
    decision = decision_of(app, aside, rows=[sighting()])
    assert ConditionKind.SEQUENCE_GAP in {each.kind for each in decision.conditions}


def test_a_retired_writer_that_speaks_again_is_waited_for() -> None:
    """The word that it would not return was wrong."""
    app, ghost = Writer(), Writer("ghost")
    turn(app, at=290)
    app.beats(390)
    ghost.starts("x", 5, auto("4g"))
    ghost.ends("x", 8)
    ghost.beats(9)
    row = sighting(born=292)
    known = facts(retired={"ghost": T + 100.0})
    assert verdict_of(row, app, ghost, known=known).kind is VerdictKind.ORPHAN
    ghost.starts("y", 200, auto("4g"))
    assert verdict_of(row, app, ghost, known=known).codes == (Code.LOG_NOT_COMPLETE,)


def test_a_retired_writer_that_speaks_again_may_still_be_sending() -> None:
    """It was not dead, so its death bounds no request of its."""
    app, ghost = Writer(), Writer("ghost")
    turn(app, at=290)
    app.beats(390)
    ghost.starts("x", 5, direct=True)
    ghost.beats(6, "x")
    known = facts(retired={"ghost": T + 100.0})
    row = sighting(born=292)
    assert verdict_of(row, app, ghost, known=known).kind is VerdictKind.ORPHAN
    ghost.beats(390, "x")
    assert verdict_of(row, app, ghost, known=known).codes == (Code.RESPONSE_RUNNING,)


def test_a_writers_first_event_bounds_it_only_where_it_is_the_first() -> None:
    """After retention took the beginning, what is held may follow a hole."""
    app = Writer()
    turn(app)
    app.loses(app.starts("b", 40))
    app.ends("c", 200)
    fresh = ledger_of()
    fresh.start_from({"app-1": Floor(2, 2)})
    fresh.fold(app.records[2:])
    assert complete_through(fresh.sources["app-1"], EvidenceRules()) < T + 40


def test_needless_heartbeats_are_spared_and_change_nothing() -> None:
    """A further-reaching promise makes the earlier ones needless."""
    app = Writer()
    turn(app)
    for at in (40, 50, 60):
        app.beats(at)
    ledger = ledger_of(app)
    before = decision_of(ledger, rows=[sighting()])
    positions = ledger.held_positions()
    kept = [each for each in app.records if each.position in positions]
    assert len(kept) < len(app.records)
    reread = ledger_of()
    reread.start_from({"app-1": Floor(app.sequence, app.sequence)})
    reread.fold(kept)
    assert decision_of(ledger, rows=[sighting()]) == before
    assert decision_of(reread, rows=[sighting()]).verdicts == before.verdicts


def test_heartbeats_that_tell_a_clocks_span_are_not_spared() -> None:
    """Starts that were stamped by the old offset are still judged by it."""
    app = Writer()
    app.offset = 20.0
    app.starts("b", 10)
    app.offset = 0.0
    app.beats(11, "b", clock_offset=20.0)
    for at in (30, 40, 390):
        app.beats(at, "b", clock_offset=0.0)
    ledger = ledger_of(app)
    assert verdict_of(sighting(), ledger).kind is VerdictKind.PENDING
    positions = ledger.held_positions()
    reread = ledger_of()
    reread.start_from({"app-1": Floor(app.sequence, app.sequence)})
    reread.fold(each for each in app.records if each.position in positions)
    assert reread.sources["app-1"].offsets(30.0) == (0.0, 20.0)
    assert verdict_of(sighting(), reread).kind is VerdictKind.PENDING


def test_a_heartbeat_that_waits_for_a_late_start_is_not_spared() -> None:
    """It reaches further than the best that is kept now."""
    app = Writer()
    app.beats(5)
    app.beats(50, "b", clock_offset=None)
    ledger = ledger_of(app)
    assert len(ledger.held_positions()) == 2


def test_a_writer_known_only_by_what_retention_dropped_is_waited_for() -> None:
    """It never said goodbye, so reading the log anew must not let it go."""
    app = Writer()
    turn(app)
    app.beats(390)
    ledger = ledger_of(app)
    assert verdict_of(sighting(), ledger).kind is VerdictKind.ORPHAN
    ledger.start_from({"silent": Floor(7, 0)})
    assert verdict_of(sighting(), ledger).codes == (Code.LOG_NOT_COMPLETE,)
    known = facts(retired={"silent": T + 5.0})
    assert verdict_of(sighting(), ledger, known=known).kind is VerdictKind.ORPHAN
