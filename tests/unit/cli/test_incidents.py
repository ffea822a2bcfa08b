from typing import Any

import pytest
from tests.unit.cli.conftest import Desk, Refused

from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.incident import Incident

NOW = 1_800_000_000.0
COST = Condition(
    ConditionKind.ORPHAN_COST,
    "default",
    "Dear.",
    Severity.PAGE,
    scope="team=search",
    causes=(Cause("writer", "web-1", 9, 0.75),),
    usd_per_hour=12.5,
)
LATE = Condition(ConditionKind.LATE_BIRTHS, "default", "Late.", Severity.NOTICE)


@pytest.fixture
def number(kept: Desk) -> int:
    """The id of one that is open, beside one that is over."""
    with kept.store() as store:
        one, _ = store.save_incidents(
            [
                Incident(0, COST, NOW - 60, NOW - 60, NOW),
                Incident(0, LATE, NOW - 60, NOW, NOW - 30, revision=2, resolved_at=NOW),
            ]
        )
        store.note_undelivered("pager", one.id, 1, NOW, "refused")
    return one.id


def _kept(desk: Desk, number: int) -> Incident:
    with desk.store() as store:
        found = store.incident(number)
    assert found is not None
    return found


def test_the_list_says_what_to_do(kept: Desk, number: int) -> None:
    """Each open incident has its cause, its cost and a next step; the past is asked for."""
    out = kept.say("incidents").out
    assert "orphan_cost team=search" in out
    assert "writer web-1 75%" in out
    assert "12.50" in out
    assert f"{number}: Look at the causes" in out
    assert "late_births" not in out
    assert "late_births" in kept.say("incidents", "--past", "5").out


def test_the_list_for_programs(kept: Desk, number: int) -> None:
    """Open ones and past ones with all their fields, moments spelt out."""
    found = kept.say("incidents", "--past", "5", "--json").json
    assert [each["id"] for each in found["open"]] == [number]
    assert [each["kind"] for each in found["past"]] == ["late_births"]
    assert found["open"][0]["opened_at"].endswith("Z")


def test_nothing_is_open(kept: Desk) -> None:
    """A quiet daemon says so."""
    assert kept.say("incidents").out.strip() == "No incident is open."


def test_one_is_shown_whole(kept: Desk, number: int) -> None:
    """With its runbook and what came of telling each sink."""
    out = kept.say("incidents", "show", str(number)).out
    for words in ("orphan_cost.md", "$12.50 an hour, estimated", "web-1", "pager", "refused"):
        assert words in out
    kept.write('[alerts]\nrunbooks_url = "https://wiki.example/pages"\n')
    assert "https://wiki.example/pages/orphan_cost.md" in (
        kept.say("incidents", "show", str(number)).out
    )
    (delivery,) = kept.say("incidents", "show", str(number), "--json").json["deliveries"]
    assert (delivery["sink"], delivery["attempts"]) == ("pager", 1)


def test_a_person_acknowledges_and_silences(kept: Desk, number: int) -> None:
    """What is said is kept at once, and shows in the list."""
    assert kept.say("incidents", "ack", str(number)).code == 0
    assert _kept(kept, number).acknowledged_by
    said: Any = kept.say("incidents", "silence", str(number), "--for", "2h", "--json").json
    until = _kept(kept, number).silenced_until
    assert until is not None
    assert said["silenced_until"].endswith("Z")
    assert "acknowledged by" in kept.say("incidents").out
    assert kept.say("incidents", "silence", str(number), "--until", "2099-01-01").code == 2
    assert _kept(kept, number).silenced_until == until
    assert kept.say("incidents", "unsilence", str(number)).code == 0
    assert _kept(kept, number).silenced_until is None


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--for", "2h", "--until", "1h"),
        ("--for", "60d"),
        ("--until", "2001-01-01T00:00:00Z"),
        ("--for", "soon"),
    ],
)
def test_a_silence_has_one_end_and_bounds(
    kept: Desk, number: int, refused: Refused, options: tuple[str, ...]
) -> None:
    """Neither none nor two, nor for ever, nor in the past."""
    line = refused(kept.say("incidents", "silence", str(number), *options))
    assert "--for" in line or "--until" in line
    assert _kept(kept, number).silenced_until is None


@pytest.mark.parametrize("act", [("show",), ("ack",), ("silence", "--for", "1h"), ("unsilence",)])
def test_one_that_there_is_not(kept: Desk, refused: Refused, act: tuple[str, ...]) -> None:
    """An unknown id is a clear error."""
    command, *options = act
    assert "404" in refused(kept.say("incidents", command, "404", *options), code=1)


def test_of_one_that_is_over_nothing_can_be_said(kept: Desk, number: int, refused: Refused) -> None:
    """It can be looked at, and no more."""
    with kept.store() as store:
        (over,) = store.past_incidents()
    assert over.id != number
    assert kept.say("incidents", "show", str(over.id)).code == 0
    assert "over" in refused(kept.say("incidents", "ack", str(over.id)), code=1)


def test_status_shows_their_ids(kept: Desk, number: int) -> None:
    """Whoever reads the status can go on with an id."""
    with kept.store() as store:
        store.save_status("default", NOW, {"mode": "observe", "cycle": None})
    (target,) = kept.say("status", "--json").json["targets"]
    assert [each["id"] for each in target["incidents"]] == [number]
