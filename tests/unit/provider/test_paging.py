import asyncio
from typing import Any

import pytest
from tests.unit.provider.conftest import Make
from tests.unit.provider.fake import BASE, listing, page, reply, row, rows

from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container
from demurrage.model.listing import Region


async def test_a_whole_listing_is_read_page_by_page_and_finished(make: Make) -> None:
    """Pages follow the last row's own id until the API says that nothing follows."""
    data = rows(250)
    api, fake = make(listing(data))
    got = await api.read([Region()])
    (stretch,) = got.stretches
    assert [item.id for item in stretch.rows] == [item["id"] for item in data]
    assert (stretch.finished, stretch.reached_end, got.calls) == (True, True, 3)
    assert got.failure is None
    assert [dict(r.url.params) for r in fake.requests] == [
        {"limit": "100", "order": "desc"},
        {"limit": "100", "order": "desc", "after": data[99]["id"]},
        {"limit": "100", "order": "desc", "after": data[199]["id"]},
    ]
    assert fake.outcomes == [("list", "ok")] * 3


async def test_a_row_becomes_a_container_with_every_field(make: Make) -> None:
    """What the API says of a container arrives unchanged, minutes as seconds."""
    api, _ = make(page([row(1, BASE, memory_limit="64g", last_active_at=BASE + 9)]))
    got = await api.read([Region()])
    assert got.stretches[0].rows == (
        Container(row(1, BASE)["id"], BASE, "running", BASE + 9, "64g", "auto", 1200.0),
    )


async def test_optional_fields_may_be_null_or_missing(make: Make) -> None:
    """A proxy drops fields, and activity may be null: the row is still a row."""
    bare = {"id": "cntr_1", "created_at": BASE, "status": "brand_new", "last_active_at": None}
    api, _ = make(page([bare]))
    got = await api.read([Region()])
    assert got.stretches[0].rows == (Container("cntr_1", BASE, "brand_new"),)
    assert got.stretches[0].finished


async def test_an_empty_listing_is_finished(make: Make) -> None:
    """A target without containers is no fault."""
    api, _ = make(page([]))
    got = await api.read([Region()])
    assert got.stretches[0].finished
    assert got.stretches[0].reached_end
    assert got.failure is None


async def test_reading_stops_at_the_lower_edge(make: Make) -> None:
    """The first row surely born before `down_to` ends the stretch; it is no end of the list."""
    api, _ = make(listing(rows(500)))
    got = await api.read([Region(down_to=BASE - 150.0)])
    (stretch,) = got.stretches
    assert (got.calls, stretch.finished, stretch.reached_end) == (2, True, False)


async def test_a_birth_within_the_second_of_the_edge_does_not_end_the_stretch(make: Make) -> None:
    """`created_at` is cut to seconds: a row of the edge's own second may be younger."""
    data = [*rows(100, spacing=0), row(1000, BASE - 1)]
    api, _ = make(listing(data))
    got = await api.read([Region(down_to=BASE + 0.5)])
    assert len(got.stretches[0].rows) == 101
    assert got.stretches[0].finished


async def test_regions_come_back_in_their_order(make: Make) -> None:
    """Each region has one stretch, and jumps start after their cursor."""
    data = rows(1000)
    regions = [
        Region(data[start]["id"], float(BASE - start - 50), BASE - start)
        for start in (800, 100, 300, 500, 700, 0)
    ]
    api, _ = make(listing(data))
    got = await api.read(regions)
    assert [stretch.region for stretch in got.stretches] == regions
    assert [stretch.rows[0].id for stretch in got.stretches] == [
        data[start + 1]["id"] for start in (800, 100, 300, 500, 700, 0)
    ]
    assert all(stretch.finished and not stretch.reached_end for stretch in got.stretches)
    assert got.calls == 6


async def test_several_regions_are_read_at_a_time_and_not_all(make: Make) -> None:
    """Jumps overlap in time, within a bound that is kind to the server."""
    under_way, most = 0, 0

    async def handle(_: Any) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(20):
            await asyncio.sleep(0)
        under_way -= 1
        return page([])

    api, _ = make(handle)
    got = await api.read([Region(f"cntr_{n}", 1.0) for n in range(40)])
    assert got.calls == 40
    assert most == 4


