"""Whatever becomes of the log, nothing in use is let go; and what is proven goes."""

from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.unit.decide.builders import decision_of, facts, ledger_of
from tests.unit.decide.histories import (
    History,
    at_some_moment,
    conflicted,
    degraded,
    history,
)

from demurrage.decide.decision import Decision
from demurrage.decide.ledger import Ledger
from demurrage.model.event import Entry, Record
from demurrage.model.rules import EvidenceRules
from demurrage.model.verdict import Verdict, VerdictKind

SEEDS = st.integers(0, 2**32)
GOING = (VerdictKind.ORPHAN, VerdictKind.RELEASED)
SKEW = EvidenceRules().clock_skew


def decided(told: History, records: list[Record], now: float) -> Decision:
    """The decision from some records on what is listed then."""
    known = facts(retired=told.retired_by(now))
    return decision_of(ledger_of(records), rows=told.listed(now), now=now, known=known)


def let_go(decision: Decision) -> dict[str, Verdict]:
    """What would be deleted."""
    return {key: each for key, each in decision.verdicts.items() if each.kind in GOING}


@examples(300)
@given(SEEDS)
def test_nothing_in_use_is_let_go_whatever_the_log_lost(seed: int) -> None:
    """Soundness: neither a referenced container nor one whose maker may yet name it."""
    dice = Random(seed)
    told = history(dice)
    for _ in range(3):
        now = at_some_moment(dice)
        going = let_go(decided(told, degraded(dice, told, now), now))
        assert not told.in_use(now) & set(going), (now, going)


@settings(examples(1000), derandomize=True)
@given(SEEDS)
def test_what_goes_would_go_by_the_true_log_and_is_never_used_again(seed: int) -> None:
    """Lines late, twice, lost, set aside; clocks off by 30 s; writers killed and taken over.

    Where the true log breaks coverage by a clock that nobody knows, it keeps everything; one that
    lost that writer's starts must keep what is used, and no more.
    """
    dice = Random(seed)
    told = history(dice, fates=True)
    for _ in range(3):
        now = at_some_moment(dice)
        going = set(let_go(decided(told, degraded(dice, told, now), now)))
        best = decided(told, told.full(now), now)
        assert best.breaks or going <= set(let_go(best)), now
        assert not going & (told.in_use(now) | told.used_later(now)), now


@examples(300)
@given(SEEDS)
def test_a_worse_log_lets_nothing_go_that_the_full_one_keeps(seed: int) -> None:
    """Late, lost, garbled, repeated and reordered lines only ever keep more."""
    dice = Random(seed)
    told = history(dice)
    for _ in range(3):
        now = at_some_moment(dice)
        going = let_go(decided(told, degraded(dice, told, now), now))
        best = let_go(decided(told, told.full(now), now))
        assert set(going) <= set(best), now


@examples(100)
@given(SEEDS)
def test_dropping_any_one_event_lets_nothing_go(seed: int) -> None:
    """Monotone: less evidence never turns a kept container into one that goes.

    As long as the gap shows: nothing tells that a writer's last event is missing.
    """
    dice = Random(seed)
    told = history(dice)
    now = at_some_moment(dice)
    full = told.full(now)
    best = set(let_go(decided(told, full, now)))
    last = {each.event.source: each.event.sequence for each in full if isinstance(each, Entry)}
    for place, each in enumerate(full):
        assert isinstance(each, Entry)
        if each.event.sequence == last[each.event.source]:
            continue
        less = set(let_go(decided(told, full[:place] + full[place + 1 :], now)))
        assert less <= best, each


@examples(200)
@given(SEEDS)
@example(10461290)
def test_everything_unnamed_goes_once_all_is_finished_and_told(seed: int) -> None:
    """Liveness: complete heartbeats and ended responses leave nothing to wait for."""
    dice = Random(seed)
    told = history(dice, finished=True)
    now = told.over + 50
    verdicts = decided(told, told.full(now), now).verdicts
    for made in told.made:
        kind = verdicts[made.id].kind
        if not made.held:
            assert kind is VerdictKind.ORPHAN, (made, verdicts[made.id])
        elif all(talk in told.closed for talk in made.held):
            # Another writer's end counts only clearly after a start, by the clocks' uncertainty.
            clear = all(
                call.starts + SKEW <= told.closed[talk]
                for talk in made.held
                for call in told.calls
                if call.conversation == talk
            )
            expected = (
                {VerdictKind.RELEASED} if clear else {VerdictKind.RELEASED, VerdictKind.REFERENCED}
            )
            assert kind in expected, (made, verdicts[made.id])
        else:
            assert kind is VerdictKind.REFERENCED, (made, verdicts[made.id])


@examples(200)
@given(SEEDS)
def test_folding_is_commutative_and_idempotent(seed: int) -> None:
    """Any order and any repetition of the records gives the same decision."""
    dice = Random(seed)
    told = history(dice)
    now = at_some_moment(dice)
    records = conflicted(dice, degraded(dice, told, now))
    entries = [each for each in records if isinstance(each, Entry)]
    repeated = records + dice.choices(entries, k=dice.randint(0, 5) if entries else 0)
    dice.shuffle(repeated)
    assert _shown(decided(told, repeated, now)) == _shown(decided(told, records, now))


@examples(100)
@given(SEEDS)
def test_folding_bit_by_bit_is_folding_at_once(seed: int) -> None:
    """A reader that has decided in between knows no more and no less than a new one."""
    dice = Random(seed)
    told = history(dice)
    now = at_some_moment(dice)
    records = degraded(dice, told, now)
    ledger = Ledger()
    for record in records:
        ledger.fold([record])
        if dice.random() < 0.2:
            decision_of(ledger, rows=told.listed(now), now=now)
            ledger.held_positions()
    bit_by_bit = decision_of(ledger, rows=told.listed(now), now=now)
    assert _shown(bit_by_bit) == _shown(decided(told, records, now))


def _shown(decision: Decision) -> tuple[object, ...]:
    return (
        dict(decision.verdicts),
        decision.watermark,
        decision.breaks,
        decision.late,
        decision.conditions,
    )
