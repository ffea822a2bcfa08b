"""`evidence.proof = "deduced"`: what everything else must have come from, and what may say so.

In every scene `cntr_1`, born at 12, can come from a, which is done, or from r, which runs. Only
r can have made `cntr_2`, born at -40; so it is not the maker of `cntr_1`, if `cntr_2` counts.
"""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.examples import examples
from tests.unit.decide.builders import (
    COMPLETE,
    RULES,
    TARGET,
    T,
    Writer,
    auto,
    decision_of,
    facts,
    ledger_of,
    sighting,
)

from demurrage.decide.decision import Decision
from demurrage.decide.deduction import _Union, horizon
from demurrage.model.container import Sighting
from demurrage.model.event import ContainerRequested, Ending, Slot, Tool
from demurrage.model.facts import TargetFacts
from demurrage.model.rules import BillingRules, PolicyRules, Rules
from demurrage.model.verdict import Code, Verdict, VerdictKind

DEDUCED = replace(RULES, evidence=replace(RULES.evidence, proof="deduced"))
OTHER = sighting("cntr_2", -40)


def scene(at: float = -50) -> Writer:
    """What only r, which begins at `at`, can have made, and what a too can."""
    app = Writer()
    app.starts("r", at)
    app.starts("a", 10)
    app.ends("a", 30)
    return app


def decided(
    *sources: Writer,
    beside: tuple[Sighting, ...] = (OTHER,),
    rules: Rules = DEDUCED,
    now: float = 400,
    known: TargetFacts = COMPLETE,
    first: Sighting | None = None,
) -> Decision:
    """The decision on `cntr_1` and what is beside it."""
    rows = [first or sighting(), *beside]
    return decision_of(*sources, rows=rows, rules=rules, now=now, known=known)


def of(app: Writer, *beside: Sighting, known: TargetFacts = COMPLETE) -> Verdict:
    """The verdict on `cntr_1` once the writer has said that all is told but r's end."""
    app.beats(390, "r")
    return decided(app, beside=beside or (OTHER,), known=known).verdicts["cntr_1"]


def waits(verdict: Verdict) -> bool:
    """True when r may have made it."""
    assert (verdict.due_at is None) == (verdict.kind is VerdictKind.PENDING)
    return verdict.codes == (Code.RESPONSE_RUNNING,)


def test_a_response_that_must_have_made_something_else_does_not_block() -> None:
    """The strict proof waits for it; the verdict says which proof it was, and of whom."""
    app = scene()
    app.created("r", 13, created_at=-50, status="queued")
    app.beats(390, "r")
    strict = decided(app, rules=RULES).verdicts
    assert strict["cntr_1"].codes == (Code.RESPONSE_RUNNING,)
    deduced = decided(app).verdicts
    assert deduced["cntr_1"].codes == (Code.NO_REFERENCE, Code.MAKERS_DEDUCED, Code.COUNT_FITS)
    assert deduced["cntr_1"].reasons[1].about == "resp_r"
    assert deduced["cntr_1"].maker == "a"
    assert deduced["cntr_2"].codes == (Code.RESPONSE_RUNNING,)


def test_what_deduction_does_not_touch_is_proven_as_ever() -> None:
    """A container that nothing blocks needs no deduction, and says so."""
    app = scene()
    app.ends("r", 380)
    app.beats(390)
    codes = decided(app).verdicts["cntr_1"].codes
    assert codes == (Code.NO_REFERENCE, Code.CANDIDATES_DONE, Code.COUNT_FITS)


def test_what_is_not_listed_yet_constrains_nothing() -> None:
    """A container can become visible half a minute late."""
    assert waits(of(scene(), sighting("cntr_0", -200)))


@pytest.mark.parametrize(
    "gone", [{"gone_at": -10}, {"deleted_at": -10}, {"status": "expired", "gone_at": 0}]
)
def test_what_is_gone_still_constrains(gone: dict[str, object]) -> None:
    """It was made all the same."""
    assert not waits(of(scene(), sighting("cntr_2", -40, **gone)))


