"""P3: every request that may have made a container must be done."""

from dataclasses import replace

import pytest
from tests.unit.decide.builders import (
    AUTO,
    RULES,
    T,
    Writer,
    auto,
    decision_of,
    facts,
    ledger_of,
    sighting,
    verdict_of,
)

from demurrage.model.event import Ending, Entry, Finished, Slot, Tool
from demurrage.model.rules import EvidenceRules
from demurrage.model.verdict import Code, VerdictKind

DONE = VerdictKind.ORPHAN


def finished(writer: Writer, call: str = "a", at: float = 10, *slots: Slot) -> None:
    """A turn that makes a container and names none."""
    writer.starts(call, at, *slots)
    writer.ends(call, at + 20)


def with_neighbour() -> Writer:
    """A writer whose finished turn fits the container at 12; a second maker comes beside it."""
    app = Writer()
    finished(app)
    return app


def with_older_turn() -> Writer:
    """The same, after a turn that made and named `cntr_0`."""
    app = with_neighbour()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    return app


def blocked(app: Writer, *calls: str, at: float = 390, **more: object) -> bool:
    """True when the container waits for a response."""
    app.beats(at, *calls)
    verdict = verdict_of(sighting(), app, **more)  # type: ignore[arg-type]  # passed through
    assert (verdict.kind is VerdictKind.PENDING) == (verdict.due_at is None)
    return bool({Code.RESPONSE_RUNNING, Code.RESPONSE_END_UNKNOWN} & set(verdict.codes))


def test_a_running_response_blocks_what_it_may_have_made() -> None:
    """It may come to name the container at its very end."""
    app = with_neighbour()
    app.starts("b", 11)
    assert blocked(app, "b")


def test_a_running_response_says_who_is_waited_for() -> None:
    """The reason carries the id of the response."""
    app = with_neighbour()
    app.starts("b", 11)
    app.created("b", 12)
    app.beats(390, "b")
    (reason,) = verdict_of(sighting(), app).reasons
    assert (reason.code, reason.about) == (Code.RESPONSE_RUNNING, "resp_b")
    assert "resp_b" in reason.text


@pytest.mark.parametrize(
    "status", [Ending.COMPLETED, Ending.FAILED, Ending.INCOMPLETE, Ending.CANCELLED]
)
def test_every_definite_end_is_an_end(status: Ending) -> None:
    """However it ended, it can name nothing more."""
    app = with_neighbour()
    app.starts("b", 11)
    app.ends("b", 60, status=status)
    assert not blocked(app)


def test_a_refused_request_is_a_finished_candidate() -> None:
    """A 4xx is done, and its slot still counts."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 20, status=Ending.REFUSED, http_status=400)
    app.beats(390)
    verdict = verdict_of(sighting(), app)
    assert (verdict.kind, verdict.maker) == (DONE, "a")


def test_a_lost_answer_blocks() -> None:
    """What the server did after the connection broke is not known."""
    app = with_neighbour()
    app.starts("b", 11)
    app.ends("b", 60, status=Ending.LOST)
    assert blocked(app, now=100_000, at=99_990)


def test_a_definite_end_outweighs_a_lost_one_in_either_order() -> None:
    """A later look at a lost response settles it."""
    for order in ((Ending.LOST, Ending.COMPLETED), (Ending.COMPLETED, Ending.LOST)):
        app = with_neighbour()
        app.starts("b", 11)
        for at, status in enumerate(order, start=60):
            app.ends("b", at, status=status)
        assert not blocked(app)


def test_a_killed_application_blocks_what_it_may_have_made() -> None:
    """Its goodbye by force frees the log, not what its requests made."""
    app, dead = with_neighbour(), Writer("app-2")
    dead.starts("b", 11)
    dead.beats(20, "b")
    app.beats(390)
    verdict = verdict_of(sighting(), app, dead, known=facts(retired={"app-2": T + 30.0}))
    assert verdict.codes == (Code.RESPONSE_END_UNKNOWN,)


def test_a_lost_answer_of_a_known_creation_blocks_for_a_bounded_time() -> None:
    """The server's `created_at` bounds the birth by `max_birth_delay`, and both by skew."""
    for born, expected in ((76, True), (77, False)):
        app = Writer()
        app.starts("b", 10)
        app.created("b", 12, created_at=11)
        app.ends("b", 60, status=Ending.LOST)
        finished(app, "a", 75)
        app.beats(490)
        verdict = verdict_of(sighting(born=born), app, now=500)
        assert (verdict.kind is VerdictKind.PENDING) is expected, born


