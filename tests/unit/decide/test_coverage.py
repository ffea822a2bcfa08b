"""P5: the operator's word, what breaks it, and what is done without proof."""

from dataclasses import replace

import pytest
from tests.unit.decide.builders import (
    PERSON,
    TARGET,
    T,
    Writer,
    decision_of,
    facts,
    ledger_of,
    policy,
    sighting,
    verdict_of,
)

from demurrage.decide.response import Claim
from demurrage.model.condition import ConditionKind, Severity
from demurrage.model.event import Ending, Event, Finished, SetAside, Unheard
from demurrage.model.facts import BreakKind, CoverageBreak, TargetFacts
from demurrage.model.verdict import Code, VerdictKind

PARTIAL = TargetFacts()


def turn() -> Writer:
    """A finished turn that fits a container born at 12."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    return app


def decide_for(target: str, *writers: Writer) -> tuple[CoverageBreak, ...]:
    """The breaches that a decision about another target finds."""
    return decision_of(*writers, target=target).breaks


def broken(*writers: Writer, **more: object) -> set[BreakKind]:
    """The kinds of breaches that a decision finds; each says of what it is, and why."""
    decision = decision_of(*writers, **more)  # type: ignore[arg-type]  # passed through
    for each in decision.breaks:
        assert each.target == TARGET
        assert each.about
        assert each.detail
    return {each.kind for each in decision.breaks}


def test_under_partial_coverage_nothing_is_provable() -> None:
    """The default keeps, and records what complete coverage would have said."""
    app = turn()
    app.beats(390)
    verdict = verdict_of(sighting(), app, known=PARTIAL)
    assert (verdict.kind, verdict.codes) == (VerdictKind.UNPROVEN, (Code.COVERAGE_PARTIAL,))
    assert (verdict.shadow, verdict.due_at) == (VerdictKind.ORPHAN, None)


def test_the_shadow_is_what_complete_coverage_would_have_said() -> None:
    """Pending and unproven have shadows too."""
    app = turn()
    pending = verdict_of(sighting(), app, known=PARTIAL)
    app.beats(390)
    foreign = verdict_of(sighting(born=100), app, known=PARTIAL)
    assert pending.shadow is VerdictKind.PENDING
    assert foreign.shadow is VerdictKind.UNPROVEN


def test_strangers_show_before_the_word_is_given() -> None:
    """Only then can an operator tell whether every maker logs."""
    app = turn()
    app.beats(390)
    for rows, code, kind in (
        ([sighting(born=100)], Code.FOREIGN, ConditionKind.FOREIGN_CONTAINERS),
        (
            [sighting("cntr_1"), sighting("cntr_2")],
            Code.SUSPECT,
            ConditionKind.UNLOGGED_MAKERS,
        ),
    ):
        decision = decision_of(app, rows=rows, known=PARTIAL)
        assert {each.codes for each in decision.verdicts.values()} == {
            (Code.COVERAGE_PARTIAL, code)
        }
        (told,) = decision.conditions
        assert (told.kind, told.severity) == (kind, Severity.NOTICE)


def test_the_word_counts_from_when_it_was_first_given() -> None:
    """What was born before may have an unlogged maker."""
    app = turn()
    app.beats(390)
    before, since = (facts(coverage_since=T + at) for at in (12.5, 12.0))
    assert verdict_of(sighting(), app, known=before).codes == (Code.BORN_BEFORE_COVERAGE,)
    assert verdict_of(sighting(), app, known=since).kind is VerdictKind.ORPHAN


def test_a_word_that_was_given_again_counts_from_then() -> None:
    """None was given where it was only confirmed: such a target is partial."""
    told = [facts(coverage_since=since, confirmed_at=at) for since, at in ((5.0, None), (5.0, 3.0))]
    assert [each.vouched_since for each in told] == [5.0, 5.0]
    assert facts(coverage_since=5.0, confirmed_at=9.0).vouched_since == 9.0
    assert facts(coverage_since=None, confirmed_at=9.0).vouched_since is None


def test_a_standing_breach_keeps_everything() -> None:
    """Until a person confirms, whatever is found anew."""
    app = turn()
    app.beats(390)
    breach = CoverageBreak(TARGET, BreakKind.LATE_START, "old", T + 1.0, "late")
    decision = decision_of(app, rows=[sighting()], known=facts(breaks=(breach,)))
    assert decision.breaks == (breach,)
    (reason,) = decision.verdicts["cntr_1"].reasons
    assert (reason.code, reason.about) == (Code.COVERAGE_BROKEN, "old")
    assert "old" in reason.text
    assert "late" in reason.text
    assert ConditionKind.COVERAGE_BROKEN in {each.kind for each in decision.conditions}


def test_a_source_without_sequence_breaks_it() -> None:
    """A lost event of it would not be noticed."""
    app, loose = turn(), Writer("loose")
    entry = loose.starts("b", 200)
    loose.records = [replace(entry, event=replace(entry.event, sequence=None))]
    app.beats(390)
    assert broken(app, loose) == {BreakKind.UNSEQUENCED_SOURCE, BreakKind.UNKNOWN_CLOCK}
    assert verdict_of(sighting(), app, loose).due_at is None


def test_whoever_needs_no_clock_hides_no_other_s() -> None:
    """Of a person, a writer of another target, one that begins nothing, and then one that does."""
    person, strange, idle, app = Writer(PERSON), Writer("b", target="c"), Writer("d"), Writer()
    person.pins("cntr_9", 5)
    strange.starts("x", 5)
    idle.pins("cntr_9", 5)
    app.starts("a", 10)
    assert broken(person, strange, idle, app) == {BreakKind.UNKNOWN_CLOCK}
    (found,) = decision_of(person, strange, idle, app).breaks
    assert found.about == "app-1"


def test_a_clock_that_is_never_reported_breaks_it() -> None:
    """After `writer_timeout`, if its writer has begun requests."""
    app = Writer()
    app.starts("a", 10)
    assert broken(app, now=70) == set()
    assert broken(app, now=71) == {BreakKind.UNKNOWN_CLOCK}
    app.beats(72)
    assert broken(app, now=80) == set()


@pytest.mark.parametrize(("created", "wrong"), [(15, False), (16, True)])
@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_clock_by_which_the_opening_came_before_the_api_had_it_is_wrong(
    status: str, created: int, *, wrong: bool
) -> None:
    """The first that is heard tells as much as the last."""
    app = Writer()
    app.starts("a", 10, background=True)
    app.created("a", 10, created_at=created, status=status)
    app.beats(390, "a")
    assert broken(app) == ({BreakKind.UNKNOWN_CLOCK} if wrong else set())


def test_an_answer_of_an_earlier_attempt_proves_no_clock_wrong() -> None:
    """A gateway may have kept it: by its `created_at` the server began before this request left."""
    app = Writer()
    app.starts("a", 100)
    app.ends("a", 101, created_at=10, completed_at=40)
    app.beats(390)
    assert broken(app) == set()


@pytest.mark.parametrize(("completed", "wrong"), [(25, False), (26, True)])
def test_a_clock_by_which_it_was_over_before_the_api_was_done_is_wrong(
    completed: int, *, wrong: bool
) -> None:
    """Unless two starts claim the call: then the end may be that of the other."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 20, created_at=10, completed_at=completed)
    app.beats(390)
    assert broken(app) == ({BreakKind.UNKNOWN_CLOCK} if wrong else set())
    other = Writer("app-2")
    other.starts("a", 11)
    other.beats(390)
    assert broken(app, other) == set()