def test_a_slot_too_many_leaves_everything_open() -> None:
    """Another request that can have made the other one frees r to have made this one."""
    app = scene()
    app.starts("b", -50)
    app.ends("b", -30)
    assert waits(of(app))


def test_a_lost_answer_is_ruled_out_like_a_running_one() -> None:
    """Its slot made the other container, however it ended."""
    app = scene()
    app.ends("r", 100, status=Ending.LOST)
    app.beats(390)
    verdict = decided(app).verdicts["cntr_1"]
    assert verdict.codes == (Code.NO_REFERENCE, Code.MAKERS_DEDUCED, Code.COUNT_FITS)


@pytest.mark.parametrize(("told", "held"), [(46, True), (47, False)])
def test_what_the_log_is_not_complete_for_constrains_nothing(told: float, *, held: bool) -> None:
    """P2 holds for what constrains, too: its maker may not be in the log yet."""
    app = scene(10)
    app.beats(told, "r")
    verdict = decided(app, beside=(sighting("cntr_2", 40),), now=100).verdicts["cntr_1"]
    assert waits(verdict) is held


@pytest.mark.parametrize(("now", "held"), [(70, True), (71, False)])
def test_what_is_younger_than_events_may_be_late_constrains_nothing(
    now: float, *, held: bool
) -> None:
    """A start may still be under way."""
    app = scene(10)
    app.beats(60, "r")
    verdict = decided(app, beside=(sighting("cntr_2", 40),), now=now).verdicts["cntr_1"]
    assert waits(verdict) is held


@pytest.mark.parametrize(
    ("known", "held"),
    [
        (facts(coverage_since=T - 100.0), False),
        (facts(coverage_since=T - 30.0), True),
        (facts(confirmed_at=T - 30.0), True),
        # With the delays of what shows late this is as far as the others.
        (facts(distrust_before=T - 120.0), True),
    ],
)
def test_what_was_born_before_coverage_or_a_restore_constrains_nothing(
    known: TargetFacts, *, held: bool
) -> None:
    """Somebody may have made it without logging it."""
    assert waits(of(scene(), known=known)) is held


def test_partial_coverage_deduces_nothing() -> None:
    """What complete coverage would have said is told by the strict proof."""
    app = scene()
    app.beats(390, "r")
    verdict = decided(app, known=TargetFacts()).verdicts["cntr_1"]
    assert (verdict.kind, verdict.shadow) == (VerdictKind.UNPROVEN, VerdictKind.PENDING)


def test_an_explicit_container_constrains_nothing() -> None:
    """No slot made it: an application did, or its name says so."""
    app = scene()
    app.makes("cntr_2", -39)
    assert waits(of(app))
    app = scene()
    app.beats(390, "r")
    rules = replace(DEDUCED, policy=PolicyRules(auto_name="auto*"))
    rows = (sighting("cntr_2", -40, name="mine"),)
    verdict = decided(app, beside=rows, rules=rules, first=sighting(name="auto")).verdicts["cntr_1"]
    assert waits(verdict)


def test_where_applications_create_containers_names_must_tell_them_apart() -> None:
    """Of one whose answer was lost nobody logs the id, so it would pass for a slot's."""
    named = [sighting(name="auto"), sighting("cntr_2", -40, name="auto")]
    for auto_name, held in (("", True), ("auto*", False)):
        app = scene()
        app.makes("cntr_9", -100)
        app.beats(390, "r")
        rules = replace(DEDUCED, policy=PolicyRules(auto_name=auto_name))
        decision = decided(app, beside=(named[1],), rules=rules, first=named[0])
        assert waits(decision.verdicts["cntr_1"]) is held