def test_the_last_byte_bounds_the_birth_on_a_direct_connection_only() -> None:
    """A queue or proxy between may hold the request for any time."""
    for direct in (True, False):
        app = Writer()
        app.starts("b", 10, direct=direct)
        app.created("b", 12, sent_at=11)
        app.ends("b", 20, status=Ending.LOST)
        finished(app, "a", 80)
        app.beats(490)
        verdict = verdict_of(sighting(born=82), app, now=500)
        assert (verdict.kind is VerdictKind.PENDING) is not direct


def test_a_dead_process_sent_its_last_byte_before_it_died() -> None:
    """On a direct connection a retired or departed writer's requests are bounded by that."""
    for direct in (True, False):
        app, dead, gone = Writer(), Writer("app-2"), Writer("app-3")
        finished(app, "a", 100)
        app.beats(490)
        dead.starts("b", 10, direct=direct)
        dead.beats(11, "b")
        gone.starts("c", 10, direct=direct)
        gone.beats(11, "c")
        gone.beats(12, "c", final=True)
        known = facts(retired={"app-2": T + 30.0})
        verdict = verdict_of(sighting(born=102), app, dead, gone, now=500, known=known)
        assert (verdict.kind is VerdictKind.PENDING) is not direct


def test_the_first_output_closes_the_window() -> None:
    """No container is born after the first output item, however long the response runs."""
    app = Writer()
    app.starts("b", 10)
    app.puts_out("b", 20)
    finished(app, "a", 26)
    app.beats(490, "b")
    inside, outside = sighting(born=25), sighting("cntr_2", 28)
    assert verdict_of(inside, app, beside=[outside], now=500).kind is VerdictKind.PENDING
    assert verdict_of(outside, app, beside=[inside], now=500).kind is DONE


def test_the_window_opens_at_the_servers_creation() -> None:
    """A request that the server took up later made nothing before, skew apart."""
    for created_at, expected in ((18, True), (18.1, False)):
        app = with_neighbour()
        app.starts("b", 5)
        app.created("b", 6, created_at=created_at)
        assert blocked(app, "b") is expected


def test_the_window_opens_at_the_start_less_skew_without_it() -> None:
    """Else the client's start by the measured offset counts."""
    for at, expected in ((18, True), (18.1, False)):
        app = with_neighbour()
        app.starts("b", at)
        assert blocked(app, "b") is expected


def test_offsets_move_the_windows() -> None:
    """A writer's clock that is known to be ahead does not shift what it may have made."""
    app, fast = with_neighbour(), Writer("app-2", offset=25.0)
    fast.starts("b", 11)
    fast.beats(390, "b")
    app.beats(390)
    assert verdict_of(sighting(), app, fast).kind is VerdictKind.PENDING


def test_a_clock_that_was_set_is_judged_by_all_that_it_reported() -> None:
    """What it stamped while it was behind may have been later than it seems."""
    app, slow = with_neighbour(), Writer("app-2", offset=-20.0)
    slow.starts("b", 10)
    slow.puts_out("b", 11)
    slow.beats(12, "b")
    slow.offset = slow.reports = 0.0
    slow.beats(390, "b")
    app.beats(390)
    assert verdict_of(sighting(), app, slow).kind is VerdictKind.PENDING


def test_an_unreported_clock_widens_the_windows() -> None:
    """Until the clock is known the start may have been `max_event_delay` earlier."""
    app, new = with_neighbour(), Writer("app-2")
    new.starts("b", 40)
    new.beats(90, "b", clock_offset=None)
    app.beats(95)
    assert verdict_of(sighting(), app, new, now=95).kind is VerdictKind.PENDING


def test_a_background_response_may_make_its_container_long_after_its_creation() -> None:
    """Its delay counts from when it was first seen running."""
    for running in (False, True):
        app = Writer()
        app.starts("b", 10, background=True)
        app.created("b", 12, created_at=11, status="queued")
        if running:
            app.created("b", 15, status="in_progress")
        finished(app, "a", 100)
        app.beats(490, "b")
        verdict = verdict_of(sighting(born=102), app, now=500)
        assert (verdict.kind is VerdictKind.PENDING) is not running


def test_a_background_window_opens_when_last_seen_queued() -> None:
    """While it queues it makes nothing."""
    for queued, expected in ((18, True), (18.5, False)):
        app = with_neighbour()
        app.starts("b", 5, background=True)
        app.created("b", 6, created_at=5, status="queued")
        app.created("b", queued, status="queued")
        assert blocked(app, "b") is expected


def test_an_unlogged_start_blocks_any_tier() -> None:
    """A response that is known by its answer alone may have had any slot."""
    app = with_neighbour()
    app.created("b", 11, created_at=10)
    assert blocked(app)