MALFORMED: dict[str, Any] = {
    "no data": reply(200, {"object": "list", "has_more": False}),
    "data null": reply(200, {"data": None, "has_more": False}),
    "data an object": reply(200, {"data": {}, "has_more": False}),
    "not an object": reply(200, []),
    "error inside 200": reply(200, {"statusCode": 404, "message": "gone"}),
    "row no object": page(["cntr_1"]),
    "row without id": page([{"created_at": BASE, "status": "running"}]),
    "id a number": page([row(1, BASE, id=7)]),
    "id with a path": page([row(1, BASE, id="cntr_1/files")]),
    "id dotted": page([row(1, BASE, id="..")]),
    "created_at text": page([row(1, BASE, created_at="now")]),
    "created_at true": page([row(1, BASE, created_at=True)]),
    "created_at in milliseconds": page([row(1, BASE * 1000)]),
    "created_at missing": page([{"id": "cntr_1", "status": "running"}]),
    "status null": page([row(1, BASE, status=None)]),
    "status prose": page([row(1, BASE, status="<b>running</b>")]),
    "last_active_at text": page([row(1, BASE, last_active_at="x")]),
    "memory_limit number": page([row(1, BASE, memory_limit=4)]),
    "name number": page([row(1, BASE, name=4)]),
    "expires_after text": page([row(1, BASE, expires_after="20m")]),
    "minutes negative": page(
        [row(1, BASE, expires_after={"anchor": "last_active_at", "minutes": -1})]
    ),
    "row twice": page([row(1, BASE), row(1, BASE)]),
    "has_more null": page(rows(2), has_more=None),
    "has_more text": page(rows(2), has_more="false"),
    "has_more missing": reply(200, {"data": rows(2)}),
    "has_more null, empty": page([], has_more=None),
    "empty but more": page([], has_more=True),
    "out of order": page([row(1, BASE), row(2, BASE + 1)]),
}


@pytest.mark.parametrize("case", MALFORMED)
async def test_a_malformed_page_leaves_the_stretch_unfinished(make: Make, case: str) -> None:
    """Whatever does not fit the specification is named, and nothing is concluded from it."""
    api, fake = make(MALFORMED[case])
    got = await api.read([Region()])
    assert not got.stretches[0].finished
    assert not got.stretches[0].reached_end
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.MALFORMED_PAGE
    assert len(fake.requests) == 1
    assert fake.outcomes[0][1] in ("ok", "malformed_page")


async def test_a_page_without_has_more_suffices_once_the_edge_is_passed(make: Make) -> None:
    """Passing the lower edge is proof by itself."""
    api, _ = make(page(rows(10), has_more=None))
    got = await api.read([Region(down_to=BASE - 5.0)])
    assert got.stretches[0].finished
    assert got.failure is None


async def test_an_order_that_breaks_between_pages_is_noticed(make: Make) -> None:
    """The last row of one page bounds the first of the next."""
    api, _ = make(page([row(1, BASE)], has_more=True), page([row(2, BASE + 1)]))
    got = await api.read([Region()])
    assert not got.stretches[0].finished
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.MALFORMED_PAGE
    assert len(got.stretches[0].rows) == 1


async def test_a_server_that_repeats_its_page_is_stopped(make: Make) -> None:
    """A server that ignores the cursor shows the same rows for ever; one repeat is enough."""
    api, fake = make(page(rows(100), has_more=True))
    got = await api.read([Region()])
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.REPEATED_CURSOR
    assert not got.stretches[0].finished
    assert len(fake.requests) == 2


@pytest.mark.parametrize("start", [0, 300])
async def test_an_ignored_cursor_of_a_jump_is_noticed(make: Make, start: int) -> None:
    """Rows younger than the cursor's row, or that row itself, prove that it was ignored."""
    data = rows(400)
    api, _ = make(lambda _: page(data[:100], has_more=True))
    got = await api.read([Region(data[start]["id"], float(BASE - 390), BASE - start)])
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.REPEATED_CURSOR
    assert got.stretches[0].rows == ()


async def test_an_endless_listing_is_cut_off(make: Make) -> None:
    """A server that always has more is left after the cap, by name."""
    served = 0

    def endless(_: Any) -> Any:
        nonlocal served
        served += 1
        return page([row(served, BASE)], has_more=True)

    api, fake = make(endless, max_pages=7)
    got = await api.read([Region()])
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.ENDLESS_LISTING
    assert not got.stretches[0].finished
    assert len(fake.requests) == got.calls == 7


async def test_one_bad_region_does_not_spoil_the_others(make: Make) -> None:
    """A fault of one region's pages is reported; the others are read and finished."""
    data = rows(300)
    good = listing(data)

    def handle(request: Any) -> Any:
        after = request.url.params.get("after")
        return page(["?"]) if after == data[100]["id"] else good(request)

    api, _ = make(handle)
    got = await api.read(
        [Region(data[n]["id"], float(BASE - n - 9), BASE - n) for n in (0, 100, 200)]
    )
    assert [stretch.finished for stretch in got.stretches] == [True, False, True]
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.MALFORMED_PAGE


async def test_a_fault_of_the_whole_target_ends_the_pass(make: Make) -> None:
    """Once the key is refused, regions not yet begun are not tried."""
    api, fake = make(reply(401, {"error": {"message": "no"}}))
    got = await api.read([Region(f"cntr_{n}", 1.0) for n in range(50)])
    assert len(got.stretches) == 50
    assert not any(stretch.finished for stretch in got.stretches)
    assert len(fake.requests) <= 4


async def test_the_listing_is_dated_in_provider_time(make: Make) -> None:
    """`listed_at` and `started_at` follow the API's Date header, even on the very first call."""
    api, _ = make(page(rows(3)))
    got = await api.read([Region()])
    assert got.stretches[0].listed_at == pytest.approx(BASE, abs=1.5)
    assert got.started_at == pytest.approx(BASE, abs=1.5)
