"""The soak's machinery, for moments; `make soak` is for half an hour."""

from pathlib import Path

import pytest
from tests.proof.flat import trends
from tests.proof.soaking import Load, soak

_ROOT = Path(__file__).parents[3]


@pytest.mark.process
@pytest.mark.timeout(300)
async def test_a_daemon_is_watched_while_it_works(tmp_path: Path) -> None:
    """Each figure is taken again and again, and the load is real: there are deletes, and no harm.

    Whether anything grows, moments do not tell.
    """
    load = Load(requests_per_minute=300, seed=2)
    found = await soak(tmp_path, load, seconds=40.0, pace=2.0, root=_ROOT)
    assert len(found.samples) >= 5
    assert {each.name for each in trends(found.samples)} == {
        "resident",
        "descriptors",
        "threads",
        "database",
    }
    assert all(each.resident > 2**20 for each in found.samples)
    assert found.requests > 0
    assert found.deleted > 0
    assert found.harm == 0
