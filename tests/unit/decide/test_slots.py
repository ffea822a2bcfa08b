"""When a running response's slots are spoken for, and which names prove it."""

from itertools import permutations
from typing import Any

import pytest
from tests.unit.decide.builders import (
    Writer,
    auto,
    decision_of,
    sighting,
    verdict_of,
)

from demurrage.model.container import Sighting
from demurrage.model.event import Output, Slot, Tool
from demurrage.model.verdict import Code, VerdictKind


def scene() -> Writer:
    """An older turn that made `cntr_0`, and a finished neighbour that fits `cntr_1`."""
    app = Writer()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("a", 10)
    app.ends("a", 30)
    return app


def older(**more: Any) -> Sighting:
    """The container of the older turn, in use."""
    return sighting("cntr_0", -100, active=-90, **more)


def blocked(app: Writer, *beside: Sighting) -> bool:
    """True when `cntr_1` waits for the running response b."""
    app.beats(390, "b")
    verdict = verdict_of(sighting(), app, beside=beside)
    assert (verdict.kind is VerdictKind.ORPHAN) == (verdict.due_at is not None)
    return Code.RESPONSE_RUNNING in verdict.codes


def test_a_name_in_the_opening_does_not_show_reuse() -> None:
    """The opening of an answer echoes what the request bore."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"])
    app.created("b", 11, "cntr_0")
    assert blocked(app, older())


@pytest.mark.parametrize(
    ("active", "shows"), [(-90, False), (10, False), (15, False), (16, True), (300, True)]
)
def test_a_name_in_the_output_shows_reuse_of_what_was_active_since(
    active: int, *, shows: bool
) -> None:
    """A row that shows it alive may be minutes old, and a deleted id can stay listed."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"])
    app.created("b", 11, "cntr_0", created_at=10)
    app.puts_out("b", 20, "cntr_0")
    assert blocked(app, sighting("cntr_0", -100, active=active)) is not shows


@pytest.mark.parametrize(("active", "shows"), [(25, False), (26, True)])
def test_where_the_server_does_not_tell_when_it_began_activity_after_the_output_shows_reuse(
    active: int, *, shows: bool
) -> None:
    """It has begun by then, by the writer's clock."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"])
    app.puts_out("b", 20, "cntr_0")
    assert blocked(app, sighting("cntr_0", -100, active=active)) is not shows


@pytest.mark.parametrize(("active", "shows"), [(50, False), (126, True)])
def test_what_may_have_queued_began_when_it_was_seen_to_run(active: int, *, shows: bool) -> None:
    """However long before that the API gave it an id."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"], background=True)
    app.created("b", 11, created_at=10, status="queued")
    app.created("b", 60, status="in_progress")
    app.say(120, Output("b", "resp_b", frozenset({"cntr_0"})))
    assert blocked(app, sighting("cntr_0", -100, active=active)) is not shows


@pytest.mark.parametrize("how", ["gone_at", "deleted_at"])
def test_a_cited_container_that_is_gone_was_not_reused(how: str) -> None:
    """A first output may cite a file of a dead container; the slot made another."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"])
    app.puts_out("b", 20, "cntr_0")
    assert blocked(app, older(**{how: 15}))


@pytest.mark.parametrize(("bears", "held"), [(True, False), (False, True)])
def test_what_a_later_turn_can_have_made_shows_nothing_of_one_that_queued(
    *, bears: bool, held: bool
) -> None:
    """The first by its start may cite what another made while it queued; its slot is open then."""
    app = scene()
    app.starts("b", 5, background=True)
    app.created("b", 6, created_at=5, status="queued")
    app.starts("c", 10, containers=["cntr_2"] if bears else [])
    app.ends("c", 30, "cntr_2", created_at=10)
    app.created("b", 60, "cntr_2", status="in_progress")
    assert blocked(app, sighting("cntr_2", 12, active=20), older()) is held


def test_what_was_used_and_is_gone_since_was_reused() -> None:
    """It lived when the response began, and a slot makes at most one."""
    app = scene()
    app.starts("b", 10, containers=["cntr_0"])
    app.puts_out("b", 20, "cntr_0")
    assert not blocked(app, sighting("cntr_0", -100, active=30, gone_at=200))


def test_a_cited_container_that_nobody_listed_was_not_reused() -> None:
    """Nothing shows that it lives."""
    app = scene()
    app.starts("b", 10)
    app.puts_out("b", 20, "cntr_77")
    assert blocked(app, older())


def test_a_container_given_to_one_tool_does_not_speak_for_another() -> None:
    """The shell ran where the request said; what the interpreter's slot made is still open."""
    app = scene()
    app.starts("b", 10, auto("1g"), Slot(Tool.SHELL, None, "cntr_0"))
    app.puts_out("b", 20, "cntr_0")
    assert blocked(app, older())