def test_what_the_daemon_or_a_person_tells_proves_no_clock_wrong() -> None:
    """A person may end what still runs, by mistake."""
    app, person = Writer(), Writer(PERSON)
    app.starts("a", 10)
    app.created("a", 11, created_at=10)
    person.say(50, Finished("a", Ending.COMPLETED, "resp_a", completed_at=T + 100))
    app.beats(390)
    assert broken(app, person) == set()


def test_a_clock_that_is_wrong_at_another_target_is_wrong_here() -> None:
    """One process, one clock; what others tell there proves nothing of it."""
    for there, expected in (("app-1", {BreakKind.UNKNOWN_CLOCK}), ("app-2", set())):
        app, wrong = turn(), Writer(there, target="elsewhere")
        wrong.sequence = app.sequence if there == "app-1" else 0
        wrong.starts("b", 100)
        wrong.created("b", 101, created_at=150)
        wrong.puts_out("b", 110)
        app.sequence = wrong.sequence if there == "app-1" else app.sequence
        app.beats(390, "b")
        assert broken(app, wrong) == expected


def test_what_is_read_after_a_persons_word_breaks_it_though_it_is_dated_before() -> None:
    """Neither a late start nor a wrong clock could be known by then."""
    late, wrong = Writer("late"), Writer("wrong")
    late.starts("b", 10)
    wrong.starts("c", 10)
    wrong.created("c", 11, created_at=60)
    wrong.puts_out("c", 20)
    for each in (late, wrong):
        each.beats(390)
    for read_at, expected in ((499.0, set()), (500.0, {BreakKind.LATE_START})):
        ledger = ledger_of()
        ledger.fold(late.records, {TARGET: Claim(T + 400.0, T + 370.0, read_at=T + read_at)})
        known = facts(confirmed_at=T + 500.0)
        assert broken(ledger, known=known) == expected  # type: ignore[arg-type]  # a ledger
    for read_at, expected in ((499.0, set()), (500.0, {BreakKind.UNKNOWN_CLOCK})):
        ledger = ledger_of()
        ledger.fold(wrong.records, {TARGET: Claim(T + 400.0, T, read_at=T + read_at)})
        known = facts(confirmed_at=T + 500.0)
        assert broken(ledger, known=known) == expected  # type: ignore[arg-type]  # a ledger


