"""One response by itself: what its events make of it, in whatever order they are read."""

from collections.abc import Callable
from itertools import permutations
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.response import Claim, Moment, Response
from demurrage.decide.source import Source
from demurrage.model.event import PERSON_PREFIX, Created, Ending, Finished, Output, Slot, Started

APP = Source("app-1")
Tell = Callable[[Response], None]


@pytest.mark.parametrize(
    ("first", "second", "precedes"),
    [
        ((5.0, 1), (5.0, 1), True),
        ((5.0, 1), (5.0, 2), True),
        ((5.0, 1), (6.0, 2), True),
        ((5.0, 2), (5.0, 1), False),
        ((6.0, 1), (5.0, 2), False),  # its clock was set in between
        ((5.0, 2), (6.0, 1), False),
        ((5.0, None), (5.0, 1), True),
        ((5.0, 2), (5.0, None), True),
        ((5.0, None), (5.0, None), True),
        ((6.0, None), (5.0, None), False),
        ((6.0, None), (5.0, 1), False),
    ],
)
def test_a_writer_s_own_order_is_told_by_its_clock_and_its_count(
    first: tuple[float, int | None], second: tuple[float, int | None], *, precedes: bool
) -> None:
    """Where it has one; both at once is before, too."""
    one, other = (Moment(time, APP, place) for time, place in (first, second))
    assert one.precedes(other) is precedes


def test_what_stepped_back_waits_for_nothing() -> None:
    """Its end is the other's to tell."""
    own, read = Response("a"), Response("resp_a")
    own.absorb(read)
    assert read.ended
    assert not own.ended


def test_whatever_two_starts_bore_or_continued_counts() -> None:
    """For the rest the earlier one stands, whichever is read first."""
    starts = [
        (
            Started(
                "a",
                (Slot(), Slot(container=f"cntr_{number}")),
                frozenset({f"cntr_1{number}"}),
                previous_response_id=f"resp_{number}",
                opaque=number == 2,
                conversation=f"conv_{number}",
                model=f"model-{number}",
                labels={"b": str(number), "a": "0"},
            ),
            Moment(10.0 + number, APP, number),
        )
        for number in (1, 2, 3)
    ]
    for order in permutations(starts):
        made = Response("a")
        for fact, moment in order:
            made.begin(fact, moment, None)
        assert made.carried == {"cntr_11", "cntr_12", "cntr_13"}
        assert made.borne == {"cntr_1", *made.carried}
        assert made.previous == {"resp_1", "resp_2", "resp_3"}
        assert made.conversations == {"conv_1", "conv_2", "conv_3"}
        assert (made.opaque, made.contradicted, made.unclear) == (True, True, True)
        assert (made.started, made.model) == (Moment(11.0, APP, 1), "model-1")
        assert made.auto_slots == (Slot(),)
        assert made.labels == (("a", "0"), ("b", "1"))


def test_of_two_starts_of_one_moment_the_same_stands_whichever_is_read_first() -> None:
    """They differ in their slots alone."""
    starts = [Started("a", (Slot(tier=tier),)) for tier in ("64g", "1g")]
    stood = set()
    for order in permutations(starts):
        made = Response("a")
        for fact in order:
            made.begin(fact, Moment(10.0, APP), None)
        assert made.contradicted
        stood.add(made.slots)
    assert len(stood) == 1


def test_whatever_events_name_or_tell_of_counts() -> None:
    """Under each id that it was given, and from the earliest to the latest that it was created."""
    at = Moment(10.0, APP)
    told: list[Tell] = [
        lambda made: made.create(
            Created("a", "resp_2", 5.0, containers=frozenset({"cntr_1"}), conversation="x"), at
        ),
        lambda made: made.create(
            Created("a", "resp_1", 7.0, containers=frozenset({"cntr_2"}), conversation="y"), at
        ),
        lambda made: made.emit(Output("a", "resp_0", frozenset({"cntr_3"})), at),
        lambda made: made.emit(Output("a", "resp_1", frozenset({"cntr_4"})), at),
        lambda made: made.finish(
            Finished(
                "a", Ending.COMPLETED, "resp_3", containers=frozenset({"cntr_5"}), conversation="z"
            ),
            at,
        ),
    ]
    for order in permutations(told):
        made = Response("a")
        for tell in order:
            tell(made)
        assert made.named == {f"cntr_{number}" for number in range(1, 6)}
        assert made.put_out == {"cntr_3", "cntr_4"}
        assert made.response_ids == {"resp_0", "resp_1", "resp_2", "resp_3"}
        assert made.response_id == "resp_0"
        assert made.conversations == {"x", "y", "z"}
        assert (made.created_low, made.created_high) == (5.0, 7.0)


