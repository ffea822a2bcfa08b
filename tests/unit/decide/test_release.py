"""Ends of lineages, pins and explicit containers: when a used container may go."""

from typing import Any

import pytest
from tests.unit.decide.builders import (
    AUTO,
    PERSON,
    T,
    Writer,
    facts,
    policy,
    sighting,
    verdict_of,
)

from demurrage.model.event import Ending, Slot
from demurrage.model.facts import TargetFacts
from demurrage.model.verdict import Code, Verdict, VerdictKind

RELEASED, REFERENCED = VerdictKind.RELEASED, VerdictKind.REFERENCED


def used() -> Writer:
    """A turn of conversation `talk` that made `cntr_1` and used it."""
    app = Writer()
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30, "cntr_1")
    return app


def judged(
    app: Writer, *others: Writer, active: int = 25, now: float = 400, **more: Any
) -> Verdict:
    """The verdict on `cntr_1` after everyone's heartbeat."""
    for each in (app, *others):
        if each.name != PERSON:
            each.beats(now - 10)
    return verdict_of(sighting(active=active), app, *others, now=now, **more)


def test_an_ended_conversation_releases_what_it_used() -> None:
    """Released, and due at once: the floor does not matter for what was used."""
    app = used()
    app.closes(100, "talk")
    verdict = judged(app)
    assert (verdict.kind, verdict.codes) == (RELEASED, (Code.LINEAGES_ENDED,))
    assert verdict.due_at == verdict.proven_at == T + 400


def test_a_release_keeps_its_first_moment() -> None:
    """It is due since it was first proven, and goes by no other container's proof."""
    app = used()
    app.closes(100, "talk")
    verdict = judged(app, known=facts(proven={"cntr_1": T + 350.0, "cntr_2": T + 360.0}))
    assert verdict.due_at == verdict.proven_at == T + 350


def test_an_end_by_response_id_ends_the_lineage() -> None:
    """Where there is no conversation object, any response of the chain stands for it."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30, "cntr_1")
    app.starts("b", 40, Slot(), previous_response_id="resp_a")
    app.ends("b", 50)
    app.closes(100, after="b")
    assert judged(app).kind is RELEASED


def test_an_end_of_another_conversation_ends_nothing() -> None:
    """Only the lineages that name the container count."""
    app = used()
    app.closes(100, "other")
    assert judged(app).kind is REFERENCED


def test_every_lineage_that_names_it_must_end() -> None:
    """A conversation that replays the container's items holds it by itself."""
    app = used()
    app.starts("b", 40, containers=["cntr_1"], conversation="fork")
    app.ends("b", 50)
    app.closes(100, "talk")
    assert judged(app).kind is REFERENCED
    app.closes(391, "fork")
    assert judged(app, now=500).kind is RELEASED


def test_a_turn_after_the_end_is_not_covered() -> None:
    """An end covers only what started before it; the conversation is back."""
    app = used()
    app.closes(100, "talk")
    app.starts("b", 150, conversation="talk")
    app.ends("b", 160)
    assert judged(app).codes == (Code.NAMED_BY_RESPONSE,)


def test_a_turn_after_the_end_holds_though_the_clock_was_set_back() -> None:
    """The writer's own count says which came first; its clock does not."""
    app = used()
    app.closes(100, "talk")
    app.offset = -20.0
    app.starts("b", 110, conversation="talk", containers=["cntr_1"])
    app.ends("b", 115)
    assert judged(app).codes == (Code.NAMED_BY_RESPONSE,)


def test_a_pin_after_a_release_holds_though_the_clock_was_set_back() -> None:
    """The same for what applications hold by hand."""
    app = used()
    app.releases("cntr_1", 100)
    app.offset = -20.0
    app.pins("cntr_1", 110)
    assert judged(app).codes == (Code.PINNED,)


def test_a_turn_after_the_end_needs_no_name_to_hold() -> None:
    """Its context bears the container, although it names nothing, by either kind of link."""
    for link in ({"conversation": "talk"}, {"previous_response_id": "resp_a"}):
        app = used()
        app.closes(100, "talk")
        app.starts("b", 150, **link)
        assert judged(app).kind is REFERENCED, link