def test_a_clock_that_is_far_behind_breaks_a_young_word() -> None:
    """What it stamps with an hour before the word was given has happened since."""
    app, slow = turn(), Writer("slow", offset=-7200.0)
    slow.starts("b", 10)
    for each in (app, slow):
        each.beats(390)
    known = facts(coverage_since=T - 1000.0)
    assert broken(app, slow, known=known) == {BreakKind.UNKNOWN_CLOCK}


@pytest.mark.parametrize(("created", "wrong"), [(25, False), (26, True)])
@pytest.mark.parametrize("how", ["output", "end"])
def test_a_clock_by_which_an_answer_came_before_the_api_had_it_is_wrong(
    how: str, created: int, *, wrong: bool
) -> None:
    """Whatever its writer says of it: the `Date` that it was told by was another's."""
    app = Writer()
    for call in "ab":
        app.starts(call, 10)
        app.created(call, 11, created_at=created)
        if how == "output":
            app.puts_out(call, 20)
        else:
            app.ends(call, 20)
    app.beats(390, *("ab" if how == "output" else ""))
    found = {BreakKind.UNKNOWN_CLOCK} if wrong else set()
    assert broken(app) == found
    # Who confirms while the call runs cannot have known.
    assert broken(app, known=facts(confirmed_at=T + created + 40)) == found
    assert broken(app, known=facts(confirmed_at=T + created + 41)) == set()
    settled = decision_of(app).breaks
    assert broken(app, known=facts(confirmed_at=T + created, settled=settled)) == set()


def test_a_clock_that_was_mended_can_be_confirmed_away() -> None:
    """Its old report breaks the word once, not for as long as its writer lives."""
    app = Writer(offset=40.0)
    app.starts("a", 10)
    app.beats(50, "a")
    app.offset = app.reports = 0.0
    app.beats(390, "a")
    assert broken(app) == {BreakKind.UNKNOWN_CLOCK}
    assert broken(app, known=facts(confirmed_at=T + 100.0)) == set()
    assert broken(app, known=facts(confirmed_at=T + 40.0)) == {BreakKind.UNKNOWN_CLOCK}


