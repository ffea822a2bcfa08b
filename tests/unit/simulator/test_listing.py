"""Pages of the listing."""

import pytest

from demurrage.simulator.berths import Berth, Berths
from demurrage.simulator.planting import Planting
from demurrage.simulator.refusal import Refusal

from .conftest import Scene


def _ids(berths: Berths, after: str | None, *, newest_first: bool) -> tuple[list[Berth], bool]:
    return berths.page(1e12, after=after, limit=100, newest_first=newest_first, name=None)


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_follow_each_other_without_gap_or_repeat(scene: Scene, *, newest_first: bool) -> None:
    """3,050 rows come in 31 pages, each once, in order of creation."""
    scene.harbour.seed_rows(Planting(expired=3000, live=50))
    berths, seen, after, pages, more = scene.harbour.port.berths, [], None, 0, True
    while more:
        page, more = _ids(berths, after, newest_first=newest_first)
        seen += page
        after, pages = page[-1].id, pages + 1
    assert (pages, len({berth.id for berth in seen})) == (31, 3050)
    births = [berth.created_at for berth in seen]
    assert births == sorted(births, reverse=newest_first)


def test_a_deleted_cursor_still_marks_its_place(scene: Scene) -> None:
    """Rows after a deleted one are those that came after it."""
    scene.harbour.seed_rows(Planting(live=10))
    rows = scene.listed()
    scene.harbour.port.delete_container(rows[4]["id"])
    assert [row["id"] for row in scene.listed(after=rows[4]["id"])] == [
        row["id"] for row in rows[5:]
    ]


def test_a_cursor_that_never_was_is_refused(scene: Scene) -> None:
    """An unknown cursor is a 404."""
    with pytest.raises(Refusal):
        scene.listed(after="cntr_unknown")


def test_a_name_filters(scene: Scene) -> None:
    """Only containers of that name are listed."""
    scene.harbour.port.quay.create({"name": "mine"})
    scene.ended()
    assert [row["name"] for row in scene.listed(name="mine")] == ["mine"]