@pytest.mark.parametrize(("first", "second"), [("a", "b"), ("b", "a")])
def test_the_latest_turn_is_named_as_what_holds(first: str, second: str) -> None:
    """By the best id that is known of it, though nothing tells the writer's clock."""
    app = Writer()
    app.starts(first, 10, conversation="talk")
    app.ends(first, 30, "cntr_1")
    app.starts(second, 40, conversation="talk")
    for about in (second, f"resp_{second}"):
        (reason,) = verdict_of(sighting(active=25), app).reasons
        assert (reason.code, reason.about) == (Code.NAMED_BY_RESPONSE, about)
        assert f" {about} " in reason.text
        app.ends(second, 50)


def test_who_still_runs_after_the_end_is_named() -> None:
    """By the best id that is known of it."""
    app = used()
    app.beats(0)
    app.starts("b", 90, conversation="talk")
    app.closes(100, "talk")
    for about in ("b", "resp_b"):
        (reason,) = verdict_of(sighting(active=25), app).reasons
        assert (reason.code, reason.about) == (Code.RELEASE_WAITS, about)
        assert f" {about} " in reason.text
        app.created("b", 110)


def test_a_running_turn_of_the_lineage_holds() -> None:
    """The end came, but a response that started before it still runs."""
    app = used()
    app.starts("b", 90, conversation="talk")
    app.closes(100, "talk")
    assert judged(app).codes == (Code.RELEASE_WAITS,)


def test_a_turn_that_ran_on_past_the_end_may_be_followed_by_another() -> None:
    """What its writer begins right after it may be under way for `max_event_delay`."""
    app = used()
    app.starts("b", 90, conversation="talk")
    app.closes(100, "talk")
    app.ends("b", 300, "cntr_1")
    app.beats(310)
    row = sighting(active=25)
    assert Code.EVENTS_MAY_BE_LATE in verdict_of(row, app, now=311).codes
    assert verdict_of(row, app, now=331).kind is RELEASED


def test_a_turn_that_ran_on_past_the_end_accounts_for_its_use() -> None:
    """It started before the end, so its own use is no sign that somebody came back."""
    app = used()
    app.starts("b", 90, conversation="talk")
    app.closes(100, "talk")
    app.ends("b", 300, "cntr_1")
    assert judged(app, active=299).kind is RELEASED
    assert judged(app, active=304, now=420).kind is REFERENCED


def test_a_lost_turn_of_the_lineage_holds() -> None:
    """Nobody knows whether it still runs."""
    app = used()
    app.starts("b", 90, conversation="talk")
    app.ends("b", 95, status=Ending.LOST)
    app.closes(100, "talk")
    assert judged(app).kind is REFERENCED


@pytest.mark.parametrize(("at", "kind"), [(102.0, REFERENCED), (200.0, RELEASED)])
def test_another_writers_end_must_lie_clearly_after_the_start(at: float, kind: VerdictKind) -> None:
    """Two clocks disagree by their offsets' uncertainty and skew."""
    app, other = Writer(), Writer("app-2")
    app.starts("a", 100, conversation="talk")
    app.ends("a", 101, "cntr_1")
    other.closes(at, "talk")
    for each in (app, other):
        each.beats(390)
    assert verdict_of(sighting(born=100, active=101), app, other).kind is kind


def test_an_end_on_an_unknown_clock_must_lie_further_after_the_start() -> None:
    """Until its clock is known the other writer may be off by `max_event_delay`."""
    app, person = used(), Writer(PERSON)
    person.closes(44, "talk")
    assert judged(app, person).kind is REFERENCED
    person.closes(46, "talk")
    assert judged(app, person).kind is RELEASED


def test_an_end_must_be_complete_in_the_log() -> None:
    """P2 holds for the end: what started before it may still be missing."""
    app, other = used(), Writer("app-2")
    app.closes(100, "talk")
    other.starts("x", 5, Slot(container="cntr_9"))
    other.beats(90)
    app.beats(390)
    row = sighting(active=25)
    assert Code.LOG_NOT_COMPLETE in verdict_of(row, app, other).codes
    other.beats(390)
    assert verdict_of(row, app, other).kind is RELEASED


def test_the_last_of_several_ends_counts() -> None:
    """The log must be complete past all of them, and use between them is their own."""
    app = used()
    app.starts("b", 40, containers=["cntr_1"], conversation="fork")
    app.ends("b", 50)
    app.closes(100, "talk")
    app.beats(150)
    app.closes(200, "fork")
    row = sighting(active=120)
    assert Code.LOG_NOT_COMPLETE in verdict_of(row, app, now=235).codes
    app.beats(230)
    assert verdict_of(row, app, now=235).kind is RELEASED