def from_the_future() -> Writer:
    """A process that spoke once by a clock that is a day ahead, and then went."""
    wrong = Writer("wrong")
    wrong.starts("b", 86_400)
    wrong.ends("b", 86_401)
    wrong.beats(60, final=True)
    return wrong


def answered(*writers: Writer, at: float) -> TargetFacts:
    """The facts once a person has confirmed at a moment what these writers break."""
    return facts(confirmed_at=T + at, settled=decision_of(*writers, now=at).breaks)


def test_a_word_settles_a_clock_that_ran_ahead_once_its_writer_has_gone() -> None:
    """Though what it stamped lies after the word: it was in the log by then."""
    app, wrong = turn(), from_the_future()
    app.beats(65)
    known = answered(app, wrong, at=70)
    app.starts("c", 100)
    app.ends("c", 130)
    app.beats(390)
    assert {each.about for each in known.settled} == {"wrong"}
    assert broken(app, wrong) == {BreakKind.UNKNOWN_CLOCK}
    assert broken(app, wrong, known=facts(confirmed_at=T + 70.0)) == {BreakKind.UNKNOWN_CLOCK}
    assert broken(app, wrong, known=known) == set()
    rows = [sighting(), sighting("cntr_2", 102)]
    before, after = decision_of(app, wrong, rows=rows, known=known).verdicts.values()
    assert before.codes == (Code.BORN_BEFORE_COVERAGE,)
    assert after.kind is VerdictKind.ORPHAN


def test_a_word_settles_nothing_that_a_clock_ahead_does_afterwards() -> None:
    """Nor where what it says is dated before what was settled."""
    app, wrong = turn(), from_the_future()
    app.beats(65)
    known = answered(app, wrong, at=70)
    app.beats(390)
    wrong.starts("c", 43_200)
    wrong.ends("c", 43_201)
    wrong.beats(80, final=True)
    assert broken(app, wrong, known=known) == {BreakKind.UNKNOWN_CLOCK}


@pytest.mark.parametrize("left", ["nothing", "a call"])
def test_no_word_settles_a_clock_ahead_while_its_writer_is_at_work(left: str) -> None:
    """Its promises pass for kept long before they are, and its starts open windows too late."""
    app, wrong = turn(), Writer("wrong")
    app.beats(65)
    wrong.starts("b", 86_400)
    if left == "nothing":
        wrong.ends("b", 86_401)
        wrong.beats(86_402)
    else:
        wrong.beats(60, "b", final=True)
    known = answered(app, wrong, at=70)
    app.beats(390)
    assert broken(app, wrong, known=known) == {BreakKind.UNKNOWN_CLOCK}


@pytest.mark.parametrize(
    ("now", "reports", "breaks"),
    [
        (100, None, True),
        (439, None, True),
        (440, None, False),
        (441, None, False),  # as far as an unknown clock may be ahead, and an event late
        (469, 0.0, True),
        (470, 0.0, False),
        (471, 0.0, False),
        (100, 20.0, True),
    ],
)
def test_a_clock_that_tells_of_the_future_breaks_it(
    now: int,
    reports: float | None,
    breaks: bool,  # noqa: FBT001 - a parameter
) -> None:
    """Whatever its writer says of it: it would promise what has not happened yet."""
    app = Writer(reports=reports)
    app.starts("a", 500)
    if reports is not None:
        app.beats(500)
    assert (broken(app, now=now) == {BreakKind.UNKNOWN_CLOCK}) is breaks


def test_a_writer_that_begins_no_request_needs_no_clock() -> None:
    """Only windows turn on it."""
    app = Writer()
    app.pins("cntr_9", 10)
    assert broken(app) == set()


@pytest.mark.parametrize(("offset", "breaks"), [(30.0, False), (-31.0, True), (31.0, True)])
def test_a_clock_that_is_far_off_breaks_it(offset: float, breaks: bool) -> None:  # noqa: FBT001 - a parameter
    """Beyond `max_event_delay`, either way."""
    app = Writer(offset=offset)
    app.starts("a", 10)
    app.beats(20)
    assert (broken(app) == {BreakKind.UNKNOWN_CLOCK}) is breaks


