"""Births are counted in their order, and late proof makes no rush."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.settling import Queue, Settled, settle
from demurrage.model.container import Container, Sighting
from demurrage.model.spike import Settlement, Traits
from demurrage.model.verdict import Verdict, VerdictKind

ORPHAN, USED, PENDING = VerdictKind.ORPHAN, VerdictKind.REFERENCED, VerdictKind.PENDING
WITHIN, DELAY = 600.0, 30.0


def look(
    queue: Queue,
    now: float,
    kinds: Mapping[int, VerdictKind],
    *,
    shadows: Mapping[int, VerdictKind] | None = None,
    explicit: frozenset[str] = frozenset(),
    tier: str = "1g",
) -> Settled:
    """One look at containers that are named by the second of their birth."""
    verdicts = {
        str(born): Verdict(str(born), kind, (), shadow=(shadows or {}).get(born))
        for born, kind in kinds.items()
    }
    sightings = {
        str(born): Sighting(Container(str(born), born, "running"), born, now) for born in kinds
    }
    return settle(
        queue,
        verdicts,
        sightings,
        explicit,
        lambda verdict: (tier, Traits(writer=verdict.container_id)),
        within=WITHIN,
        delay=DELAY,
        now=now,
    )


def counted(settled: Settled) -> list[tuple[int, bool]]:
    """The births with whether each is an orphan."""
    return [(each.born_at, each.orphan) for each in settled.births]


def test_a_birth_waits_for_those_before_it() -> None:
    """The used one is known at once, and counted when the older orphan is."""
    first = look(Queue(0.0, 90.0), 100.0, {10: PENDING, 20: USED})
    assert first.births == ()
    assert first.queue.until == 10.0
    second = look(first.queue, 110.0, {10: ORPHAN, 20: USED})
    assert counted(second) == [(10, True), (20, False)]
    assert (second.queue.until, second.queue.looked_at) == (80.0, 110.0)
    assert second.queue.settled == {}
    assert look(second.queue, 120.0, {10: ORPHAN, 20: USED}).births == ()


def test_what_is_settled_and_gone_is_counted_still() -> None:
    """A sweep takes it while an older one is pending."""
    first = look(Queue(0.0, 90.0), 100.0, {10: PENDING, 20: ORPHAN})
    second = look(first.queue, 110.0, {10: USED})
    assert counted(second) == [(10, False), (20, True)]


def test_what_is_pending_for_too_long_is_passed_over_for_good() -> None:
    """Its neighbours go on without it, and later proof comes too late."""
    first = look(Queue(0.0, 500.0), 600.0, {10: PENDING, 20: USED})
    assert first.queue.until == 10.0
    second = look(first.queue, 611.0, {10: PENDING, 20: USED})
    assert counted(second) == [(20, False)]
    assert look(second.queue, 650.0, {10: ORPHAN}).births == ()


def test_what_is_in_doubt_again_for_too_long_is_passed_over_too() -> None:
    """Whatever was thought of it before."""
    first = look(Queue(0.0, 90.0), 100.0, {10: PENDING, 20: ORPHAN})
    second = look(first.queue, 620.0, {20: PENDING})
    assert second.births == ()
    assert second.queue.until == 590.0, "no longer waited for, either"


def test_a_verdict_may_change_while_it_waits() -> None:
    """The last one counts, and what is neither orphan nor used is not counted."""
    kinds = {10: PENDING, 15: ORPHAN, 20: ORPHAN, 30: ORPHAN, 40: USED}
    first = look(Queue(0.0, 90.0), 100.0, kinds)
    kinds = dict.fromkeys((10, 15), VerdictKind.UNPROVEN)
    second = look(first.queue, 110.0, {**kinds, 20: USED, 30: PENDING, 40: USED})
    assert counted(second) == [(20, False)]
    assert second.queue.until == 30.0


def test_what_is_told_of_it_is_what_was_told_when_it_was_settled() -> None:
    """And told anew only where another verdict comes."""
    first = look(Queue(0.0, 90.0), 100.0, {10: PENDING, 20: USED, 30: ORPHAN}, tier="4g")
    second = look(first.queue, 110.0, {10: USED, 20: USED, 30: USED}, tier="64g")
    assert second.births == tuple(
        Settlement(str(born), born, tier, False, Traits(writer=str(born)))
        for born, tier in ((10, "64g"), (20, "4g"), (30, "64g"))
    )


def test_what_may_still_come_to_light_is_waited_for() -> None:
    """A birth of that very second is counted with it, and once."""
    first = look(Queue(0.0, 90.0), 100.0, {70: USED})
    assert first.births == ()
    assert counted(look(first.queue, 101.0, {70: USED})) == [(70, False)]


def test_under_partial_coverage_its_shadow_counts() -> None:
    """What complete coverage would have said."""
    kinds = dict.fromkeys((10, 20), VerdictKind.UNPROVEN)
    seen = look(Queue(0.0, 90.0), 100.0, kinds, shadows={10: ORPHAN, 20: PENDING})
    assert counted(seen) == [(10, True)]


def test_what_an_application_made_itself_is_not_counted() -> None:
    """It is no auto container."""
    seen = look(Queue(0.0, 90.0), 100.0, {10: USED, 20: USED}, explicit=frozenset({"10"}))
    assert counted(seen) == [(20, False)]


def test_a_time_without_looks_is_told() -> None:
    """And what was born in it is not counted."""
    seen = look(Queue(50.0, 90.0), 5000.0, {60: ORPHAN, 4500: ORPHAN})
    assert seen.unwatched == (50.0, 4400.0)
    assert counted(seen) == [(4500, True)]


def test_who_looks_often_enough_misses_nothing() -> None:
    """Up to the time that a birth has to be settled in."""
    seen = look(Queue(900.0, 1000.0), 1000.0 + WITHIN, {1100: USED})
    assert seen.unwatched is None
    assert counted(seen) == [(1100, False)]
    seen = look(Queue(900.0, 1000.0), 1001.0 + WITHIN, {1100: USED})
    assert seen.unwatched == (900.0, 1001.0)


@given(
    fates=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 400), st.booleans()), max_size=30)
)
def test_each_is_counted_once_and_in_order(fates: list[tuple[int, int, bool]]) -> None:
    """Whenever each is settled, within the time that is allowed."""
    by_birth = {born: (born + DELAY + after, orphan) for born, after, orphan in fates}
    queue, seen = Queue(0.0, 0.0), []
    for now in range(0, 1200, 10):
        kinds = {
            born: PENDING if now < settled else ORPHAN if orphan else USED
            for born, (settled, orphan) in by_birth.items()
            if born <= now
        }
        settled = look(queue, float(now), kinds)
        seen += counted(settled)
        queue = settled.queue
    assert seen == sorted((born, orphan) for born, (_, orphan) in by_birth.items())