def test_an_end_waits_for_events_under_way() -> None:
    """`max_event_delay` must have passed since the end."""
    app = used()
    app.closes(100, "talk")
    app.beats(128)
    row = sighting(active=25)
    assert Code.EVENTS_MAY_BE_LATE in verdict_of(row, app, now=129).codes
    assert verdict_of(row, app, now=130).kind is RELEASED


@pytest.mark.parametrize(("active", "kind"), [(102, RELEASED), (103, REFERENCED)])
def test_activity_after_the_end_holds(active: int, kind: VerdictKind) -> None:
    """The container itself says that somebody came back."""
    app = used()
    app.closes(100, "talk")
    assert judged(app, active=active).kind is kind


@pytest.mark.parametrize(
    "known",
    [
        TargetFacts(),
        facts(coverage_since=1_800_000_100.0),
        facts(distrust_before=1_800_000_100.0),
    ],
    ids=["partial", "born before coverage", "restored"],
)
def test_nothing_is_released_where_nothing_is_provable(known: TargetFacts) -> None:
    """Other users may be unlogged, or their evidence lost."""
    app = used()
    app.closes(100, "talk")
    verdict = judged(app, known=known)
    assert (verdict.kind, verdict.due_at) == (REFERENCED, None)


def test_a_source_that_named_it_may_release_it() -> None:
    """A release ends every lineage that started before it."""
    app = used()
    app.releases("cntr_1", 100)
    verdict = judged(app)
    assert (verdict.kind, verdict.codes) == (RELEASED, (Code.RELEASED_BY_APPLICATION,))


def test_who_only_pinned_it_releases_only_the_pin() -> None:
    """A download is done; the conversation that made the file goes on."""
    app, other = used(), Writer("app-2")
    other.pins("cntr_1", 40)
    other.releases("cntr_1", 100)
    assert judged(app, other).codes == (Code.NAMED_BY_RESPONSE,)


def test_who_only_pinned_what_an_application_made_releases_only_the_pin() -> None:
    """The same for an explicit container."""
    app, other = Writer(), Writer("app-2")
    app.makes("cntr_1", 12)
    other.pins("cntr_1", 40)
    other.releases("cntr_1", 100)
    assert judged(app, other).codes == (Code.CREATED_BY_APPLICATION,)


def test_who_only_pinned_it_releases_no_pin_of_another() -> None:
    """Two downloads wait for one file, and the first is done; a user's word ends both."""
    app, one, other = used(), Writer("app-2"), Writer("app-3")
    app.closes(100, "talk")
    one.pins("cntr_1", 40)
    other.pins("cntr_1", 41)
    one.releases("cntr_1", 110)
    assert judged(app, one, other).codes == (Code.PINNED,)
    app.releases("cntr_1", 391)
    assert judged(app, one, other, now=500).kind is RELEASED


def test_an_end_of_the_last_pin_is_a_release() -> None:
    """It is told apart from the end of conversations alone, by code and by words."""
    app, other = used(), Writer("app-2")
    app.closes(100, "talk")
    (ended,) = judged(app).reasons
    other.pins("cntr_1", 40)
    other.releases("cntr_1", 100)
    (released,) = judged(app, other).reasons
    assert (ended.code, released.code) == (Code.LINEAGES_ENDED, Code.RELEASED_BY_APPLICATION)
    assert ended.text != released.text


def test_a_person_may_release_it() -> None:
    """The operator's own hand needs no further title."""
    app, person = used(), Writer(PERSON)
    person.releases("cntr_1", 100)
    assert judged(app, person).kind is RELEASED


def test_a_stranger_may_not_release_it() -> None:
    """A source that never named the container has no say."""
    app, stranger = used(), Writer("stranger")
    stranger.releases("cntr_1", 100)
    assert judged(app, stranger).kind is REFERENCED


def test_a_release_covers_only_what_started_before_it() -> None:
    """Using it again takes the release back."""
    app = used()
    app.releases("cntr_1", 100)
    app.starts("b", 150, Slot(container="cntr_1"))
    app.ends("b", 160)
    assert judged(app).kind is REFERENCED


def test_a_release_waits_for_a_running_user() -> None:
    """No response that may use it must be running."""
    app = used()
    app.starts("b", 90, Slot(container="cntr_1"))
    app.releases("cntr_1", 100)
    assert judged(app).kind is REFERENCED