def test_a_clock_that_nothing_but_a_goodbye_told_breaks_it_when_it_is_far_off() -> None:
    """It was wrong when the writer last spoke."""
    app = Writer(offset=40.0)
    app.starts("a", 10)
    app.beats(20, final=True)
    (found,) = decision_of(app).breaks
    assert (found.kind, found.at) == (BreakKind.UNKNOWN_CLOCK, T + 20.0)


def test_a_start_that_contradicts_a_claim_breaks_it() -> None:
    """It was not held when the daemon took the log for complete past it, and is too late."""
    for decided_at, complete, since, expected in (
        (41, 390, 0, {BreakKind.LATE_START}),
        (40, 390, 0, set()),  # within the delay that starts are allowed
        (41, 10, 0, set()),  # nobody took the log for complete past it
        (45, 390, 15, set()),  # the log was not read before, so nothing was decided yet
        (46, 390, 15, {BreakKind.LATE_START}),
    ):
        app, late = turn(), Writer("late")
        late.starts("b", 10)
        late.beats(50)
        app.beats(390)
        ledger = ledger_of(app)
        ledger.fold(
            late.records, {TARGET: Claim.of(T + decided_at, T + complete, T + since, delay=30.0)}
        )
        assert broken(ledger) == expected  # type: ignore[arg-type]  # a ledger is a source


def test_a_start_read_before_anything_was_decided_is_not_late() -> None:
    """Reading the whole log anew finds old starts everywhere."""
    app = turn()
    app.beats(390)
    assert broken(app) == set()


def test_a_repeated_start_is_not_late() -> None:
    """Delivered twice, the second one long after a decision: the first counts."""
    loose = Writer("loose")
    entry = loose.starts("b", 10)
    loose.records = [replace(entry, event=replace(entry.event, sequence=None))]
    ledger = ledger_of(loose)
    ledger.fold(loose.records, {TARGET: Claim(T + 300.0, T + 270.0)})
    assert BreakKind.LATE_START not in broken(ledger)  # type: ignore[arg-type]  # a ledger


def test_use_of_a_container_that_nobody_can_have_made_breaks_it() -> None:
    """Somebody uses containers without logging it."""
    app = turn()
    app.beats(390)
    foreign = sighting("cntr_2", 100, active=150)
    assert broken(app, rows=[foreign]) == {BreakKind.UNACCOUNTED_USE}
    assert verdict_of(sighting(), app, beside=[foreign]).codes == (Code.COVERAGE_BROKEN,)


def test_use_that_no_response_names_breaks_it_once_all_have_ended() -> None:
    """While one runs it may be the user."""
    app = turn()
    app.starts("b", 14)
    app.beats(90)
    used = sighting(active=40)
    assert broken(app, rows=[used], now=95) == set()
    app.ends("b", 96)
    app.beats(130)
    assert broken(app, rows=[used], now=135) == {BreakKind.UNACCOUNTED_USE}


@pytest.mark.parametrize(("at", "breaks"), [(46.0, False), (46.5, True)])
def test_what_certainly_began_after_the_use_explains_nothing(at: float, *, breaks: bool) -> None:
    """By what clocks may be off."""
    app = turn()
    app.starts("b", at)
    app.beats(390, "b")
    expected = {BreakKind.UNACCOUNTED_USE} if breaks else set()
    assert broken(app, rows=[sighting(active=40)]) == expected


def test_what_is_known_by_its_id_alone_may_have_used_anything() -> None:
    """Until it has been read."""
    app = turn()
    app.beats(390)
    assert broken(app, rows=[sighting(active=40)]) == {BreakKind.UNACCOUNTED_USE}
    app.knows("resp_z", 391)
    app.beats(392)
    assert broken(app, rows=[sighting(active=40)]) == set()