def test_what_was_read_adds_to_what_is_known() -> None:
    """Names, what it bore, what it went on from, and an end."""
    own, read = Response("a"), Response("resp_a")
    for made, name in ((own, "1"), (read, "2")):
        slots = (Slot(container=f"cntr_3{name}"),)
        bore = frozenset({f"cntr_2{name}"})
        made.begin(
            Started("a", slots, bore, previous_response_id=name, conversation=name),
            Moment(10.0, APP),
            None,
        )
        made.emit(Output("a", "resp_a", frozenset({f"cntr_1{name}"})), Moment(11.0, APP))
    read.finish(Finished("resp_a", Ending.INCOMPLETE, "resp_a"), Moment(20.0, APP))
    own.absorb(read)
    assert own.named == {"cntr_11", "cntr_12"}
    assert own.borne == {"cntr_21", "cntr_22", "cntr_31", "cntr_32"}
    assert own.previous == own.conversations == {"1", "2"}
    assert (own.ending, own.finished) == (Ending.INCOMPLETE, Moment(20.0, APP))
    assert read.auto_slots == ()


def test_of_each_moment_the_one_that_bounds_stands() -> None:
    """In whatever order they are read."""
    status = {1: "queued", 2: "queued", 3: "in_progress", 4: "in_progress"}
    told: list[Tell] = [
        lambda made, at=at: made.create(  # type: ignore[misc]  # bound now
            Created("a", "resp_a", sent_at=float(at), status=status[at]), Moment(at, APP)
        )
        for at in status
    ]
    told += [
        lambda made, at=at: made.emit(Output("a"), Moment(at, APP))  # type: ignore[misc]
        for at in (5.0, 6.0)
    ]
    for order in permutations(told):
        made = Response("a")
        for tell in order:
            tell(made)
        assert [each.time for each in made.moments] == [4.0, 2.0, 3.0, 5.0]
        assert made.moments == (made.sent, made.queued, made.running, made.output)


def test_of_several_ends_one_stands_and_a_lost_one_never() -> None:
    """The latest moment, and a person's word; in whatever order they are read."""
    person = Source(f"{PERSON_PREFIX}ann")
    ends = [
        (Finished("a", Ending.LOST), APP),
        (Finished("a", Ending.REFUSED, http_status=400, completed_at=7.0, sent_at=3.0), APP),
        (Finished("a", Ending.COMPLETED, http_status=200, completed_at=9.0, sent_at=5.0), APP),
        (Finished("a", Ending.FAILED, completed_at=8.0, sent_at=4.0), person),
    ]
    for order in permutations(enumerate(ends)):
        made = Response("a")
        for at, (fact, source) in order:
            made.finish(fact, Moment(float(at), source))
        assert (made.ending, made.http_status) == (Ending.COMPLETED, 200)
        assert (made.lost, made.closed, made.completed_at) == (True, True, 9.0)
        assert made.finished == Moment(3.0, person)
        assert made.sent is not None
        assert made.sent.time == 5.0


