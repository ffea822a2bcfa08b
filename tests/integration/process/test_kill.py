"""`kill -9` at any moment: nothing lost, nothing counted twice, nothing unrecorded."""

from pathlib import Path

import pytest
from tests.proof.kills import kill_and_look

KILLS = 10
# Deletes that the figures are compared over.
ENOUGH = 30


@pytest.mark.process
@pytest.mark.timeout(300)
async def test_ten_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    """Events, deletes and totals agree with the harbour's truth; `make prove` kills more."""
    outcome = await kill_and_look(tmp_path, kills=KILLS, seed=11, enough=ENOUGH)
    assert outcome.audit.faults == ()
    assert outcome.audit.figures["containers deleted"] >= ENOUGH
    assert sum(outcome.kills.values()) == KILLS
