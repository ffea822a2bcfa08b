"""`report` on a store and a log."""

import time
from contextlib import closing
from datetime import UTC, datetime

import pytest
from tests.unit.cli.conftest import Desk, Refused
from tests.unit.store.build import ruling, sighting

from demurrage.eventlog.log import EventLog
from demurrage.model.verdict import VerdictKind

DAY = 86_400.0


@pytest.fixture
def told(kept: Desk) -> Desk:
    """An orphan of a day ago and a used container of an hour ago, whose maker is logged."""
    now = time.time()
    lives = (("cntr_a", VerdictKind.ORPHAN, DAY), ("cntr_b", VerdictKind.REFERENCED, 3600.0))
    with kept.store() as store:
        for id_, kind, ago in lives:
            store.save_sightings("default", [sighting(id_, born=now - ago, gone_at=now - 60)])
            store.record_verdicts("default", [ruling(id_, kind, at=now, born=now - ago)])
    with closing(EventLog.open(kept.url, clock=time.time)) as log:
        started = {
            "specversion": "1.0",
            "id": "1",
            "source": "app/1",
            "sequence": 1,
            "type": "demurrage.response.started",
            "time": datetime.fromtimestamp(now - DAY, UTC).isoformat(),
            "data": {"target": "default", "call_id": "call-1", "slots": []},
        }
        log.append([started], appended_at=now)
    return kept


def test_it_tells_days_tiers_and_dollars(told: Desk) -> None:
    """For programs and for people."""
    (found,) = told.say("report", "--json").json["targets"]
    assert (found["total"]["containers"], found["total"]["orphans"], found["total"]["used"]) == (
        2,
        1,
        1,
    )
    assert found["total"]["orphans_usd"] == {"low": 0.0, "high": pytest.approx(0.03)}
    assert len(found["by_day"]) >= 1
    assert found["until_at"].endswith("Z")
    out = told.say("report").out
    assert "2 containers born" in out
    assert "estimated" in out


def test_it_looks_back_as_far_as_it_is_told(told: Desk) -> None:
    """What was born before is not counted."""
    (found,) = told.say("report", "--days", "0.5", "--json").json["targets"]
    assert found["total"]["containers"] == 1


def test_an_empty_store_says_so(kept: Desk) -> None:
    """With the command that knows more."""
    said = kept.say("report")
    assert said.code == 0
    assert "survey" in said.out


@pytest.mark.parametrize("days", ["0", "-1", "4000"])
def test_days_have_bounds(kept: Desk, refused: Refused, days: str) -> None:
    """The option is named."""
    assert "--days" in refused(kept.say("report", f"--days={days}"))


def test_without_a_store_it_says_how_one_is_made(desk: Desk) -> None:
    """Like the other commands that read it."""
    said = desk.say("report")
    assert said.code != 0
    assert len(said.err.splitlines()) == 1
