"""P4: every container needs a slot of its own; what the count leaves over is a suspect."""

from tests.unit.decide.builders import Writer, auto, decision_of, sighting, verdict_of

from demurrage.model.condition import ConditionKind
from demurrage.model.event import Ending, Slot
from demurrage.model.verdict import Code, VerdictKind


def turns(*slots: Slot, at: float = 10, names: tuple[str, ...] = ()) -> Writer:
    """Finished turns of one slot each, the first of which names something."""
    app = Writer()
    for number, slot in enumerate(slots):
        app.starts(f"r{number}", at, slot)
        app.ends(f"r{number}", at + 20, *(names if number == 0 else ()))
    return app


def test_as_many_containers_as_slots_fit() -> None:
    """Each has a possible maker of its own."""
    app = turns(auto(), auto())
    app.beats(390)
    decision = decision_of(app, rows=[sighting(), sighting("cntr_2", 13)])
    assert {each.kind for each in decision.verdicts.values()} == {VerdictKind.ORPHAN}
    assert {each.maker for each in decision.verdicts.values()} == {"r0", "r1"}


def test_one_container_too_many_makes_all_that_compete_suspect() -> None:
    """Which of them has the unlogged maker cannot be told."""
    app = turns(auto(), auto())
    app.beats(390)
    rows = [sighting(f"cntr_{number}", 12 + number) for number in range(3)]
    decision = decision_of(app, rows=rows)
    assert {each.codes for each in decision.verdicts.values()} == {(Code.SUSPECT,)}
    assert ConditionKind.UNLOGGED_MAKERS in {each.kind for each in decision.conditions}


def test_suspicion_does_not_reach_what_does_not_compete() -> None:
    """A neighbour with a slot that no suspect can take stays provable."""
    app = turns(auto("1g"))
    app.starts("x", 100, auto("1g"))
    app.ends("x", 120)
    app.beats(390)
    rows = [sighting("cntr_1"), sighting("cntr_2", 13), sighting("cntr_3", 102)]
    verdicts = decision_of(app, rows=rows).verdicts
    assert [verdicts[each.id].kind for each in rows] == [
        VerdictKind.UNPROVEN,
        VerdictKind.UNPROVEN,
        VerdictKind.ORPHAN,
    ]


def test_suspicion_passes_along_shared_slots() -> None:
    """A container is suspect if a suspect can take its slot, in turns too."""
    app = Writer()
    for number, at in enumerate((10, 25)):
        app.starts(f"r{number}", at)
        app.puts_out(f"r{number}", at + 15)
        app.ends(f"r{number}", at + 40)
    app.beats(390)
    rows = [sighting("cntr_1", 8), sighting("cntr_2", 25), sighting("cntr_3", 40)]
    codes = {each.codes for each in decision_of(app, rows=rows).verdicts.values()}
    assert codes == {(Code.SUSPECT,)}


def test_a_gone_container_still_took_its_slot() -> None:
    """Deleted and expired ones are counted."""
    app = turns(auto())
    app.beats(390)
    for gone in (
        sighting("cntr_2", 13, gone_at=100),
        sighting("cntr_2", 13, deleted_at=100),
        sighting("cntr_2", 13, status="expired"),
    ):
        assert verdict_of(sighting(), app, beside=[gone]).codes == (Code.SUSPECT,)


def test_a_named_container_takes_its_makers_slot() -> None:
    """The slot has shown what it made."""
    app = turns(auto(), names=("cntr_2",))
    app.beats(390)
    verdict = verdict_of(sighting(), app, beside=[sighting("cntr_2", 13)])
    assert verdict.codes == (Code.FOREIGN,)
    assert verdict.due_at is None


def test_a_reuse_takes_the_slot_too() -> None:
    """A request that reused an older living container made none."""
    app = turns(auto(), at=-100, names=("cntr_0",))
    app.starts("x", 10)
    app.ends("x", 30, "cntr_0")
    app.beats(390)
    old = sighting("cntr_0", -98, active=20)
    assert verdict_of(sighting(), app, beside=[old]).codes == (Code.FOREIGN,)


def test_an_explicit_container_takes_no_slot() -> None:
    """No slot has made it."""
    app = turns(auto())
    app.makes("cntr_2", 13)
    app.beats(390)
    beside = [sighting("cntr_2", 13)]
    assert verdict_of(sighting(), app, beside=beside).kind is VerdictKind.ORPHAN


def test_tiers_count_apart() -> None:
    """A 4g slot accounts for no 1g container; an unknown one for any."""
    rows = [sighting("cntr_1"), sighting("cntr_2", tier="4g")]
    for slots, kinds in (
        ((auto("1g"), auto("4g")), {VerdictKind.ORPHAN}),
        ((auto("1g"), auto(None)), {VerdictKind.ORPHAN}),
        ((auto(None), auto(None)), {VerdictKind.ORPHAN}),
        ((auto("4g"), auto(None)), {VerdictKind.ORPHAN}),
        ((auto("1g"), auto("1g")), {VerdictKind.ORPHAN, VerdictKind.UNPROVEN}),
    ):
        app = turns(*slots)
        app.beats(390)
        verdicts = decision_of(app, rows=rows).verdicts
        assert {each.kind for each in verdicts.values()} == kinds, slots


def test_a_container_outside_every_window_is_foreign() -> None:
    """No logged response can have created it, and an incident says so."""
    app = turns(auto())
    app.beats(390)
    decision = decision_of(app, rows=[sighting(born=100)])
    assert decision.verdicts["cntr_1"].codes == (Code.FOREIGN,)
    assert ConditionKind.FOREIGN_CONTAINERS in {each.kind for each in decision.conditions}


def test_a_foreign_container_does_not_freeze_its_neighbours() -> None:
    """It competes for no slot."""
    app = turns(auto())
    app.beats(390)
    verdict = verdict_of(sighting(), app, beside=[sighting("cntr_2", 100)])
    assert verdict.kind is VerdictKind.ORPHAN


def test_a_named_container_born_late_widens_all_windows() -> None:
    """It shows that windows are too narrow, in this very decision."""
    app = Writer()
    app.starts("a", 10)
    app.puts_out("a", 20)
    app.ends("a", 80, "cntr_1")
    app.starts("b", 40)
    app.puts_out("b", 50)
    app.starts("c", 100)
    app.ends("c", 120)
    app.beats(390, "b")
    mine = sighting("cntr_1", 30, active=60)
    other = sighting("cntr_2", 102)
    with_late = decision_of(app, rows=[mine, other])
    without = decision_of(app, rows=[other])
    assert with_late.late == ("cntr_1",)
    assert ConditionKind.LATE_BIRTHS in {each.kind for each in with_late.conditions}
    assert with_late.verdicts["cntr_2"].kind is VerdictKind.PENDING
    assert without.verdicts["cntr_2"].kind is VerdictKind.ORPHAN


def test_a_reused_container_is_no_late_birth() -> None:
    """Only the first namer's window counts, and only if its request did not bear it."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30, "cntr_1")
    app.starts("b", 200)
    app.ends("b", 220, "cntr_1")
    app.starts("c", 210, Slot(container="cntr_1"))
    app.ends("c", 230, status=Ending.FAILED)
    app.beats(390)
    assert decision_of(app, rows=[sighting(active=25)]).late == ()


def test_a_slot_stays_taken_when_its_container_is_forgotten() -> None:
    """What a response named is gone and no longer listed; its slot explains no stranger."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30, "cntr_gone")
    app.beats(390)
    assert verdict_of(sighting(), app).kind is VerdictKind.UNPROVEN
