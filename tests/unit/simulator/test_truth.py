"""Ends, harm and money."""

import pytest

from demurrage.simulator.planting import Planting, read_planting
from demurrage.simulator.refusal import Refusal
from demurrage.simulator.truth import minutes, usd

from .conftest import Scene


def _delete(scene: Scene, container_id: str) -> None:
    scene.harbour.port.delete_container(container_id)


def test_an_idle_container_expires_and_stays_listed(scene: Scene) -> None:
    """Twenty minutes after its last activity it is gone, its row is not."""
    scene.ended()
    scene.forward(1190)
    assert scene.listed()[0]["status"] == "expired"
    scene.forward(30 * 86400)
    assert scene.listed()[0]["status"] == "expired"
    assert scene.cases()[0]["gone_by"] == "expiry"


def test_an_expired_container_loses_its_conversation_without_harm(scene: Scene) -> None:
    """Nobody but time took it: 400, and no harm."""
    first = scene.ended(use_tool=True)
    scene.forward(1300)
    with pytest.raises(Refusal) as refused:
        scene.begin(previous_response_id=first.id)
    assert (refused.value.status, refused.value.message) == (400, "Container is expired.")
    assert scene.totals()["harm"] == 0


def test_a_delete_that_a_later_turn_needs_is_harm(scene: Scene) -> None:
    """The next turn gets a 404 and truth counts it."""
    first = scene.ended(use_tool=True)
    _delete(scene, scene.cases()[0]["id"])
    with pytest.raises(Refusal) as refused:
        scene.begin(previous_response_id=first.id)
    assert refused.value.status == 404
    (case,) = scene.cases()
    assert [harm["how"] for harm in case["harm"]] == ["later_request"]


def test_a_delete_under_a_running_response_is_harm(scene: Scene) -> None:
    """A response that goes on to use what was deleted fails."""
    voyage = scene.begin(use_tool=True)
    scene.forward(voyage.born_at[0] - scene.time() + 0.01)
    _delete(scene, voyage.holds[0])
    scene.forward(20)
    assert voyage.status == "failed"
    assert [harm["how"] for harm in scene.cases()[0]["harm"]] == ["in_flight"]


def test_the_delete_of_an_orphan_does_no_harm(scene: Scene) -> None:
    """Nobody misses it, and the next turn of its conversation goes on."""
    first = scene.ended()
    _delete(scene, scene.cases()[0]["id"])
    scene.ended(previous_response_id=first.id)
    totals = scene.totals()
    assert (totals["harm"], totals["orphans"], totals["orphans_deleted"]) == (0, 2, 1)


def test_a_deleted_container_stays_listed_for_a_while(scene: Scene) -> None:
    """The tombstone claims to run; a second delete is a 404."""
    scene.change(delete_lag=[60, 60])
    scene.ended()
    container_id = scene.listed()[0]["id"]
    _delete(scene, container_id)
    assert scene.listed()[0]["status"] == "running"
    with pytest.raises(Refusal):
        _delete(scene, container_id)
    scene.forward(61)
    assert scene.listed() == []


def test_a_new_container_shows_late(scene: Scene) -> None:
    """With a visibility lag the listing trails the birth."""
    scene.change(visibility_lag=[30, 30])
    scene.ended()
    assert scene.listed() == []
    scene.forward(30)
    assert len(scene.listed()) == 1


def test_money_follows_the_floor_and_the_minute(scene: Scene) -> None:
    """Five minutes at least, then by begun minutes; a swept orphan costs a quarter."""
    assert [minutes(seconds) for seconds in (1, 300, 301, 1200)] == [5, 5, 6, 20]
    assert usd("64g", 1200) == pytest.approx(1.92)
    voyage = scene.begin()
    scene.forward(voyage.born_at[0] - scene.time() + 290)
    _delete(scene, scene.cases()[0]["id"])
    scene.forward(3600)
    totals = scene.totals()
    assert totals["orphan_usd_alone"] == pytest.approx(0.03)
    assert totals["orphan_usd_actual"] == pytest.approx(0.0075)
    assert totals["orphans_deleted_before_floor"] == 1


def test_money_is_nominal_at_any_scale(scene: Scene) -> None:
    """Two real minutes at scale 10 are billed as twenty."""
    scene.change(scale=10)
    scene.ended()
    scene.forward(600)
    assert scene.totals()["orphan_usd_actual"] == pytest.approx(0.03)


def test_a_clock_step_shows_but_moves_no_event(scene: Scene) -> None:
    """An hour's step changes what rows say and leaves expiry alone."""
    scene.change(clock_offset=3600)
    scene.ended()
    (row,) = scene.listed()
    assert row["created_at"] > scene.time() + 3500
    assert row["status"] == "running"


def test_planted_rows_have_the_past_that_was_asked_for(scene: Scene) -> None:
    """Shares hold exactly; used rows show activity after birth, unused ones none."""
    counts = scene.harbour.seed_rows(
        _planting(expired=300, live=40, used_share=0.25, tiers={"1g": 3, "16g": 1})
    )
    rows = scene.listed(limit=1000)
    assert counts == {"expired": 300, "live": 40, "used": 85}
    assert sum(row["status"] == "expired" for row in rows) == 300
    assert sum(row["last_active_at"] - row["created_at"] > 2 for row in rows) == 85
    assert {row["memory_limit"] for row in rows} == {"1g", "16g"}
    assert scene.totals()["orphans"] == 255


def _planting(**fields: object) -> Planting:
    return read_planting(fields)


@pytest.mark.parametrize("fields", [{"rows": 3}, {"tiers": {"2g": 1}}])
def test_a_wrong_planting_is_refused(fields: dict[str, object]) -> None:
    """Unknown fields and tiers are errors."""
    with pytest.raises(ValueError, match=r"rows|tiers"):
        read_planting(fields)


@pytest.mark.parametrize(
    "knobs", [{"speed": 2}, {"scale": 0}, {"birth_delay": 3}, {"late_birth": 1}, {"scale": "fast"}]
)
def test_a_wrong_knob_is_refused(scene: Scene, knobs: dict[str, object]) -> None:
    """Unknown knobs and values of the wrong kind are errors."""
    with pytest.raises(ValueError, match=r"speed|scale|birth"):
        scene.harbour.change(knobs)