@pytest.mark.parametrize(
    ("until", "kind"), [(None, REFERENCED), (401, REFERENCED), (300, RELEASED)]
)
def test_a_pin_holds_until_its_moment(until: float | None, kind: VerdictKind) -> None:
    """Beside the lineages, which have ended."""
    app = used()
    app.closes(100, "talk")
    app.pins("cntr_1", 110, until)
    assert judged(app).kind is kind


def test_a_pin_that_ran_out_before_the_birth_is_judged_from_the_birth() -> None:
    """Nothing goes before the log is complete past its birth, whatever a pin's moment says."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 13)
    app.pins("cntr_1", 14, until=12)
    app.beats(17.5)
    waiting = verdict_of(sighting(), app, now=45)
    assert (waiting.kind, waiting.due_at) == (REFERENCED, None)
    assert Code.LOG_NOT_COMPLETE in waiting.codes
    app.beats(18.5)
    assert Code.EVENTS_MAY_BE_LATE in verdict_of(sighting(), app, now=42.5).codes
    assert verdict_of(sighting(), app, now=45).kind is RELEASED


def test_the_longest_pin_counts() -> None:
    """A shorter pin takes nothing from a longer one."""
    app = used()
    app.closes(100, "talk")
    app.pins("cntr_1", 110, 900)
    app.pins("cntr_1", 120, 200)
    assert judged(app).codes == (Code.PINNED,)


@pytest.mark.parametrize(("at", "kind"), [(105.0, REFERENCED), (115.0, RELEASED)])
def test_a_release_ends_the_pins_before_it(at: float, kind: VerdictKind) -> None:
    """And none that comes after."""
    app = used()
    app.closes(100, "talk")
    if at < 110:
        app.releases("cntr_1", at)
    app.pins("cntr_1", 110)
    if at > 110:
        app.releases("cntr_1", at)
    assert judged(app).kind is kind


def test_policy_may_keep_what_is_released() -> None:
    """`policy.released = "keep"` judges and does not delete."""
    app = used()
    app.closes(100, "talk")
    verdict = judged(app, rules=policy(released="keep"))
    assert (verdict.kind, verdict.due_at) == (RELEASED, None)
    assert verdict.codes == (Code.POLICY_KEEPS, Code.LINEAGES_ENDED)
    assert "policy.released" in verdict.reasons[0].text


@pytest.mark.parametrize(("name", "due"), [("Auto 7", True), ("my sandbox", False)])
def test_by_its_name_a_container_is_released_as_an_application_s_own(
    name: str, *, due: bool
) -> None:
    """What bears no auto container's name goes by the policy for explicit ones."""
    app = used()
    app.closes(100, "talk")
    app.beats(390)
    row = sighting(active=25, name=name)
    verdict = verdict_of(row, app, rules=policy(auto_name="Auto*"))
    assert (verdict.kind, verdict.due_at is not None) == (RELEASED, due)


def test_an_explicit_container_is_kept_until_released() -> None:
    """Whoever created it says when it may go; and then policy says whether."""
    app = Writer()
    app.makes("cntr_1", 10)
    verdict = judged(app, active=12)
    assert (verdict.kind, verdict.codes) == (
        VerdictKind.EXPLICIT,
        (Code.CREATED_BY_APPLICATION,),
    )
    app.releases("cntr_1", 391)
    kept = judged(app, active=12, now=500)
    swept = judged(app, active=12, now=500, rules=policy(explicit="delete"))
    assert (kept.kind, kept.due_at) == (RELEASED, None)
    assert kept.codes == (Code.POLICY_KEEPS, Code.RELEASED_BY_APPLICATION)
    assert "policy.explicit" in kept.reasons[0].text
    assert swept.due_at == swept.proven_at
    assert Code.POLICY_KEEPS not in swept.codes


def test_an_explicit_container_needs_its_users_gone_too() -> None:
    """A conversation that uses it holds it like any other."""
    app = Writer()
    app.makes("cntr_1", 10)
    app.starts("a", 20, Slot(container="cntr_1"), conversation="talk")
    app.ends("a", 30, "cntr_1")
    assert judged(app).kind is REFERENCED
    app.closes(395, "talk")
    assert judged(app, now=500).kind is VerdictKind.EXPLICIT