def test_tiers_tell_makers_apart() -> None:
    """A slot of another tier cannot have made it; an unknown one fits any."""
    for slot, expected in (
        (auto("4g"), False),
        (auto("1g"), True),
        (auto(None), True),
        (auto(None, Tool.UNKNOWN), True),
        (Slot(container="cntr_9"), False),
    ):
        app = with_neighbour()
        app.starts("b", 11, slot)
        assert blocked(app, "b") is expected, slot


def test_a_container_of_unknown_tier_may_come_from_any_slot() -> None:
    """A proxy may drop `memory_limit` from the listing."""
    app = with_neighbour()
    app.starts("b", 11, auto("4g"))
    app.beats(390, "b")
    assert verdict_of(sighting(tier=None), app).kind is VerdictKind.PENDING


def test_a_slot_that_named_its_container_blocks_nothing_else() -> None:
    """A slot makes at most one container, and its response has shown which."""
    app = with_neighbour()
    app.starts("b", 10)
    app.puts_out("b", 20, "cntr_2")
    app.beats(390, "b")
    mine = sighting("cntr_2", 12)
    assert verdict_of(sighting(), app, beside=[mine]).kind is DONE


def test_a_slot_that_reused_an_older_container_blocks_nothing() -> None:
    """It has put out an older container that it used, so it made none."""
    app = with_older_turn()
    app.starts("b", 10, containers=["cntr_0"])
    app.puts_out("b", 20, "cntr_0")
    app.beats(390, "b")
    older = sighting("cntr_0", -100, active=26)
    assert verdict_of(sighting(), app, beside=[older]).kind is DONE


def test_context_alone_does_not_free_a_running_slot() -> None:
    """That a request carries an older container does not show that it reuses it."""
    app = with_older_turn()
    app.starts("b", 10, containers=["cntr_0"])
    app.beats(390, "b")
    older = sighting("cntr_0", -100, active=15)
    assert verdict_of(sighting(), app, beside=[older]).kind is VerdictKind.PENDING


def test_a_known_id_without_a_request_blocks_what_was_born_by_then() -> None:
    """Until the daemon has worked out the rest it may be anyone's maker."""
    app = with_neighbour()
    app.knows("resp_x", 20)
    assert blocked(app)
    app.say(30, Finished("x", Ending.COMPLETED, "resp_x"))
    assert not blocked(app)


def test_waiting_names_few() -> None:
    """However many responses may have made it, the reason names at most three."""
    app = with_neighbour()
    for number in range(20):
        app.starts(f"b{number}", 11)
    app.beats(390, *(f"b{number}" for number in range(20)))
    blockers = decision_of(app, rows=[sighting()]).attribution.blockers["cntr_1"]
    assert 1 <= len(blockers) <= 3


def test_two_starts_of_one_call_contradict_each_other() -> None:
    """A call id stands for one request; two make their writer prove nothing."""
    app = with_neighbour()
    app.starts("a", 11)
    app.beats(390)
    assert verdict_of(sighting(), app).codes == (Code.LOG_NOT_COMPLETE,)


def test_whole_life_windows_close_at_the_end_alone() -> None:
    """After a late birth neither output nor delays close a window."""
    app = Writer()
    app.starts("b", 10)
    app.created("b", 12, created_at=11)
    app.puts_out("b", 20)
    finished(app, "a", 200)
    app.beats(490, "b")
    row = sighting(born=202)
    assert verdict_of(row, app, now=500).kind is DONE
    known = facts(whole_life_windows=True)
    assert verdict_of(row, app, now=500, known=known).kind is VerdictKind.PENDING


def test_the_bounds_are_settings() -> None:
    """`max_birth_delay` and `clock_skew` move the windows."""
    app = Writer()
    app.starts("b", 10)
    app.created("b", 12, created_at=11)
    app.ends("b", 60, status=Ending.LOST)
    finished(app, "a", 100)
    app.beats(490)
    evidence = EvidenceRules(coverage="complete", max_birth_delay=100.0)
    row = sighting(born=102)
    assert verdict_of(row, app, now=500).kind is DONE
    wider = replace(RULES, evidence=evidence)
    assert verdict_of(row, app, now=500, rules=wider).kind is VerdictKind.PENDING


def test_a_start_says_what_its_slots_are_whatever_arrives_first() -> None:
    """The end may reach the log before the start."""
    app = Writer()
    start, end = app.starts("a", 10, AUTO), app.ends("a", 30)
    app.beats(390)
    late: list[Entry] = [start]
    app.records.remove(start)
    assert verdict_of(sighting(), app, late).kind is DONE
    assert ledger_of([end]).book("default").responses["a"].started is None