@pytest.mark.parametrize(
    ("decided_at", "complete_through", "read_since", "late"),
    [
        (40.5, 11.0, 0.0, True),
        (40.0, 11.0, 0.0, False),
        (40.5, 10.0, 0.0, False),
        (50.5, 11.0, 20.0, True),
        (50.0, 11.0, 20.0, False),
    ],
)
def test_a_start_is_late_where_a_decision_had_not_allowed_for_it(
    decided_at: float, complete_through: float, read_since: float, *, late: bool
) -> None:
    """To the moment; a reading that stepped back never is."""
    claim = Claim.of(decided_at, complete_through, read_since, delay=30.0)
    known = Source("app-1", offset_low=0.0, offset_high=0.0)
    made = Response("a")
    assert not made.began_late(30.0)
    made.begin(Started("a"), Moment(10.0, known), claim)
    assert made.began_late(30.0) is late
    Response("b").absorb(made)
    assert not made.began_late(30.0)


@pytest.mark.parametrize("told", [False, True])
def test_of_an_untold_clock_no_start_is_late(*, told: bool) -> None:
    """It may have begun as late as it came; that nobody tells breaks the word by itself."""
    source = Source("app-1", offset_low=0.0, offset_high=0.0) if told else Source("app-1")
    response = Response("a")
    response.begin(Started("a"), Moment(10.0, source), Claim(100.0, 70.0))
    assert response.began_late(30.0) is told


def test_what_was_claimed_before_a_break_counts_on() -> None:
    """A start that was late by then is late, however new the series of readings is since."""

    def claim(decided_at: float, complete_through: float, read_since: float) -> Claim:
        return Claim.of(decided_at, complete_through, read_since, delay=30.0)

    first = claim(120.0, 90.0, 0.0).following(None)
    assert first == Claim(120.0, 90.0)
    later = claim(160.0, -inf, 130.0).following(first)
    assert later == Claim(160.0, 90.0)
    assert claim(260.0, 250.0, 230.0).following(later) == Claim(260.0, 90.0)
    assert claim(261.0, 250.0, 230.0).following(later) == Claim(261.0, 231.0)


@given(
    made=st.lists(st.tuples(*[st.integers(0, 200)] * 3), min_size=1, max_size=5),
    begun=st.integers(-50, 220),
)
def test_a_start_is_late_if_any_decision_had_counted_on_it(
    made: list[tuple[int, int, int]], begun: int
) -> None:
    """Whatever was decided since, and however the readings broke off in between."""
    delay, claim = 30, None
    for decided_at, through, since in made:
        claim = Claim.of(decided_at, through, since, delay=delay).following(claim)
    response = Response("a")
    response.begin(
        Started("a"), Moment(begun, Source("app-1", offset_low=0.0, offset_high=0.0)), claim
    )
    assert response.began_late(delay) is any(
        begun < through and max(begun, since) + delay < decided_at
        for decided_at, through, since in made
    )


def test_when_it_began_and_ended_is_bounded_by_what_is_told() -> None:
    """By its start, else by the server's time, else by nothing."""
    made = Response("a")
    assert (made.begun_earliest(30.0), made.begun_latest(30.0)) == (-inf, inf)
    assert made.last_told(30.0) == inf
    ended = Response("b")
    ended.finish(Finished("b", Ending.COMPLETED), Moment(110.0, APP))
    assert (ended.begun_earliest(30.0), ended.begun_latest(30.0)) == (-inf, 140.0)
    made.create(Created("a", "resp_a", 100.0), Moment(101.0, APP))
    made.create(Created("a", "resp_a", 102.0), Moment(103.0, APP))
    assert (made.begun_earliest(30.0), made.begun_latest(30.0)) == (100.0, 102.0)
    made.begin(Started("a"), Moment(90.0, APP), None)
    assert (made.begun_earliest(30.0), made.begun_latest(30.0)) == (60.0, 120.0)
    made.finish(Finished("a", Ending.COMPLETED), Moment(110.0, APP))
    assert made.last_told(30.0) == 140.0


@pytest.mark.parametrize(("ids", "told"), [("", None), ("b", "b"), ("ba", "a"), ("cab", "a")])
def test_of_several_ids_it_goes_by_the_same_each_time(ids: str, told: str | None) -> None:
    """None is known before the API gave one."""
    assert Response("call", response_ids=frozenset(ids)).response_id == told