def test_a_container_with_another_name_is_explicit() -> None:
    """Where auto containers bear a known name, others were made by an application."""
    app = Writer()
    app.starts("a", 10, AUTO)
    app.ends("a", 30)
    app.beats(390)
    rules = policy(auto_name="CodeInterpreter*")
    own = sighting(name="my sandbox")
    other = sighting("cntr_2", name="CodeInterpreter 7")
    assert verdict_of(own, app, rules=rules).codes == (Code.NAME_NOT_AUTO,)
    assert verdict_of(own, app, rules=rules).kind is VerdictKind.EXPLICIT
    assert verdict_of(other, app, rules=rules, beside=[own]).kind is VerdictKind.ORPHAN


def test_a_pin_that_ran_out_does_not_stand_for_a_maker_that_runs() -> None:
    """Its true maker may still come to name a container that was pinned for a while."""
    app, pinner = Writer(), Writer("pinner")
    app.starts("a", 10)
    pinner.pins("cntr_1", 40, 50)
    pinner.beats(390)
    app.beats(390, "a")
    verdict = verdict_of(sighting(), app, pinner)
    assert (verdict.kind, verdict.due_at) == (REFERENCED, None)


def test_an_id_that_could_not_be_decoded_holds_a_release() -> None:
    """It may be this container's, in a lineage that goes on."""
    app = used()
    entry = app.starts("b", 40, conversation="other")
    app.loses(entry)
    app.sequence -= 1
    app.say(40, entry.event.fact, undecodable=True)
    app.ends("b", 50)
    app.closes(100, "talk")
    verdict = judged(app)
    assert (verdict.kind, verdict.due_at) == (REFERENCED, None)


def test_a_response_that_is_known_by_id_alone_holds_a_release() -> None:
    """Until its items are read it may be a turn that uses the container."""
    app = used()
    app.knows("resp_x", 40)
    app.closes(100, "talk")
    assert judged(app).kind is REFERENCED


def test_a_hole_in_the_log_after_the_end_holds_a_release() -> None:
    """What is missing may be the turn that came back to it."""
    app = used()
    app.closes(100, "talk")
    app.beats(110)
    lost = app.starts("b", 150, conversation="talk")
    app.ends("c", 390)
    app.loses(lost)
    row = sighting(active=25)
    verdict = verdict_of(row, app)
    assert (verdict.kind, verdict.due_at) == (REFERENCED, None)


def test_a_hole_anywhere_in_the_log_keeps_what_was_let_go() -> None:
    """It may be somebody who came back; the reason names the writer, and why it was let go."""
    app, other = used(), Writer("app-2")
    app.closes(100, "talk")
    other.beats(390)
    other.loses(other.starts("b", 391))
    other.beats(392, "b")
    verdict = judged(app)
    assert verdict.kind is RELEASED
    verdict = judged(app, other)
    assert verdict.kind is REFERENCED
    assert verdict.codes == (Code.LINEAGES_ENDED, Code.LOG_NOT_COMPLETE)
    assert verdict.reasons[1].about == "app-2"


def test_a_response_of_which_only_the_id_is_known_keeps_what_was_let_go() -> None:
    """Whatever it is, it may use it."""
    app, hook = used(), Writer("hook")
    app.closes(100, "talk")
    hook.knows("resp_9", 20)
    verdict = judged(app, hook)
    assert verdict.kind is REFERENCED
    assert Code.RESPONSE_END_UNKNOWN in verdict.codes
    assert verdict.reasons[-1].about == "resp_9"


def test_a_pin_holds_until_its_very_moment() -> None:
    """And says who pinned it."""
    app = Writer()
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30)
    app.pins("cntr_1", 40, until=300)
    app.beats(299)
    held = verdict_of(sighting(), app, now=299.5)
    assert held.codes == (Code.PINNED,)
    assert held.reasons[0].about == "app-1"
    app.beats(301)
    assert Code.PINNED not in verdict_of(sighting(), app, now=300).codes


def test_what_an_application_made_says_whose_it_is() -> None:
    """So that a person knows whom to ask."""
    app = Writer()
    app.makes("cntr_1", 12)
    verdict = judged(app)
    assert verdict.codes == (Code.CREATED_BY_APPLICATION,)
    assert verdict.reasons[0].about == "app-1"


def test_another_writers_end_counts_from_clearly_after_the_start() -> None:
    """By the skew, to the very second, on clocks that are known."""
    for at, kind in ((14.5, REFERENCED), (15.0, RELEASED)):
        app, other = Writer(), Writer("app-2")
        app.starts("a", 10, conversation="talk")
        app.ends("a", 14, "cntr_1")
        other.beats(0)
        other.closes(at, "talk")
        assert judged(app, other, active=12).kind is kind, at


