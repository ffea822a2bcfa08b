"""The replay through the core, against a slow reading of the same rules and against the truth."""

from dataclasses import replace
from math import inf
from typing import Literal

import pytest
from tests.unit.decide.builders import T, Writer, decision_of, sighting
from tests.unit.simulator.score.twin import deleted_at

from demurrage.model.rules import EvidenceRules, RailRules, Rules
from demurrage.simulator.score.events import Telling
from demurrage.simulator.score.load import Load, Mode, Request, generate
from demurrage.simulator.score.policies import cost
from demurrage.simulator.score.replay import CALLS_TAKE, Replay, Voyage
from demurrage.simulator.score.score import Setting, score
from demurrage.simulator.score.truth import Habits, Truth, lay_out

COMPLETE = Rules(evidence=EvidenceRules(coverage="complete"))
BEGINS = 1_800_000_000.0


def sail(load: Load, rules: Rules, habits: Habits, share: float = 1.0) -> tuple[Truth, Voyage]:
    """Replay a load."""
    truth = lay_out(load, habits, idle_expiry=1200.0, begins_at=BEGINS)
    return truth, Replay(truth, Telling(truth, share=share), rules).run()


@pytest.mark.parametrize("mode", ["blocking", "streamed"])
def test_it_deletes_when_a_brute_force_reading_of_the_rules_does(mode: Mode) -> None:
    """Passing over cycles and the core's cleverness change no delete, and cost within 1 %."""
    load = generate(rate=0.06, hours=1.0, tail=900.0, seed=4)
    truth, voyage = sail(load, COMPLETE, Habits(0.3, mode))
    orphans = [box for box in truth.boxes.values() if box.orphan]
    slow = {box.id: deleted_at(box, truth, COMPLETE, CALLS_TAKE) for box in orphans}
    assert len(orphans) > 80
    assert {key: at for key, at in slow.items() if at < inf} == voyage.deleted
    usd = sum(cost(box, voyage.deleted.get(box.id, inf), COMPLETE.billing) for box in orphans)
    slow_usd = sum(cost(box, slow[box.id], COMPLETE.billing) for box in orphans)
    assert usd == pytest.approx(slow_usd, rel=0.01)


def test_a_birth_is_accounted_for_once_a_slot_does_and_no_more() -> None:
    """As the daemon's chronicle has it, though at first nothing could have made the container."""
    truth = lay_out(Load("none", (), 0.0), Habits(0.0), idle_expiry=1200.0, begins_at=T)
    replay = Replay(truth, Telling(truth), COMPLETE)
    replay._quay.sightings["cntr_1"] = sighting()
    replay._undecided.add("cntr_1")
    stranger, maker = Writer("stranger"), Writer("maker")
    stranger.beats(390)
    maker.starts("a", 10)
    maker.ends("a", 30)
    maker.beats(390)
    logged = []
    for writer in (stranger, maker, maker):
        replay._account(decision_of(writer, rows=[sighting()]))
        hours = replay._past.history({}, T + 400.0).hours
        logged.append(sum(tally.logged for tally in hours.values()))
    assert logged == [0, 1, 1]


@pytest.mark.parametrize("proof", ["strict", "deduced"])
def test_nothing_that_is_needed_is_deleted(proof: Literal["strict", "deduced"]) -> None:
    """A load with long answers, half of which use the tool: no harm, whatever the proof."""
    rules = replace(COMPLETE, evidence=replace(COMPLETE.evidence, proof=proof))
    load = generate(rate=0.1, hours=0.6, tail=1800.0, seed=2)
    result = score(load, Setting(Habits(0.5)), rules)
    assert result.harmful == 0
    assert result.in_time + result.late + result.missed == result.orphans > 40
    assert result.script_harm > 0
    assert result.dollars.best <= result.dollars.daemon <= result.dollars.left_alone
    assert result.provable_share >= 0.999


def test_deduction_deletes_no_later_than_the_strict_proof() -> None:
    """On the same load deduction costs no more."""
    load = generate(rate=0.1, hours=0.6, tail=1800.0, seed=3)
    deduced = replace(COMPLETE, evidence=replace(COMPLETE.evidence, proof="deduced"))
    strict_usd, deduced_usd = (
        score(load, Setting(Habits(0.1)), rules).dollars.daemon for rules in (COMPLETE, deduced)
    )
    assert deduced_usd <= strict_usd


def test_a_chat_load_costs_no_more_than_the_best_possible() -> None:
    """Short answers leave nothing to guess: every orphan goes before the floor."""
    result = score(generate(rate=0.1, hours=0.5, seed=1), Setting(), COMPLETE)
    assert result.ratio <= 1.005
    assert (result.late, result.missed, result.harmful) == (0, 0, 0)


def test_partial_coverage_deletes_nothing_and_tells_whether_the_word_may_be_given() -> None:
    """With all applications logging the word may be given, with half of them it may not."""
    load = generate(rate=0.1, hours=0.4, seed=5)
    results = [score(load, Setting(share=share), Rules()) for share in (1.0, 0.5)]
    for result, fit in zip(results, (True, False), strict=True):
        assert result.in_time + result.late == 0
        assert result.missed == result.orphans
        assert result.foretold.deletes > 0
        assert result.foretold.word_may_be_given is fit
    assert results[1].foretold.strangers > 0


def test_a_rail_that_trips_holds_all_and_is_named() -> None:
    """With three deletes an hour the fourth holds the sweep until all it holds have expired."""
    rules = replace(COMPLETE, rails=RailRules(max_deletes_per_hour=3))
    result = score(generate(rate=0.1, hours=0.3, seed=6), Setting(), rules)
    assert result.in_time + result.late <= 6
    assert result.why["rail_held"] == result.missed > 50
    assert result.holds


def test_what_an_unlogged_application_uses_makes_a_foretold_delete_wrong() -> None:
    """A logged turn that made nothing seems to be the maker; nobody who only reads would know."""
    requests = (
        Request("logged", 0.0, 5.0, 0.0),
        Request("logged", 100.0, 20.0, 0.9),
        Request("unlogged", 101.0, 1150.0, 0.0),
    )
    load = Load("two applications", requests, 102.0)
    settings = (Setting(Habits(0.5), share=0.05, seed=seed) for seed in range(20))
    results = [score(load, setting, Rules()) for setting in settings]
    assert {each.in_time + each.late for each in results} == {0}
    assert {(each.foretold.deletes, each.foretold.wrong) for each in results} >= {(1, 1)}
    assert {each.foretold.noticed for each in results} == {0}
