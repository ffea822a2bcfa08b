from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.provider.fake import BASE

from demurrage.model.container import Container
from demurrage.model.listing import Region
from demurrage.provider.regions import plan_regions, plan_tail


def simulated(rows: Sequence[Container], region: Region) -> tuple[list[Container], int]:
    """What a truthful API shows for a region, and the calls that takes."""
    place = [row.id for row in rows].index(region.after) + 1 if region.after else 0
    shown: list[Container] = []
    calls = 0
    while True:
        page = rows[place : place + 100]
        calls += 1
        place += 100
        shown += page
        edge = region.down_to
        if (edge is not None and any(r.created_at + 1 <= edge for r in page)) or place >= len(rows):
            return shown, calls


def listed(gaps: Sequence[int]) -> list[Container]:
    """A listing, newest first, with the given seconds between neighbours."""
    rows, born = [], BASE
    for number, gap in enumerate(gaps):
        born -= gap
        rows.append(Container(f"cntr_{number}", born, "running"))
    return rows


def test_nothing_wanted_costs_nothing() -> None:
    """Without live rows there is nothing to list."""
    assert plan_regions([], listed([1] * 10)) == ()


def test_the_tail_reaches_past_the_newest_known_row() -> None:
    """A late row within the overlap is still shown."""
    assert plan_tail(1000.0, 120.0) == Region(down_to=880.0)
    assert plan_tail(None, 120.0) == Region()


def test_two_live_rows_in_ten_thousand_cost_two_calls() -> None:
    """The cost follows the living, not the listed."""
    rows = listed([1] * 10_000)
    regions = plan_regions([rows[3000], rows[8000]], rows)
    assert regions == (
        Region("cntr_2999", float(rows[3000].created_at), rows[2999].created_at),
        Region("cntr_7999", float(rows[8000].created_at), rows[7999].created_at),
    )
    assert sum(simulated(rows, region)[1] for region in regions) == 2


def test_neighbours_share_a_call() -> None:
    """A page shows all wanted rows that it holds."""
    rows = listed([1] * 1000)
    regions = plan_regions(rows[500:590], rows)
    assert len(regions) == 1
    assert simulated(rows, regions[0])[1] == 1


def test_when_nearly_all_is_wanted_it_is_one_reading() -> None:
    """Jumps that cost as much as reading on are not made."""
    rows = listed([1] * 450)
    assert plan_regions(rows[::3], rows) == (Region(down_to=float(rows[447].created_at)),)


def test_without_a_cursor_above_it_reads_from_the_top() -> None:
    """A row of the same second is no cursor: the order within a second is unknown."""
    rows = listed([0] * 50)
    assert plan_regions([rows[20]], rows) == (Region(down_to=float(rows[20].created_at)),)


def test_a_long_row_of_one_second_is_jumped_over_from_above() -> None:
    """Ties are read through whole, from a cursor of an earlier listed second."""
    rows = listed([1] * 300 + [1] + [0] * 249 + [1] * 50)
    wanted = [rows[310], rows[540]]
    regions = plan_regions(wanted, rows)
    assert regions == (Region("cntr_299", float(wanted[0].created_at), rows[299].created_at),)


GAPS = st.lists(st.sampled_from([0, 0, 0, 1, 1, 5, 60]), min_size=1, max_size=700)


@settings(max_examples=150)
@given(gaps=GAPS, data=st.data())
def test_every_wanted_row_is_shown_and_no_call_is_wasted(
    gaps: list[int], data: st.DataObject
) -> None:
    """Knowing all rows, jumping shows all that is wanted and never costs more than reading on."""
    rows = listed(gaps)
    wanted = data.draw(st.lists(st.sampled_from(rows), min_size=1, max_size=60, unique=True))
    regions = plan_regions(wanted, rows)
    shown: set[str] = set()
    calls = 0
    for region in regions:
        got, cost = simulated(rows, region)
        assert region.born_by is None or all(row.created_at <= region.born_by for row in got)
        shown |= {row.id for row in got}
        calls += cost
    assert {row.id for row in wanted} <= shown
    oldest = min(row.created_at for row in wanted)
    assert calls <= simulated(rows, Region(down_to=float(oldest)))[1]
    single = (plan_regions([row], rows)[0] for row in wanted)
    assert calls <= sum(simulated(rows, region)[1] for region in single)


@settings(max_examples=150)
@given(gaps=GAPS, data=st.data())
def test_incomplete_knowledge_never_hides_a_wanted_row(
    gaps: list[int], data: st.DataObject
) -> None:
    """With few usable cursors, rows of our own long gone and others unknown, all is still shown."""
    rows = listed(gaps)
    some = st.lists(st.sampled_from(rows), max_size=40, unique=True)
    wanted, cursors = data.draw(some), data.draw(some)
    shown = {
        row.id for region in plan_regions(wanted, cursors) for row in simulated(rows, region)[0]
    }
    assert {row.id for row in wanted} <= shown


def test_plans_do_not_depend_on_the_order_of_what_is_given() -> None:
    """The same rows give the same plan, so that runs can be compared."""
    rows = listed([1, 0, 2, 0, 0, 90] * 100)
    wanted = rows[50:600:37]
    assert plan_regions(wanted, rows) == plan_regions(wanted[::-1], rows[::-1])
