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


def _late(evidence: Evidence) -> set[str]:
    responses = evidence.ledger.book(TARGET).responses.values()
    return {each.call_id for each in responses if each.began_late(DELAY)}


async def test_a_start_that_comes_after_a_restart_is_late_all_the_same(writer: Writer) -> None:
    """What had been read by the last decision is not, however old it is; what came since is."""
    before = Evidence(Log(writer), None, 60.0)
    await before.read(Clock())
    before.claim(TARGET, Claim(T + 90.0, T + 60.0))
    claim = before.claimed(TARGET)
    assert claim == Claim(T + 90.0, T + 60.0, position=2)
    writer.starts("b", 50.0)
    # Read in a look that decides nothing.
    await before.read(Clock())
    writer.starts("c", 60.0)
    after = Evidence(Log(writer), before.cursor, 60.0, claims={TARGET: claim})
    await after.read(Clock())
    assert _late(after) == {"b"}
    judged = after.ledger.book(TARGET).responses["b"].claim
    assert judged == claim._replace(read_at=Clock().now())
    after.claim(TARGET, Claim(T + 100.0, T + 20.0))
    assert after.claimed(TARGET) == Claim(T + 100.0, T + 60.0, position=4)


async def test_in_another_log_nothing_is_late(writer: Writer) -> None:
    """What was decided was decided on one that is gone; every target is held for that."""
    claims = {TARGET: Claim(T + 90.0, T + 60.0)}
    evidence = Evidence(Log(writer), Cursor("gone", 1, T), 60.0, claims=claims)
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