def test_who_sets_about_creating_a_container_may_have_done_so() -> None:
    """Even if no answer with an id was ever logged; until that is too long ago to matter."""
    named = [sighting(name="auto"), sighting("cntr_2", -40, name="auto")]
    for auto_name, held in (("", True), ("auto*", False)):
        app = scene()
        app.say(-100, ContainerRequested())
        app.beats(390, "r")
        rules = replace(DEDUCED, policy=PolicyRules(auto_name=auto_name))
        decision = decided(app, beside=(named[1],), rules=rules, first=named[0])
        assert waits(decision.verdicts["cntr_1"]) is held
    app = Writer()
    app.say(-100, ContainerRequested())
    app.beats(0)
    ledger = ledger_of(app)
    for before, known in ((T - 101, True), (T - 99, False)):
        ledger.forget(TARGET, before, frozenset(), 30, oldest=inf)
        assert bool(ledger.book(TARGET).requested) is known
        assert (ledger.book(TARGET).positions != {}) is known


def test_a_hole_in_a_retired_writer_s_record_stops_all_deduction() -> None:
    """It may have swallowed the start of whoever made what would constrain."""
    for dropped in (0, 1):
        gone = Writer("app-2")
        gone.starts("h", -200)
        gone.ends("h", -190)
        gone.beats(-180, dropped=dropped)
        app = scene()
        app.beats(390, "r")
        known = facts(retired={"app-2": T - 100})
        assert waits(decided(app, gone, known=known).verdicts["cntr_1"]) is bool(dropped)


def test_a_suspect_constrains_nothing() -> None:
    """One of them came from somebody who does not log; a third one's proof is not in yet."""
    assert waits(of(scene(), OTHER, sighting("cntr_3", -41)))
    app = scene()
    app.beats(390, "r")
    rows = (OTHER, sighting("cntr_3", 388))
    assert waits(decided(app, beside=rows).verdicts["cntr_1"])


def test_what_is_named_for_another_target_constrains_nothing() -> None:
    """Its maker may be logged there."""
    other = Writer("app-2", target="other")
    other.pins("cntr_2", 20)
    other.beats(390, final=True)
    app = scene()
    app.beats(390, "r")
    assert waits(decided(app, other).verdicts["cntr_1"])


def test_what_another_than_its_maker_names_constrains_nothing() -> None:
    """How it came about is not certain."""
    app = scene()
    app.pins("cntr_2", -20)
    assert waits(of(app))


def test_an_unknown_status_constrains_nothing() -> None:
    """The daemon does not know what such a row is."""
    assert waits(of(scene(), sighting("cntr_2", -40, status="warming")))


@pytest.mark.parametrize(("born", "held"), [(-3200, False), (-3201, True)])
def test_what_was_born_long_ago_constrains_nothing(born: int, *, held: bool) -> None:
    """Its maker may be forgotten, and what is left of the log would point to another."""
    assert waits(of(scene(-4000), sighting("cntr_2", born))) is held


@pytest.mark.parametrize(("tool", "held"), [(Tool.CODE_INTERPRETER, False), (Tool.UNKNOWN, True)])
def test_a_stored_prompt_may_have_made_more_than_it_shows(tool: Tool, *, held: bool) -> None:
    """Its one slot stands for tools that the request does not name."""
    app = scene()
    app.starts("u", -50, auto(None, tool))
    app.ends("u", -30)
    assert waits(of(app, OTHER, sighting("cntr_3", -41))) is held


def test_a_call_without_a_start_may_have_made_anything() -> None:
    """Its slots are not known."""
    app = scene()
    app.ends("u", -30, created_at=-50)
    assert waits(of(app))


def test_a_bare_response_id_stops_all_deduction() -> None:
    """Nothing is known of its slots or its time."""
    app = scene()
    app.knows("resp_x", 20)
    assert of(app).kind is VerdictKind.PENDING


def _reusing(**more: object) -> tuple[Writer, tuple[Sighting, ...]]:
    """Beside r a turn x that names the older `cntr_0`."""
    app = scene()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("x", -50)
    app.ends("x", -30, "cntr_0", created_at=-49)
    return app, (OTHER, sighting("cntr_0", -100, **{"active": -90, **more}))