def test_another_writers_end_counts_from_clearly_after_a_start_on_an_unknown_clock() -> None:
    """That may be off by `max_event_delay`, and to the very second that is enough."""
    for at, code in ((44.5, Code.NAMED_BY_RESPONSE), (45.0, Code.LINEAGES_ENDED)):
        app, other = used(), Writer("app-2")
        other.beats(0)
        other.closes(at, "talk")
        assert verdict_of(sighting(active=25), app, other).codes[0] is code, at


def test_an_end_on_a_clock_of_which_nothing_is_told_ends_nothing() -> None:
    """It may be minutes ahead, and the conversation may have gone on meanwhile."""
    app, other = used(), Writer("app-2")
    other.closes(900, "talk")
    app.beats(1000)
    held = verdict_of(sighting(active=25), app, other, now=1100)
    assert held.codes[0] is Code.NAMED_BY_RESPONSE
    assert held.reasons[0].text.startswith("response ")
    assert "app-2 has ended it" in held.reasons[0].text
    other.beats(1000)
    let_go = verdict_of(sighting(active=25), app, other, now=1100)
    assert let_go.codes[0] is Code.LINEAGES_ENDED


def test_a_release_on_a_clock_of_which_nothing_is_told_ends_no_pin() -> None:
    """Nor does the pin run out by it: its `until` is as unknown."""
    app, other = used(), Writer("app-2")
    app.beats(0)
    app.closes(60, "talk")
    other.pins("cntr_1", 50, until=100)
    other.releases("cntr_1", 90)
    app.beats(1000)
    held = verdict_of(sighting(active=25), app, other, now=1100)
    assert held.codes == (Code.PINNED,)
    other.beats(1000)
    assert verdict_of(sighting(active=25), app, other, now=1100).codes[0] is not Code.PINNED


def test_a_pin_runs_out_by_the_clock_of_who_set_it() -> None:
    """What is told slow by a minute lasts for a minute longer, to the second."""
    for now, pinned in ((159.5, True), (160.5, False)):
        app, other = used(), Writer("app-2", offset=-60.0, reports=-60.0)
        app.beats(0)
        app.closes(60, "talk")
        other.beats(0)
        other.pins("cntr_1", 50, until=100)
        found = verdict_of(sighting(active=25), app, other, now=now)
        assert (found.codes == (Code.PINNED,)) is pinned, now


def test_of_a_call_without_a_start_the_servers_word_says_when_it_began() -> None:
    """By the skew, to the very second."""
    for at, code in ((14.5, Code.NAMED_BY_RESPONSE), (15.0, Code.LINEAGES_ENDED)):
        app = Writer()
        app.beats(0)
        app.ends("a", 30, "cntr_1", created_at=10)
        app.closes(at, after="a")
        assert verdict_of(sighting(active=25), app).codes[0] is code, at


def test_of_a_call_without_a_start_a_persons_word_may_be_off() -> None:
    """By `max_event_delay`, and by the skew, to the very second."""
    for at, code in ((44.5, Code.NAMED_BY_RESPONSE), (45.0, Code.LINEAGES_ENDED)):
        app, person = Writer(), Writer(PERSON)
        app.ends("a", 30, "cntr_1", created_at=10)
        app.beats(0)
        person.closes(at, after="a")
        assert verdict_of(sighting(active=25), app, person).codes[0] is code, at


def test_of_a_call_of_which_only_the_end_is_told_an_end_or_release_must_come_after_it() -> None:
    """It can have begun at any moment until then: by the skew after it, to the very second."""
    for at, code in ((34.5, Code.NAMED_BY_RESPONSE), (35.0, Code.LINEAGES_ENDED)):
        app, other = Writer(), Writer("app-2")
        app.beats(0)
        app.ends("a", 30, "cntr_1")
        other.beats(0)
        other.closes(at, after="a")
        assert verdict_of(sighting(active=25), app, other).codes[0] is code, at
    for at, code in ((34.5, Code.NAMED_BY_RESPONSE), (35.0, Code.RELEASED_BY_APPLICATION)):
        app, other = Writer(), Writer("app-2")
        app.beats(0)
        app.ends("a", 30, "cntr_1")
        other.beats(0)
        other.starts("b", 10, containers=["cntr_1"])
        other.ends("b", 20)
        other.releases("cntr_1", at)
        assert verdict_of(sighting(active=25), app, other).codes[0] is code, at


