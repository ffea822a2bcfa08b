"""What orphans cost under the daemon, beside the best possible, an idle script, and doing nothing.

Replays three real traces, the coding-agent day laid over itself, and generated loads through the
real core, on the shipped rails and with complete coverage. Quick by default: one rate of tool
use, the first hours of each load. `--full` takes whole days, every rate, both modes, and the
coding-agent day laid over itself eight times; that takes hours of CPU time, most of it where
deduction works on that load.

The best possible policy knows every container's maker but not the future. Every figure is a
ratio to it, or a share; the goals stand beside. Where coding agents block, a brute-force reading
of the same rules stands beside as well, and one that takes a request bearing a living container
for one that makes none: the daemon may not, for no log can tell. What it may be told is how late a
container is born: the coding-agent days are replayed with a narrower `evidence.max_birth_delay`,
too.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Literal

from benchmarks.brute import Brute
from benchmarks.measured import Measured, Options, figure

from demurrage.model.rules import EvidenceRules, Rules
from demurrage.simulator.score.load import Load, Mode, generate, head, overlay
from demurrage.simulator.score.score import Score, Setting, score
from demurrage.simulator.score.trace import read_trace
from demurrage.simulator.score.truth import Habits, Truth, lay_out

TRACES = Path(__file__).resolve().parents[2] / "shared" / "traces"
CHAT = ("day_chat_low", "day_chat_7x")
AGENT = "day_agentic_moderate"
RATES = (0.04, 0.2, 0.5, 0.83)
PROVABLE_GOAL = 0.999
CHAT_GOAL = 1.005
Proof = Literal["strict", "deduced"]
AGENT_GOALS = {("strict", 1): 1.20, ("deduced", 1): 1.08, ("strict", 8): 1.65, ("deduced", 8): 1.45}
BRUTE_GOAL = 1.01
# Seconds after a response was created in which its container is born, where an operator says so;
# 1 to 7 were observed.
NARROW = 10.0
USUAL = EvidenceRules().max_birth_delay
BEGINS_AT = 1_800_000_000.0
QUICK_HOURS = {1: 12.0, 8: 2.0}
_QUICK = {0.02: 6.0, 0.4: 1.0, 2.0: 0.3}


def traces(*, full: bool) -> Iterator[tuple[Load, int, bool]]:
    """The traces: each load, how many times it is laid over itself, and whether it is chat."""
    for name in CHAT:
        load = read_trace(TRACES / f"{name}.csv.gz")
        yield load if full else head(load, QUICK_HOURS[1]), 1, True
    for times in (1, 8):
        load = overlay(read_trace(TRACES / f"{AGENT}.csv.gz"), times)
        yield load if full else head(load, QUICK_HOURS[times]), times, False


def generated(*, full: bool) -> Iterator[Load]:
    """Generated loads, from quiet to busy, with tails to half an hour."""
    for rate in (0.02, 0.4, 2.0):
        for tail in (0.0, 1800.0):
            yield generate(rate=rate, hours=6.0 if full else _QUICK[rate], tail=tail, seed=1)


def evidence_of(proof: Proof, births_within: float = USUAL) -> EvidenceRules:
    """What counts as proof where every maker logs; births in seconds after the response's."""
    return EvidenceRules(coverage="complete", proof=proof, max_birth_delay=births_within)


def windows(evidence: EvidenceRules) -> str:
    """What is said of windows that are not those of the settings' default."""
    usual = evidence.max_birth_delay == USUAL
    return "" if usual else f", births within {evidence.max_birth_delay:.0f} s"


def replay(load: Load, use: float, mode: Mode, evidence: EvidenceRules) -> Score:
    """One replay, its line printed."""
    rules = Rules(evidence=evidence)
    began = process_time()
    result = score(load, Setting(Habits(use, mode)), rules)
    usd = result.dollars
    print(
        f"{load.name}: {use:.0%} {mode} {evidence.proof}{windows(evidence)}: "
        f"{result.orphans:,} orphans, harmful {result.harmful}, in time {result.in_time:,}, "
        f"late {result.late:,}, missed {result.missed:,}; ÷ best {result.ratio:.4f} "
        f"(idle script {usd.ratio(usd.script):.2f}, harm {result.script_harm:,}; left alone "
        f"{usd.ratio(usd.left_alone):.2f}); of provable {result.provable_share:.4%}, at the floor "
        f"{result.provable_share_at_floor:.4%}; {process_time() - began:.0f} s",
        flush=True,
    )
    for hold in result.holds:
        print(f"  a rail held: {hold}")
    return result


