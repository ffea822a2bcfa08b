"""What was decided stands for later starts, also after a restart or a broken fold."""

from unittest.mock import patch

import pytest
from tests.unit.decide.builders import TARGET, T, Writer
from tests.unit.engine.test_breaking_off import Log
from tests.unit.engine.test_look import Clock

from demurrage.decide.lineage import Lineages
from demurrage.decide.response import Claim
from demurrage.engine.evidence import Evidence
from demurrage.model.record import Cursor

DELAY = 30.0


@pytest.fixture
def writer() -> Writer:
    """One whose request is under way."""
    writer = Writer()
    writer.beats(0.0)
    writer.starts("a", 10.0)
    return writer


def _late(evidence: Evidence) -> set[str]:
    responses = evidence.ledger.book(TARGET).responses.values()
    return {each.call_id for each in responses if each.began_late(DELAY)}


async def test_a_start_that_comes_after_a_restart_is_late_all_the_same(writer: Writer) -> None:
    """What had been read by then is not, however old it is."""
    before = Evidence(Log(writer), None, 60.0)
    await before.read(Clock())
    before.claim(TARGET, Claim(T + 90.0, T + 60.0))
    assert before.cursor is not None
    assert before.cursor.claims == {TARGET: T + 60.0}
    writer.starts("b", 50.0)
    writer.starts("c", 60.0)
    after = Evidence(Log(writer), before.cursor, 60.0)
    await after.read(Clock())
    assert _late(after) == {"b"}
    claim = after.ledger.book(TARGET).responses["b"].claim
    assert claim is not None
    assert claim.read_at == Clock().now()
    after.claim(TARGET, Claim(T + 100.0, T + 20.0))
    assert after.cursor is not None
    assert after.cursor.claims == {TARGET: T + 60.0}


async def test_what_nothing_was_decided_of_is_not_remembered(writer: Writer) -> None:
    """A claim that stands on too short a series of readings says nothing."""
    evidence = Evidence(Log(writer), None, 60.0)
    await evidence.read(Clock())
    evidence.claim(TARGET, Claim.of(T + 90.0, T + 60.0, T + 80.0, delay=DELAY))
    assert evidence.cursor is not None
    assert evidence.cursor.claims == {}


async def test_in_another_log_nothing_is_late(writer: Writer) -> None:
    """What was decided was decided on one that is gone; every target is held for that."""
    evidence = Evidence(Log(writer), Cursor("gone", 1, T, {TARGET: T + 60.0}), 60.0)
    await evidence.read(Clock())
    assert evidence.setbacks == 1
    assert _late(evidence) == set()


async def test_a_start_is_late_though_the_fold_broke_off(writer: Writer) -> None:
    """And what was read before is not late for being folded anew."""
    evidence, clock = Evidence(Log(writer), None, 60.0), Clock()
    await evidence.read(clock)
    evidence.claim(TARGET, Claim(T + 90.0, T + 60.0))
    writer.starts("b", 50.0)
    with patch.object(Lineages, "join", side_effect=MemoryError), pytest.raises(MemoryError):
        await evidence.read(clock)
    await evidence.read(clock)
    assert _late(evidence) == {"b"}