def test_a_persons_pin_may_be_off_as_well() -> None:
    """So it holds for `max_event_delay` longer, to the second."""
    for now, pinned in ((129.5, True), (130.5, False)):
        app, person = used(), Writer(PERSON)
        app.beats(0)
        app.closes(60, "talk")
        person.pins("cntr_1", 50, until=100)
        found = verdict_of(sighting(active=25), app, person, now=now)
        assert (found.codes == (Code.PINNED,)) is pinned, now


def test_a_pin_that_ran_out_covers_no_use_until_its_release() -> None:
    """A release on a clock that nobody knows may have come before, but may have come later."""
    app, person = used(), Writer(PERSON)
    app.pins("cntr_1", 50, until=100)
    app.closes(60, "talk")
    person.releases("cntr_1", 105)
    assert Code.ACTIVE_SINCE_BIRTH in judged(app, person, active=110).codes
    assert judged(app, person, active=102).kind is RELEASED


def test_of_two_releases_the_one_that_is_certain_first_counts() -> None:
    """The other may have come before, but may have come later."""
    app, person = used(), Writer(PERSON)
    app.pins("cntr_1", 50)
    app.closes(60, "talk")
    app.releases("cntr_1", 120)
    person.releases("cntr_1", 140)
    assert Code.ACTIVE_SINCE_BIRTH in judged(app, person, active=130).codes
    assert judged(app, person, active=122).kind is RELEASED


@pytest.mark.parametrize("ended", [False, True])
def test_a_turn_that_does_not_say_what_it_goes_on_from_may_have_come_back(*, ended: bool) -> None:
    """It began after the end, with anything of before in its context, and so may what follows."""
    app = used()
    app.closes(80, "talk")
    app.starts("b", 90, opaque=True)
    if ended:
        app.ends("b", 120)
    verdict = judged(app)
    assert (verdict.kind, verdict.codes[-1]) == (REFERENCED, Code.RELEASE_WAITS)
    assert verdict.reasons[-1].about == ("resp_b" if ended else "b")


def test_one_that_runs_since_before_the_end_may_use_it_yet() -> None:
    """Its context was fixed when it began; once it is done, what it used is named."""
    app = used()
    app.starts("b", 60, opaque=True)
    app.closes(80, "talk")
    assert judged(app).kind is REFERENCED
    app.ends("b", 395)
    assert judged(app, now=600).kind is RELEASED


def test_what_goes_on_from_it_after_the_end_holds_as_it_would() -> None:
    """The next turn names the one before it, and with it all that was in its context."""
    app = used()
    app.starts("b", 40, opaque=True)
    app.ends("b", 50)
    app.closes(80, "talk")
    assert judged(app).kind is RELEASED
    app.starts("c", 392, previous_response_id="resp_b")
    app.ends("c", 393)
    assert judged(app, now=600).kind is REFERENCED


def test_what_was_ended_itself_holds_nothing() -> None:
    """The application knows what it went on from."""
    app = used()
    app.closes(80, "talk")
    app.starts("b", 90, opaque=True)
    app.ends("b", 120)
    app.closes(130, after="b")
    assert judged(app).kind is RELEASED


def test_what_is_born_after_it_began_is_in_no_context_of_its() -> None:
    """Unless it made it, which its slots tell."""
    other = Writer("app-2")
    other.starts("b", 2, Slot(container="cntr_9"), opaque=True)
    app = used()
    app.closes(80, "talk")
    assert judged(app, other).kind is RELEASED
    assert judged(app, other, now=600).kind is RELEASED


def test_a_refused_one_went_on_from_nothing() -> None:
    """The API ran nothing."""
    app = used()
    app.closes(80, "talk")
    app.starts("b", 90, opaque=True)
    app.ends("b", 91, status=Ending.REFUSED)
    assert judged(app).kind is RELEASED


def test_a_release_is_held_by_it_as_an_end_is() -> None:
    """`container.released` speaks of what was before it."""
    app = used()
    app.releases("cntr_1", 80)
    assert judged(app).kind is RELEASED
    app.starts("b", 392, Slot(container="cntr_9"), opaque=True)
    app.ends("b", 395)
    assert judged(app, now=600).kind is REFERENCED
