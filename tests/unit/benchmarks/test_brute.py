from typing import Literal

import pytest
from benchmarks.brute import Brute
from benchmarks.cost import NARROW, USUAL, evidence_of, replay, true_course

from demurrage.model.rules import Rules
from demurrage.simulator.score.load import generate


@pytest.mark.parametrize("proof", ["strict", "deduced"])
@pytest.mark.parametrize("use", [0.04, 0.5])
@pytest.mark.parametrize("births_within", [USUAL, NARROW])
def test_the_core_proves_what_brute_force_proves(
    births_within: float, use: float, proof: Literal["strict", "deduced"]
) -> None:
    """Two readings of the same rules that share no code, on long blocking calls side by side."""
    load = generate(rate=0.05, hours=1.5, tail=900.0, seed=3)
    evidence = evidence_of(proof, births_within)
    brute = Brute(true_course(load, use), Rules(evidence=evidence))
    usd = brute.usd(deduced=proof == "deduced")
    assert usd == pytest.approx(replay(load, use, "blocking", evidence).dollars.daemon, rel=0.01)


def test_deduction_helps_and_knowing_of_reuse_would_help_more() -> None:
    """Each reading proves what the one before does, and more of such a load."""
    truth = true_course(generate(rate=0.03, hours=2.0, tail=900.0, seed=1), 0.2)
    strict = Brute(truth, Rules()).usd(deduced=False)
    deduced = Brute(truth, Rules()).usd(deduced=True)
    knowing = Brute(truth, Rules(), carried_are_reused=True).usd(deduced=True)
    assert knowing < deduced < strict