def test_use_is_unaccounted_only_once_the_log_is_complete() -> None:
    """The naming response may still be under way."""
    app = turn()
    used = sighting("cntr_2", 100, active=150)
    app.beats(150)
    assert broken(app, rows=[used]) == set()
    app.beats(390)
    assert broken(app, rows=[used]) == {BreakKind.UNACCOUNTED_USE}


@pytest.mark.parametrize(
    ("since", "through", "now", "breaks"),
    [
        (100.0, 151.0, 181.0, True),
        (100.5, 151.0, 181.0, False),
        (100.0, 150.5, 181.0, False),
        (100.0, 151.0, 180.5, False),
    ],
)
def test_use_is_unaccounted_from_the_first_moment_on(
    since: float, through: float, now: float, *, breaks: bool
) -> None:
    """Born once the word was given, the log complete past its use, and a late start in by then."""
    app = turn()
    app.makes("cntr_1", 100)
    app.beats(through)
    uses = (("cntr_0", 175), ("cntr_1", 150), ("cntr_2", 150))
    rows = [sighting(name, 100, active=active) for name, active in uses]
    found = decision_of(app, rows=rows, now=now, known=facts(coverage_since=T + since)).breaks
    assert [(each.kind, each.about, each.at) for each in found] == (
        [(BreakKind.UNACCOUNTED_USE, "cntr_2", T + 151.0)] if breaks else []
    )


def test_explicit_and_named_use_is_accounted_for() -> None:
    """A logged creation or name explains it."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30, "cntr_1")
    app.makes("cntr_2", 100)
    app.beats(390)
    rows = [sighting(active=25), sighting("cntr_2", 100, active=150)]
    assert broken(app, rows=rows) == set()
    rows.append(sighting("cntr_3", 100, active=150))
    assert broken(app, rows=rows) == {BreakKind.UNACCOUNTED_USE}, "of the one beside them"


def test_a_persons_confirmation_settles_what_came_before() -> None:
    """And nothing that comes after it."""
    app = turn()
    app.beats(390)
    foreign = sighting("cntr_2", 100, active=150)
    settled, not_yet = (facts(confirmed_at=T + at) for at in (200.0, 50.0))
    assert broken(app, rows=[foreign], known=settled) == set()
    assert broken(app, rows=[foreign], known=not_yet) == {BreakKind.UNACCOUNTED_USE}


def test_a_confirmation_speaks_of_what_is_born_from_then_on() -> None:
    """Who did not log before may hold what was made before; the word does not reach back."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    app.beats(390)
    for confirmed, kind in ((5.0, VerdictKind.ORPHAN), (20.0, VerdictKind.UNPROVEN)):
        known = facts(confirmed_at=T + confirmed)
        assert verdict_of(sighting(), app, known=known).kind is kind


def test_a_confirmation_settles_a_late_start() -> None:
    """A person has answered for what was decided before, and not for what came after."""
    late = Writer("late")
    late.starts("b", 10)
    late.beats(390)
    ledger = ledger_of()
    ledger.fold(late.records, {TARGET: Claim(T + 100.0, T + 70.0)})
    late_start = {BreakKind.LATE_START}
    # It came after that decision, and may have come after a word that was given by then.
    for confirmed, expected in ((100.0, late_start), (130.0, late_start), (131.0, set())):
        known = facts(confirmed_at=T + confirmed)
        assert broken(ledger, known=known) == expected  # type: ignore[arg-type]  # a ledger


def test_unproven_delete_sweeps_what_is_unused_and_old() -> None:
    """At the operator's risk, after `unproven_after`, and named so."""
    app = turn()
    app.beats(390)
    rules = policy(unproven="delete")
    verdict = verdict_of(sighting(), app, known=PARTIAL, rules=rules)
    assert verdict.kind is VerdictKind.UNPROVEN
    assert verdict.codes == (Code.COVERAGE_PARTIAL, Code.UNPROVEN_DELETE)
    assert verdict.due_at == T + 13 + 900