def test_a_container_given_to_one_tool_takes_no_slot_of_another() -> None:
    """The interpreter's slot can have made one all the same, so that one is no suspect."""
    app = Writer()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_0")
    app.starts("b", 10, auto("1g"), Slot(Tool.SHELL, None, "cntr_0"))
    app.ends("b", 30, "cntr_0")
    app.beats(390)
    assert verdict_of(sighting(), app, beside=[older()]).kind is VerdictKind.ORPHAN


def test_every_slot_must_be_spoken_for() -> None:
    """With two tools one name leaves the other tool's container open."""
    app = scene()
    app.starts("b", 10, auto("1g"), auto("1g", Tool.SHELL))
    app.created("b", 11, "cntr_2")
    app.puts_out("b", 20, "cntr_2")
    made = sighting("cntr_2", 12)
    assert blocked(app, made, older())


def test_two_reused_containers_do_not_speak_for_two_slots() -> None:
    """Both may be of one tool; nor does one beside what it made, which may be of the same."""
    app = scene()
    app.starts("b", 10, auto("1g"), auto("1g", Tool.SHELL))
    app.puts_out("b", 20, "cntr_0", "cntr_3")
    both = (sighting("cntr_0", -100, active=30), sighting("cntr_3", -100, active=30))
    assert blocked(app, *both)
    made_one = (sighting("cntr_0", -100, active=30), sighting("cntr_3", 12))
    assert blocked(app, *made_one)


@pytest.mark.parametrize(("carried", "shows"), [({"cntr_3"}, True), (set[str](), False)])
def test_one_that_may_be_younger_is_reused_only_where_the_request_bore_it(
    carried: set[str], *, shows: bool
) -> None:
    """Another may have made it meanwhile, and this one may only cite it."""
    app = scene()
    app.starts("y", 9)
    app.ends("y", 14, "cntr_3")
    app.starts("b", 10, containers=carried)
    app.puts_out("b", 20, "cntr_3")
    assert blocked(app, older(), sighting("cntr_3", 9, active=30)) is not shows


def test_an_open_slot_of_a_tier_that_is_not_certain_blocks() -> None:
    """Which of two slots a container of unknown tier filled cannot be told."""
    app = scene()
    app.starts("b", 10, auto("1g"), auto("4g", Tool.SHELL))
    app.created("b", 11, "cntr_2")
    assert blocked(app, sighting("cntr_2", 12, tier=None), older())


def test_a_shell_that_shows_its_container_at_once_is_spoken_for() -> None:
    """The opening names a container that was born for this request."""
    app = scene()
    app.starts("b", 10, auto("1g", Tool.SHELL))
    app.created("b", 11, "cntr_2")
    assert not blocked(app, sighting("cntr_2", 11), older())


@pytest.mark.parametrize("put_out", [False, True])
def test_nothing_speaks_for_a_slot_of_unknown_tools(*, put_out: bool) -> None:
    """A stored prompt can bring two tools: one has shown its container, the other not yet."""
    app = scene()
    app.starts("b", 10, auto(tool=Tool.UNKNOWN))
    app.created("b", 11, *(() if put_out else ("cntr_2",)))
    if put_out:
        app.puts_out("b", 20, "cntr_2")
    assert blocked(app, sighting("cntr_2", 11), older())


