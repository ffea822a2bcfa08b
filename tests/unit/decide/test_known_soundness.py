"""Whatever the daemon reads of which response, and when: nothing in use is let go."""

import math
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.examples import examples
from tests.unit.decide.builders import READER, T, Writer, decision_of, ledger_of
from tests.unit.decide.histories import Call, History, at_some_moment, degraded, history

from demurrage.decide.decision import Decision
from demurrage.model.event import Created, Ending, Finished, Record, Started
from demurrage.model.verdict import VerdictKind

SEEDS = st.integers(0, 2**32)
GOING = (VerdictKind.ORPHAN, VerdictKind.RELEASED)


def read(dice: Random, told: History, now: float) -> list[Record]:
    """True readings of some responses by then, each at some moment of its life or after it."""
    reader = Writer(READER)
    for call in told.calls:
        if call.ending is Ending.LOST or dice.random() < 0.4:
            continue
        begun = False
        for _ in range(dice.randint(1, 3)):
            at = call.creation + dice.uniform(0, 300)
            if at <= now:
                _read(reader, call, at, begun=begun)
                begun = True
    return reader.records


def _read(reader: Writer, call: Call, at: float, *, begun: bool) -> None:
    """What the API shows of a response at a moment."""
    response_id = f"resp_{call.name}"
    reused = frozenset({call.reuses.id} if call.reuses is not None else ())
    names = reused | {each.id for each in call.born if each.named_at <= at}
    if not begun:
        fact = Started(
            response_id,
            call.slots,
            reused if call.starts % 1 > 0 else frozenset(),
            conversation=call.conversation,
            background=call.background,
        )
        reader.say(call.creation, fact)
    if at < call.ends or math.isinf(call.ends):
        status = "queued" if at < call.runs else "in_progress"
        shown = names if at >= call.output else frozenset[str]()
        created = Created(
            response_id, response_id, T + call.creation, status=status, containers=shown
        )
        reader.say(at, created)
        return
    ended_at = call.ends if call.ending is Ending.COMPLETED else at
    end = Finished(
        response_id, call.ending, response_id, created_at=T + call.creation, containers=names
    )
    reader.say(ended_at, end)


def decided(told: History, records: list[Record], now: float) -> Decision:
    """The decision from some records on what is listed then."""
    return decision_of(ledger_of(records), rows=told.listed(now), now=now)


def going(decision: Decision) -> set[str]:
    """What would be deleted."""
    return {key for key, each in decision.verdicts.items() if each.kind in GOING}


@examples(400)
@given(SEEDS)
def test_nothing_in_use_is_let_go_with_readings_beside_a_worse_log(seed: int) -> None:
    """A reading may end what an application left open, and never what may yet name."""
    dice = Random(seed)
    told = history(dice)
    for _ in range(3):
        now = at_some_moment(dice)
        records = [*degraded(dice, told, now), *read(dice, told, now)]
        dice.shuffle(records)
        assert not told.in_use(now) & going(decided(told, records, now)), now


@examples(200)
@given(SEEDS)
def test_the_order_of_readings_and_events_does_not_matter(seed: int) -> None:
    """A reader that starts anew from the log knows what it knew before."""
    dice = Random(seed)
    told = history(dice)
    now = at_some_moment(dice)
    records = [*degraded(dice, told, now), *read(dice, told, now)]
    found = decided(told, records, now)
    for _ in range(3):
        dice.shuffle(records)
        again = decided(told, records, now)
        assert again.verdicts == found.verdicts
        assert again.breaks == found.breaks
        assert again.conditions == found.conditions