@pytest.mark.parametrize("born", [100, 13])
def test_unproven_delete_reaches_foreign_and_suspect(born: int) -> None:
    """Whatever made them, nothing has used them."""
    app = turn()
    app.beats(390)
    rules = policy(unproven="delete")
    other = sighting("cntr_2", born)
    verdict = verdict_of(other, app, beside=[sighting()], rules=rules)
    assert verdict.codes[0] in (Code.FOREIGN, Code.SUSPECT)
    assert verdict.due_at == T + born + 1 + 900


def test_unproven_delete_is_stopped_by_whatever_may_still_turn_up() -> None:
    """An incomplete log, a running maker, a restore: evidence may come."""
    rules = policy(unproven="delete")
    silent, running, restored = turn(), turn(), turn()
    silent.beats(11)
    running.starts("b", 11)
    running.beats(9990, "b")
    restored.beats(9990)
    known = replace(PARTIAL, distrust_before=T + 100.0)
    for app, each in ((silent, PARTIAL), (running, PARTIAL), (restored, known)):
        verdict = verdict_of(sighting(), app, known=each, rules=rules, now=10_000)
        assert (verdict.kind, verdict.due_at) == (VerdictKind.UNPROVEN, None)


def test_unproven_delete_spares_what_an_undecodable_id_may_mean() -> None:
    """A name that cannot be read is no absence of names, under either coverage."""
    rules = policy(unproven="delete")
    app = turn()
    entry = app.starts("b", 60)
    app.loses(entry)
    app.sequence -= 1
    app.say(60, entry.event.fact, undecodable=True)
    app.ends("b", 70)
    app.beats(390)
    for known in (PARTIAL, facts()):
        assert verdict_of(sighting(), app, known=known, rules=rules).due_at is None


def test_unproven_delete_spares_the_used_and_the_protected() -> None:
    """Its reach is the unproven alone."""
    rules = policy(unproven="delete")
    app = turn()
    app.beats(390)
    used = verdict_of(sighting(active=40), app, known=PARTIAL, rules=rules)
    kept = verdict_of(
        sighting(),
        app,
        known=replace(PARTIAL, protected=frozenset({"cntr_1"})),
        rules=rules,
    )
    assert used.due_at is None
    assert kept.due_at is None


def test_an_unheard_event_keeps_its_place_and_its_undecodable_name() -> None:
    """A type from the future is ignored, but it fills the sequence, and its name counts."""
    app = turn()
    event = app.say(60, Unheard("demurrage.response.adopted"))
    app.beats(390)
    assert verdict_of(sighting(), app).kind is VerdictKind.ORPHAN
    app.records[app.records.index(event)] = replace(
        event, event=replace(event.event, undecodable=True)
    )
    ledger = ledger_of(app, app)
    assert ledger.unheard == {"demurrage.response.adopted": 1}
    assert verdict_of(sighting(), ledger).codes == (Code.UNDECODABLE_REFERENCE,)


def test_a_line_set_aside_breaks_no_coverage() -> None:
    """It holds the watermark instead, and heals."""
    app = turn()
    app.beats(390)
    assert broken(app, [SetAside(7, "not JSON", "app-1")]) == set()  # type: ignore[arg-type]
    assert isinstance(app.records[0].event, Event)  # type: ignore[union-attr]


def two_names() -> tuple[Writer, Writer]:
    """Two writers that log requests with one key under two targets' names."""
    here, there = Writer("app-1"), Writer("app-2", target="other")
    here.starts("a", 10, key_mark="k1")
    here.ends("a", 30)
    there.starts("b", 12, key_mark="k1")
    there.ends("b", 35)
    for writer in (here, there):
        writer.beats(390)
    return here, there


def test_a_key_that_logs_for_two_targets_breaks_both() -> None:
    """One of the names is wrong: its slots explain containers here that it has not made."""
    writers = two_names()
    assert broken(*writers) == {BreakKind.SHARED_KEY}
    assert verdict_of(sighting(), *writers).codes == (Code.COVERAGE_BROKEN,)
    there = decide_for("other", *writers)
    assert {each.kind for each in there} == {BreakKind.SHARED_KEY}