def test_more_names_than_slots_prove_no_maker() -> None:
    """One of them has another maker, so none takes its slot out of the count."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30, "cntr_1", "cntr_2")
    app.starts("b", 10)
    app.ends("b", 30)
    app.beats(390)
    rows = [sighting(), sighting("cntr_2"), sighting("cntr_3")]
    decision = decision_of(app, rows=rows)
    assert decision.verdicts["cntr_3"].codes == (Code.SUSPECT,)


def test_a_name_of_another_tier_proves_no_maker() -> None:
    """A 4g container was not made by a 1g slot, whoever names it first."""
    app = Writer()
    app.starts("a", 10, auto("1g"))
    app.ends("a", 30, "cntr_1")
    app.starts("b", 10, auto("4g"))
    app.ends("b", 30)
    app.beats(390)
    rows = [sighting(tier="4g"), sighting("cntr_2", tier="4g")]
    decision = decision_of(app, rows=rows)
    assert decision.attribution.made == {}
    assert decision.verdicts["cntr_2"].codes == (Code.SUSPECT,)


def test_an_answer_without_a_logged_start_may_be_of_a_background_response() -> None:
    """Then it may make its container at any time after its creation."""
    app = Writer()
    app.starts("a", 200)
    app.ends("a", 220)
    app.created("b", 11, created_at=10)
    app.beats(390)
    assert verdict_of(sighting(born=202), app).kind is VerdictKind.PENDING


def test_a_response_that_was_seen_queued_is_a_background_response() -> None:
    """Whatever its start said."""
    app = Writer()
    app.starts("b", 10)
    app.created("b", 11, created_at=10, status="queued")
    app.starts("a", 200)
    app.ends("a", 220)
    app.beats(390, "b")
    assert verdict_of(sighting(born=202), app).kind is VerdictKind.PENDING


def test_a_request_did_not_make_what_it_bore() -> None:
    """Its first namer or not, it was there before."""
    app = Writer()
    app.starts("a", 13, containers=["cntr_1"])
    app.ends("a", 30, "cntr_1")
    app.beats(390)
    decision = decision_of(app, rows=[sighting(), sighting("cntr_2", 15)])
    assert decision.attribution.made == {}
    assert decision.verdicts["cntr_2"].codes == (Code.SUSPECT,)


def test_a_finished_slot_did_not_reuse_what_was_gone_before() -> None:
    """Citing a dead container takes no slot out of the count."""
    for gone, code in ((5, Code.NO_REFERENCE), (50, Code.FOREIGN)):
        app = Writer()
        app.starts("z", -102)
        app.ends("z", -80, "cntr_0")
        app.starts("a", 20)
        app.ends("a", 40, "cntr_0")
        app.beats(390)
        verdict = verdict_of(sighting(born=22), app, beside=[older(gone_at=gone)])
        assert verdict.codes[0] is code, gone


def test_a_name_of_another_tier_is_no_late_birth() -> None:
    """No slot of that response made it, so it says nothing of its window."""
    for tier, late in (("1g", ("cntr_1",)), ("4g", ())):
        app = Writer()
        app.starts("a", 10, auto("1g"))
        app.puts_out("a", 20)
        app.ends("a", 80, "cntr_1")
        app.beats(390)
        assert decision_of(app, rows=[sighting(born=40, tier=tier)]).late == late


def made(app: Writer, *rows: Sighting) -> dict[str, str]:
    """The makers that names prove."""
    return dict(decision_of(app, rows=rows).attribution.made)


@pytest.mark.parametrize(
    ("slots", "tiers", "fit"),
    [
        (("1g", "4g"), (None, "1g"), True),
        (("1g", "4g"), ("4g", "4g"), False),
        ((None, "4g"), ("4g", "1g"), True),
    ],
)
def test_each_named_container_takes_a_slot_of_its_own(
    slots: tuple[str | None, ...], tiers: tuple[str | None, ...], *, fit: bool
) -> None:
    """The closest fit first; what fits any of them takes what is left."""
    names = [f"cntr_{number}" for number in range(len(tiers))]
    app = Writer()
    app.starts("a", 10, *map(auto, slots))
    app.ends("a", 30, *names)
    rows = [sighting(name, tier=tier) for name, tier in zip(names, tiers, strict=True)]
    assert made(app, *rows) == (dict.fromkeys(names, "a") if fit else {})


@pytest.mark.parametrize("reused", [False, True])
@pytest.mark.parametrize(
    ("slots", "tier", "left"), [(("1g", "4g"), "4g", "1g"), (("4g", None), "1g", "4g")]
)
def test_a_named_container_leaves_the_slot_that_fits_it_worst(
    slots: tuple[str | None, ...], tier: str, left: str, *, reused: bool
) -> None:
    """Whether the response made it or reused it; a stranger is not explained by the other."""
    app = Writer()
    if reused:
        app.starts("z", -102)
        app.ends("z", -80, "cntr_0")
    app.starts("a", 10, *map(auto, slots))
    app.ends("a", 30, "cntr_0")
    app.beats(390)
    named = sighting("cntr_0", -100 if reused else 12, active=25, tier=tier)
    for each in ("1g", "4g"):
        verdict = verdict_of(sighting(tier=each), app, beside=[named])
        assert (verdict.kind is VerdictKind.ORPHAN) == (each == left), each


def test_of_two_slots_a_forgotten_container_has_taken_one() -> None:
    """The other explains one container, and not two."""
    app = Writer()
    app.starts("a", 10, auto("1g"), auto("1g", Tool.SHELL))
    app.ends("a", 30, "cntr_gone")
    app.beats(390)
    assert verdict_of(sighting(), app).kind is VerdictKind.ORPHAN
    assert verdict_of(sighting(), app, beside=[sighting("cntr_2")]).codes == (Code.SUSPECT,)


def test_slots_of_one_response_say_nothing_of_those_of_another() -> None:
    """The one has made something that is forgotten, the other may have made this."""
    app = Writer()
    app.starts("z", 10)
    app.ends("z", 20, "cntr_gone")
    app.starts("b", 11)
    app.beats(390, "b")
    assert decision_of(app, rows=[sighting()]).attribution.makers == {"cntr_1": "b"}


def test_what_it_made_takes_one_slot_and_what_it_reused_another() -> None:
    """So that nothing is left to explain a stranger."""
    app = Writer()
    app.starts("z", -102)
    app.ends("z", -80, "cntr_2")
    app.starts("a", 10, auto("1g"), auto("1g", Tool.SHELL))
    app.ends("a", 30, "cntr_1", "cntr_2")
    app.beats(390)
    beside = [sighting("cntr_1", active=25), sighting("cntr_2", -100, active=25)]
    assert verdict_of(sighting("cntr_3"), app, beside=beside).codes == (Code.FOREIGN,)


def test_a_name_proves_its_own_maker_alone() -> None:
    """What a request bore stands beside what another made."""
    app = Writer()
    app.starts("a", 13, containers=["cntr_1"])
    app.ends("a", 30, "cntr_1")
    app.starts("b", 10)
    app.ends("b", 30, "cntr_2")
    assert made(app, sighting(), sighting("cntr_2")) == {"cntr_2": "b"}


def test_no_slot_made_what_an_application_says_it_created() -> None:
    """Although a response that can have made it names it first."""
    app = Writer()
    app.makes("cntr_1", 12)
    app.starts("a", 10)
    app.ends("a", 30, "cntr_1")
    assert made(app, sighting()) == {}


def test_a_response_without_auto_slots_made_nothing() -> None:
    """Not even what it names first, of whatever tier."""
    app = Writer()
    app.starts("a", 10, Slot(container="cntr_9"))
    app.ends("a", 30, "cntr_1")
    assert made(app, sighting(tier=None)) == {}


@pytest.mark.parametrize(("first", "second"), list(permutations("abc", 2)))
def test_who_began_first_is_the_maker(first: str, second: str) -> None:
    """Whatever the calls are named, and though no heartbeat has told the writer's clock.

    Where it can have been born of either, none is.
    """
    app = Writer()
    app.starts(first, 10)
    app.starts(second, 61)
    for call in (first, second):
        app.ends(call, 90, "cntr_1")
    app.starts("z", 10)
    app.ends("z", 90, "cntr_2")
    assert made(app, sighting("cntr_1", 11)) == {"cntr_1": first}
    assert made(app, sighting("cntr_1", 31), sighting("cntr_2", 31)) == {"cntr_2": "z"}