@pytest.mark.parametrize(
    ("life", "held"),
    [
        ({}, True),
        ({"active": -44}, True),
        ({"active": -43}, False),
        ({"active": -35, "gone_at": 100}, False),
        ({"active": -44, "gone_at": 100}, True),
        ({"gone_at": 100}, True),
        ({"active": None, "gone_at": 100}, True),
        ({"deleted_at": 100}, True),
    ],
)
def test_a_reuse_counts_only_of_what_provably_lived(life: dict[str, object], *, held: bool) -> None:
    """A dead container can be cited while the slot makes another."""
    app, beside = _reusing(**life)
    assert waits(of(app, *beside)) is held


@pytest.mark.parametrize(("born", "held"), [(-56, False), (-55, True)])
def test_what_is_reused_is_older_than_the_window_by_a_second(born: int, *, held: bool) -> None:
    """Else the response may have made it, and something else besides."""
    app = scene()
    app.starts("z", -62)
    app.ends("z", -40, "cntr_0")
    app.starts("x", -50)
    app.ends("x", -30, "cntr_0", created_at=-49)
    assert waits(of(app, OTHER, sighting("cntr_0", born, active=-43))) is held


@pytest.mark.parametrize(("active", "held"), [(-35, True), (-25, True), (-24, False)])
def test_where_nothing_tells_when_it_began_only_activity_after_its_end_proves_a_reuse(
    active: int, *, held: bool
) -> None:
    """It may have begun after the last activity of what is dead; names of the dead tell nothing."""
    app = scene()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("x", -50)
    app.ends("x", -30, "cntr_0", *(f"cntr_x{number}" for number in range(20)))
    assert waits(of(app, OTHER, sighting("cntr_0", -100, active=active))) is held


def test_a_reuse_takes_one_slot_of_several() -> None:
    """Both tools may have run in it, or either."""
    app = scene()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("x", -50, auto("1g"), auto("1g", Tool.SHELL))
    app.ends("x", -30, "cntr_0", created_at=-49)
    assert waits(of(app, OTHER, sighting("cntr_0", -100, active=-90)))


@pytest.mark.parametrize("named", [False, True])
def test_a_slot_of_another_tier_is_no_other_maker(*, named: bool) -> None:
    """Nor is the one that is left of two of that tier."""
    app = scene()
    app.starts("x", -50, *(auto("4g"), auto("4g", Tool.SHELL))[: 1 + named])
    app.ends("x", -30, *(("cntr_0",) if named else ()))
    beside = (sighting("cntr_0", -45, tier="4g", active=-35),) if named else ()
    assert not waits(of(app, OTHER, *beside))


@pytest.mark.parametrize("background", [True, False])
def test_of_what_queues_only_its_end_tells_what_lived_when_it_began(*, background: bool) -> None:
    """What was active after the request was can be dead by the time that one begins."""
    app = scene()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("x", -50, background=background)
    app.ends("x", -30, "cntr_0", created_at=-49)
    older = sighting("cntr_0", -100, active=-35, gone_at=100)
    assert waits(of(app, OTHER, older)) is background


def test_a_reuse_of_what_nobody_remembers_proves_nothing() -> None:
    """The strict count takes the slot, for that keeps more; here it would rule r out."""
    app, _ = _reusing()
    assert waits(of(app))


@pytest.mark.parametrize("tiers", [("4g", None), (None, "4g")])
def test_which_of_two_slots_is_left_is_not_certain(tiers: tuple[str | None, str | None]) -> None:
    """A named container of unknown tier may have come from either, so the other fits any tier."""
    app = scene()
    app.starts("x", -50, auto(tiers[0]), auto(tiers[1], Tool.SHELL))
    app.ends("x", -30, "cntr_0")
    assert waits(of(app, OTHER, sighting("cntr_0", -45, tier=None)))