def test_another_key_or_none_breaks_nothing() -> None:
    """Nor does one target that is logged for by many with one key."""
    here, there, third = Writer("app-1"), Writer("app-2", target="other"), Writer("app-3")
    here.starts("a", 10, key_mark="k1")
    here.ends("a", 30)
    there.starts("b", 12, key_mark="k2")
    there.starts("c", 13)
    third.starts("d", 14, key_mark="k1")
    third.ends("d", 20)
    for writer in (here, there, third):
        writer.beats(390)
    assert broken(here, there, third) == set()


def test_a_project_that_is_listed_as_two_targets_breaks_coverage() -> None:
    """What makes containers here is logged for the other; no word of a person changes that."""
    app = Writer("app-1")
    app.starts("a", 10)
    app.ends("a", 30)
    app.beats(390)
    twice = facts(elsewhere={"cntr_1": "other", "cntr_2": "other"}, confirmed_at=T + 395)
    (found,) = decision_of(app, known=twice, now=400).breaks
    assert (found.target, found.kind) == (TARGET, BreakKind.SHARED_PROJECT)
    assert (found.about, found.at) == ("other", T + 400)
    assert "cntr_1" in found.detail
    assert verdict_of(sighting(), app, known=twice).codes == (Code.COVERAGE_BROKEN,)


def test_a_shared_key_is_answered_for_until_it_is_used_again() -> None:
    """A person's word settles what was; the next request under either name breaks it anew."""
    here, there = two_names()
    confirmed = facts(confirmed_at=T + 380)
    assert broken(here, there, known=confirmed) == set()
    there.starts("e", 384, key_mark="k1")
    there.ends("e", 386)
    there.beats(390)
    assert broken(here, there, known=confirmed) == {BreakKind.SHARED_KEY}


def test_a_shared_key_is_answered_for_before_the_last_moment_at_which_it_can_have_been_used() -> (
    None
):
    """Who was killed at once never told its clock's offset; what he logged was there all the same.

    The next request stands further on in the log, though it be dated earlier.
    """
    here, there = Writer("app-1"), Writer("app-2", target="other")
    here.starts("a", 10, key_mark="k1")
    here.ends("a", 30)
    here.beats(65)
    there.starts("b", 60, key_mark="k1")
    there.ends("b", 61)
    known = answered(here, there, at=70)
    here.beats(390)
    (found,) = known.settled
    assert found.at == T + 90
    assert broken(here, there, known=facts(confirmed_at=T + 70.0)) == {BreakKind.SHARED_KEY}
    assert broken(here, there, known=known) == set()
    there.starts("c", 55, key_mark="k1")
    assert broken(here, there, known=known) == {BreakKind.SHARED_KEY}


def test_an_open_breach_is_noted_as_far_as_the_log_tells_of_it() -> None:
    """So that a word covers what was heard since it was found, and tells it as it was found."""
    here, there = two_names()
    (found,) = decision_of(here, there).breaks
    there.starts("e", 384, key_mark="k1")
    (again,) = decision_of(here, there, known=facts(breaks=(found,))).breaks
    assert again == replace(found, position=4)
    assert found.position < 4


def test_a_shared_key_was_last_used_when_it_can_have_been_at_the_latest() -> None:
    """By clocks that nobody knows; a key of which this target knows nothing is beside the point."""
    here, there, third = (Writer(each, target=each) for each in (TARGET, "other", "third"))
    there.starts("c", 8, key_mark="k0")
    there.starts("b", 12, key_mark="k1")
    here.starts("a", 10, key_mark="k1")
    third.starts("d", 11, key_mark="k1")
    (found,) = decision_of(there, here, third, now=20).breaks
    assert (found.kind, found.about, found.at) == (BreakKind.SHARED_KEY, "k1", T + 12.0 + 30.0)
    assert "other, third" in found.detail
