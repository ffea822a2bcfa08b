"""Whole worlds on virtual time: the daemon under every fault that its proof allows for."""

from collections import Counter
from collections.abc import Iterator

import pytest
from tests.simulation.faults import FAULTS
from tests.simulation.shape import Shape, command, lasting, parse
from tests.simulation.shrink import story_of
from tests.simulation.world import Result, run

_SMALL = "containers=60 rate=0.5 calm=700 interval=20 page=15"
# Few containers, many faults: between them, every fault strikes.
_WORLDS = (
    "seed=10 fury=1",
    "seed=25 fury=3 ends=0.9 use=0.6 faults=explicit,pins,late_lines",
    "seed=1 fury=6 faults=lost_rows,repeated_rows,shuffled_rows,cut_page,malformed_row,tombstones",
    "seed=2 fury=8 faults=early_end,no_end,ignored_cursor,empty_page,lag",
    "seed=22 fury=40 faults=early_end,tombstones",
    "seed=24 fury=40 faults=freeze",
    "seed=12 fury=4 faults=unknown_status,null_activity,missing_tier",
    "seed=3 fury=6 faults=html,server_error,storm,outage,slow,lost_call,lost_answer",
    "seed=24 fury=6 faults=wrong_date,no_date,refused_delete,failed_delete,wall_step,freeze",
    "seed=5 fury=2 writers=5 faults=lost_responses,clocks,deaths,unknown_tiers,many_tools",
    "seed=15 early_calm=True faults=late_lines,doubled_lines,clocks",
    "seed=6 fury=4 use=0.6 faults=lazy,missing_lines,corrupt_lines,log_down,log_unreadable",
    "seed=27 fury=20 faults=crash_at_step,crash_at_time,stop,second_daemon",
    "seed=8 fury=20 faults=store_locked,disk_full",
    "seed=18 fury=150 faults=store_restored",
    "seed=9 fury=40 faults=log_restored",
    "seed=3 fury=2 forks=0.3 use=0.8 ends=0.9 long_share=0.5 faults=late_lines,deaths,clocks",
    "seed=4 fury=3 ids=0.6 use=0.6 ends=0.9 faults=late_lines,lost_responses,server_error,html",
    "seed=6 fury=20 ids=0.6 use=0.4 faults=crash_at_step,log_down,lost_answer,lazy",
    "seed=13 fury=4 targets=2 ids=0.3 ends=0.9 faults=missing_lines,deaths,clocks,crash_at_time",
    "seed=21 fury=3 targets=2 use=0.6 faults=outage,cut_page,wrong_date,storm,tombstones",
)


@pytest.fixture(scope="module")
def lived() -> Iterator[list[Result]]:
    """The worlds that the tests of this module have lived through."""
    results: list[Result] = []
    yield results
    results.clear()


@pytest.mark.parametrize("words", _WORLDS)
def test_every_invariant_holds(words: str, lived: list[Result]) -> None:
    """No harm is done and no promise broken, whatever strikes."""
    shape = parse(f"{_SMALL} {words}")
    result = run(shape)
    lived.append(result)
    assert not result.failed, "\n".join([*story_of(result), "repeat: " + command(shape)])


def test_what_outlives_all_that_is_kept_of_it_comes_to_no_harm() -> None:
    """Hours of conversations that others take over; the daemon dies, and its clock is set."""
    result = run(lasting(8))
    assert not result.failed, "\n".join([*story_of(result), "repeat: " + command(result.shape)])
    assert result.counts["deletes"] > result.counts["orphans deleted"] > result.containers / 2


def test_the_worlds_were_hostile_and_the_daemon_at_work(lived: list[Result]) -> None:
    """Every fault inside the assumptions has struck, and orphans were deleted all the same."""
    if len(lived) < len(_WORLDS):
        pytest.skip("only some of the worlds were lived through")
    struck = sum((each.struck for each in lived), Counter[str]())
    inside = {name for name, fault in FAULTS.items() if fault.inside}
    assert sorted(inside - set(struck)) == []
    assert sum(each.counts["deletes"] > 0 for each in lived) > len(_WORLDS) / 2
    assert sum(each.counts["foreseen"] for each in lived) > 10
    assert sum(each.counts["compared"] for each in lived) > 20
    assert sum(each.counts["responses read: ended"] for each in lived) > 20


def test_a_world_is_the_same_each_time() -> None:
    """A seed is the whole bug report."""
    shape = parse(
        f"{_SMALL} seed=7 fury=20 containers=30 faults=crash_at_step,late_lines,lost_rows"
    )
    first, second = run(shape), run(shape)
    assert (first.counts, first.struck) == (second.counts, second.struck)


def test_a_shape_is_read_as_it_is_printed() -> None:
    """What a failure prints repeats that very world."""
    shape = Shape(seed=3, faults=frozenset({"lag", "html"}), free_grace=False, rate=2.5)
    assert parse(command(shape).split("'")[1]) == shape