def true_course(load: Load, use: float) -> Truth:
    """What happens in a replay, as `replay` lays it out."""
    expiry = Rules().billing.idle_expiry
    return lay_out(load, Habits(use, "blocking"), idle_expiry=expiry, begins_at=BEGINS_AT)


def beside_brute(result: Score, truth: Truth, evidence: EvidenceRules) -> Measured:
    """What the daemon lets orphans cost, beside a brute-force reading of the same rules."""
    usd, deduced, rules = result.dollars, evidence.proof == "deduced", Rules(evidence=evidence)
    brute = Brute(truth, rules).usd(deduced=deduced)
    guess = Brute(truth, rules, carried_are_reused=True).usd(deduced=deduced)
    return Measured(
        f"orphan cost ÷ brute-force reading of the same rules, {result.load}, "
        f"{result.setting.habits.tool_use_words}, {evidence.proof}{windows(evidence)}",
        usd.daemon / brute if brute else 1.0,
        "times brute force",
        BRUTE_GOAL,
        rival=f"÷ best: daemon {figure(result.ratio)}, brute force {figure(usd.ratio(brute))}, "
        f"were carried containers known to be reused {figure(usd.ratio(guess))}",
    )


def measure(options: Options) -> Iterator[Measured]:
    """Replay, and set the goals beside what came of it."""
    full = options.full
    rates = RATES if full else (0.2,)
    strict = evidence_of("strict")
    proofs: tuple[Proof, ...] = ("strict", "deduced")
    agents = [evidence_of(each, delay) for delay in (USUAL, NARROW) for each in proofs]
    shares: list[float] = []
    harm = 0
    if not TRACES.is_dir():
        print(f"skipped, for there is no {TRACES}: the three traces")
    for load, times, chat in traces(full=full) if TRACES.is_dir() else ():
        for use in rates:
            truth = None if chat else true_course(load, use)
            for evidence in [strict] if chat else agents:
                result = replay(load, use, "blocking", evidence)
                shares.append(result.provable_share)
                harm += result.harmful
                usd = result.dollars
                yield Measured(
                    f"orphan cost ÷ best possible, {load.name}, {use:.0%}, {evidence.proof}"
                    f"{windows(evidence)}",
                    result.ratio,
                    "times the best",
                    CHAT_GOAL if chat else AGENT_GOALS[evidence.proof, times],
                    rival=f"idle script {figure(usd.ratio(usd.script))} with harm "
                    f"{result.script_harm:,}; left alone {figure(usd.ratio(usd.left_alone))}",
                )
                if truth is not None:
                    yield beside_brute(result, truth, evidence)
    modes: tuple[Mode, ...] = ("blocking", "streamed")
    for load in generated(full=full):
        for use in rates:
            for mode in modes:
                result = replay(load, use, mode, strict)
                shares.append(result.provable_share)
                harm += result.harmful
    yield Measured(
        "orphans deleted of those provable before the floor, at the least",
        min(shares),
        "share",
        PROVABLE_GOAL,
        at_least=True,
    )
    yield Measured("harmful deletes in all replays", harm, "deletes", 0.0)
    partial(generate(rate=0.2, hours=1.0, tail=600.0, seed=2))


def partial(load: Load) -> None:
    """Partial coverage: nothing is deleted, and the score tells whether the word may be given."""
    for share in (1.0, 0.95, 0.5):
        result = score(load, replace(Setting(), share=share), Rules())
        told = result.foretold
        print(
            f"partial coverage, {share:.0%} of applications log: deleted "
            f"{result.in_time + result.late}, would delete {told.deletes}, of them wrong "
            f"{told.wrong}, noticed {told.noticed}; strangers {told.strangers}; may be called "
            f"complete: {'yes' if told.word_may_be_given else 'no'}"
        )
