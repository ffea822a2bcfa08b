"""Random true histories under `evidence.proof = "deduced"`: nothing in use is ever let go."""

import os
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.decide.builders import RULES, decision_of, facts, ledger_of
from tests.unit.decide.histories import History, at_some_moment, degraded, history

from demurrage.decide.decision import Decision
from demurrage.model.event import Record
from demurrage.model.rules import Rules
from demurrage.model.verdict import VerdictKind

SEEDS = st.integers(0, 2**32)
GOING = (VerdictKind.ORPHAN, VerdictKind.RELEASED)
DEDUCED = replace(RULES, evidence=replace(RULES.evidence, proof="deduced"))
HISTORIES = int(os.environ.get("HISTORIES", "300"))  # HISTORIES=50000 is a long hunt


def decided(told: History, records: list[Record], now: float, rules: Rules) -> Decision:
    """The decision from some records on what is listed then."""
    known = facts(retired=told.retired_by(now))
    rows = told.listed(now)
    return decision_of(ledger_of(records), rows=rows, now=now, known=known, rules=rules)


def going(decision: Decision) -> set[str]:
    """What would be deleted."""
    return {key for key, each in decision.verdicts.items() if each.kind in GOING}


@settings(max_examples=HISTORIES, derandomize=True, deadline=None)
@given(SEEDS)
def test_what_is_deduced_is_never_used_again_and_the_strict_proof_loses_nothing(seed: int) -> None:
    """Whatever the log lost, and whoever was killed; the true maker is never ruled out."""
    dice = Random(seed)
    told = history(dice, fates=True)
    done_at = {each.id: each.done_at for each in told.made}
    for _ in range(3):
        now = at_some_moment(dice)
        records = degraded(dice, told, now) if dice.random() < 0.5 else told.full(now)
        decision = decided(told, records, now, DEDUCED)
        deduced = going(decision)
        assert deduced >= going(decided(told, records, now, RULES)), now
        assert not deduced & (told.in_use(now) | told.used_later(now)), now
        assert all(done_at[each] <= now for each in decision.attribution.deduced), now


def test_histories_leave_something_to_deduce() -> None:
    """Or the property above would hold of nothing."""
    found = 0
    for seed in range(200):
        dice = Random(seed)
        told = history(dice)
        now = at_some_moment(dice)
        found += len(decided(told, told.full(now), now, DEDUCED).attribution.deduced)
    assert found >= 5