def test_the_opening_of_a_running_response_proves_no_reuse() -> None:
    """Its slot may have made the other container all the same, so that r made this one."""
    app = scene()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("x", -50)
    app.created("x", -48, "cntr_0", created_at=-49)
    app.beats(390, "r", "x")
    rows = (OTHER, sighting("cntr_0", -100, active=-90))
    assert waits(decided(app, beside=rows).verdicts["cntr_1"])


def test_a_named_container_takes_its_makers_slot() -> None:
    """So that x is not who made the other one."""
    app = scene()
    app.starts("x", -50)
    app.ends("x", -30, "cntr_0")
    assert not waits(of(app, OTHER, sighting("cntr_0", -45)))


def test_each_named_container_takes_a_slot_of_its_makers() -> None:
    """Two names of two slots leave none, so `cntr_2` is left to r."""
    app = scene()
    app.starts("b", -50, auto("1g"), auto("1g", Tool.SHELL))
    app.ends("b", -20, "cntr_3", "cntr_4")
    named = (sighting(each, -40, active=-30) for each in ("cntr_3", "cntr_4"))
    assert not waits(of(app, OTHER, *named))


def test_the_maker_is_one_that_deduction_admits() -> None:
    """What somebody else names takes no slot there, however it came about."""
    app = scene()
    app.starts("b", 10)
    app.ends("b", 31)
    app.starts("c", 100, Slot(container="cntr_0"))
    app.ends("c", 120)
    named = sighting("cntr_0", active=110)
    assert of(app, OTHER, named).maker == "a"
    assert decided(app, beside=(OTHER, named), rules=RULES).verdicts["cntr_1"].maker == "b"


def test_the_horizon_is_three_idle_expiries() -> None:
    """And an hour at least."""
    assert [horizon(BillingRules(idle_expiry=each)) for each in (60.0, 2000.0)] == [3600.0, 6000.0]


def test_a_name_that_proves_no_maker_takes_no_slot() -> None:
    """It was born too close to the request to be an older one, and the request bore it."""
    app = scene()
    app.starts("x", -50, containers=["cntr_0"])
    app.ends("x", -30, "cntr_0")
    assert waits(of(app, OTHER, sighting("cntr_0", -51)))


def test_a_container_given_to_another_tool_takes_no_slot() -> None:
    """The shell ran where the request said; the interpreter's slot may have made the other one."""
    app = scene()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("x", -50, auto("1g"), Slot(Tool.SHELL, None, "cntr_0"))
    app.ends("x", -30, "cntr_0", created_at=-49)
    assert waits(of(app, OTHER, sighting("cntr_0", -100, active=-40)))


def test_a_running_response_that_has_shown_its_container_blocks_nothing() -> None:
    """As in the strict proof, though its name proves no maker."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"])
    app.puts_out("b", 20, "cntr_0")
    assert not waits(of(app, OTHER, sighting("cntr_0", 7, active=26)))


def test_an_answer_that_names_what_may_be_younger_takes_no_slot_unless_its_request_bore_it() -> (
    None
):
    """It may have been made by another meanwhile, and be cited only."""
    for carried, taken in (([], False), (["cntr_0"], True)):
        app = scene()
        app.starts("y", -52)
        app.ends("y", -51, "cntr_0")
        app.starts("x", -50, containers=carried)
        app.ends("x", -30, "cntr_0", created_at=-50)
        assert waits(of(app, OTHER, sighting("cntr_0", -52, active=-31))) is not taken


@examples(600)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=6),
    st.integers(-1, 17),
)
def test_a_union_holds_what_any_of_its_intervals_contains(
    drawn: list[tuple[int, int]], moment: int
) -> None:
    """However they overlap, and both ends with them."""
    intervals = [(float(low), float(low + length)) for low, length in drawn]
    assert _Union(intervals).holds(moment) == any(low <= moment <= high for low, high in intervals)
