"""One writer's record: its clock, its goodbyes, and the lines of it that nobody could read."""

from dataclasses import replace
from itertools import permutations

import pytest
from tests.unit.decide.builders import TARGET, T, Writer, ledger_of

from demurrage.decide.source import MANY_BEATS, Source
from demurrage.model.event import PERSON_PREFIX, RESOLVER, WEBHOOK, Entry, Heartbeat
from demurrage.model.floor import Floor

UNKNOWN = 30.0


def folded(*entries: Entry) -> Source:
    """The source that these events make."""
    made = Source("app-1")
    for each in entries:
        made.fold(each.event, each.position)
    return made


def test_a_clock_that_nobody_knows_may_be_off_either_way() -> None:
    """Until a heartbeat tells."""
    app = Writer()
    started = app.starts("a", 10)
    assert folded(started).offsets(UNKNOWN) == (-30.0, 30.0)
    assert folded(started).offsets(0.0) == (0.0, 0.0)
    told = [app.beats(at, clock_offset=off) for at, off in ((20, 3.0), (30, -4.0), (40, 1.0))]
    for order in permutations(told):
        made = folded(started, *order)
        assert made.offsets(UNKNOWN) == (-4.0, 3.0)
        assert (made.low_told_at, made.high_told_at) == (T + 30, T + 20)


def test_an_offset_told_again_counts_from_then() -> None:
    """When it was last told says from when on it may have changed."""
    app = Writer()
    offsets = ((10, 2.0), (20, 5.0), (30, 2.0), (40, 5.0))
    told = [app.beats(at, clock_offset=off) for at, off in offsets]
    for order in permutations(told):
        made = folded(*order)
        assert (made.low_told_at, made.high_told_at) == (T + 30, T + 40)


@pytest.mark.parametrize(
    ("offsets", "span"),
    [
        ((5.0,), (-30.0, 30.0)),
        ((-45.0,), (-45.0, 30.0)),
        ((45.0,), (-30.0, 45.0)),
        ((45.0, 70.0, 50.0), (-30.0, 70.0)),
        ((-45.0, -70.0, -50.0), (-70.0, 30.0)),
        ((None, 40.0, -50.0), (-50.0, 40.0)),
    ],
)
def test_goodbyes_widen_an_unknown_clock(
    offsets: tuple[float | None, ...], span: tuple[float, float]
) -> None:
    """They may be said by another, so they never narrow it; nor do they once it is known."""
    app = Writer()
    goodbyes = [app.beats(50, clock_offset=each, final=True) for each in offsets]
    assert folded(*goodbyes).offsets(UNKNOWN) == span
    assert folded(*reversed(goodbyes)).offsets(UNKNOWN) == span
    assert folded(app.beats(60, clock_offset=1.0), *goodbyes).offsets(UNKNOWN) == (1.0, 1.0)


def test_unreadable_lines_are_counted_and_shown_where_they_stand() -> None:
    """One without its place shows no gap by itself."""
    made = folded(Writer().starts("a", 10))
    made.miss(None, 20.0)
    assert (made.set_aside, made.gap, made.last_sequence) == (1, None, 1)
    empty = Source("app-1")
    empty.miss(None, 20.0)
    assert (empty.set_aside, empty.gap) == (1, None)
    made.miss(3, 20.0)
    made.miss(2, 20.0)
    assert (made.set_aside, made.gap, made.last_sequence) == (3, (2, 3), 3)


@pytest.mark.parametrize("name", ["?", "app-1"])
def test_where_nothing_can_be_read_the_word_covers_the_lines_that_there_were(name: str) -> None:
    """They have no clock but the daemon's: the next line is later, by however little."""
    made = Source(name)
    assert not made.clockless
    made.miss(None, 50.0)
    made.miss(None, 40.0)
    word = {name: 50.0}
    assert made.clockless
    assert made.retired_at(word, unknown=UNKNOWN, skew=5.0) == 50.0
    made.miss(None, 50.001)
    assert made.retired_at(word, unknown=UNKNOWN, skew=5.0) is None


def test_a_writer_s_own_clock_tells_whether_it_spoke_again() -> None:
    """The daemon's, on which a line came that could not be read, may be far off."""
    made = folded(Writer().starts("a", 10))
    made.miss(2, T + 1e9)
    assert not made.clockless
    assert made.retired_at({made.id: T + 50.0}, unknown=UNKNOWN, skew=5.0) == T + 50.0


def test_a_conflict_stands_where_it_came_first() -> None:
    """All before it still proves something."""
    app = Writer()
    held = [app.starts(f"call-{number}", 10 + number) for number in range(4)]
    made = folded(*held)
    twin = Writer()
    for number in range(4):
        entry = twin.say(10 + number, held[number].event.fact, digest="twin")
        if number in (1, 3):
            assert made.fold(entry.event, entry.position), "what it names may be true"
    assert (made.conflict_at, made.proven_through, made.held_through) == (2, 1, 4)
    assert not made.islands
    made.contradict()
    assert made.conflict_at == 0


def test_the_daemons_own_hand_is_told_apart() -> None:
    """A person, what it has read itself, what webhooks said; and an application."""
    kinds = {
        f"{PERSON_PREFIX}ann": (True, False, True),
        RESOLVER: (False, True, True),
        WEBHOOK: (False, False, True),
        "app-1": (False, False, False),
    }
    for name, kind in kinds.items():
        made = Source(name)
        assert (made.person, made.resolver, made.own) == kind
    assert Source(RESOLVER).offsets(UNKNOWN) == (0.0, 0.0)


def test_a_goodbye_is_worth_what_is_held_before_it() -> None:
    """Nothing while something is missing, and nothing once something followed it."""
    app = Writer()
    started = app.starts("a", 10)
    goodbye = app.beats(40, final=True)
    assert folded(goodbye).departed_by(UNKNOWN) == float("inf")
    assert not folded(goodbye).said_goodbye
    gone = folded(goodbye, started)
    assert gone.said_goodbye
    assert gone.departed_by(UNKNOWN) == T + 40
    late = folded(goodbye, started, app.ends("a", 50))
    assert not late.said_goodbye
    assert late.departed_by(UNKNOWN) == float("inf")


def test_many_heartbeats_are_thinned_without_being_asked() -> None:
    """All that they said that still counts is kept."""
    app = Writer()
    beats = [app.beats(at) for at in range(2 * MANY_BEATS)]
    made = folded(*beats)
    assert len(made.beats) <= MANY_BEATS
    assert made.best is not None
    assert made.best.complete_through == T + 2 * MANY_BEATS - 1


def test_heartbeats_that_tell_of_loss_or_wait_for_a_gap_are_kept() -> None:
    """The one is a fact for ever, the other may yet prove something."""
    app = Writer()
    first = app.beats(10)
    lossy = app.beats(20, dropped=1)
    missing = app.starts("a", 30)
    waiting = app.beats(40, "a", dropped=0)
    best = app.beats(50, last_sequence=2, dropped=0)
    made = folded(first, lossy, waiting, best)
    made.fold(missing.event, missing.position)
    again = folded(first, lossy, waiting, best)
    assert lossy.position in again.held_positions()
    assert waiting.position in again.held_positions()
    assert again.best is not None
    assert again.best.complete_through == T + 50


def test_what_is_in_flight_is_what_standing_heartbeats_name() -> None:
    """A reader that starts anew needs these calls."""
    app = Writer()
    assert folded(app.beats(10, "a", "b"), app.beats(20, "c")).in_flight == {"a", "b", "c"}


def test_a_ledger_takes_floors_for_held_and_never_lowers_them() -> None:
    """What retention has dropped was once held."""
    app = Writer()
    for number in range(3):
        app.starts(f"call-{number}", 10 + number)
    ledger = ledger_of(app)
    ledger.start_from({"app-1": Floor(2, 9)})
    source = ledger.sources["app-1"]
    assert (source.held_through, source.last_sequence) == (3, 3)
    ledger.start_from({"app-1": Floor(7, 9), "other": Floor(4, 9)})
    assert (source.held_through, source.last_sequence) == (7, 7)
    other = ledger.sources["other"]
    assert (other.held_through, other.last_sequence, other.opened) == (4, 4, False)
    ledger.fold([Writer("other", sequence=3).starts("b", 20)])
    assert (other.held_through, other.islands) == (4, set())


def test_one_that_left_is_done_with_once_its_last_word_certainly_is_of_before() -> None:
    """By the slowest clock that it told."""
    app = Writer()
    told = [app.beats(at, clock_offset=off) for at, off in ((20, 3.0), (30, -4.0))]
    made = folded(*told, app.beats(100, clock_offset=1.0, final=True))
    through = made.newest_position
    assert not made.done_with(T + 104, through, UNKNOWN)
    assert made.done_with(T + 104.5, through, UNKNOWN)


def test_what_retention_dropped_tells_of_the_targets_that_a_writer_has_spoken_of() -> None:
    """There it is waited for, whatever is left of what it said."""
    ledger = ledger_of(Writer())
    ledger.start_from({"app-1": Floor(2, 9, frozenset({"elsewhere"}))})
    ledger.fold([Writer(sequence=2).beats(20)])
    assert ledger.sources["app-1"].targets == {TARGET, "elsewhere"}


@pytest.mark.parametrize(
    ("sequence", "position", "conflict"), [(4, 10, 4), (4, 9, None), (5, 10, None)]
)
def test_a_second_event_of_a_place_that_retention_dropped_contradicts_it(
    sequence: int, position: int, conflict: int | None
) -> None:
    """What stood there is not known any more; one that was kept lies no later than the floor."""
    ledger = ledger_of(Writer())
    ledger.start_from({"app-1": Floor(4, 9)})
    ledger.fold([replace(Writer(sequence=sequence - 1).beats(20), position=position)])
    assert ledger.sources["app-1"].conflict_at == conflict


def test_of_one_that_left_the_log_keeps_nothing_but_its_goodbye() -> None:
    """Whether it is silent is not asked any more; of one that is there the last word tells."""
    app = Writer()
    said = [app.starts("a", 10), app.ends("a", 20)]
    assert set(folded(*said).held_positions()) == {2}
    goodbye = app.beats(40, final=True)
    assert folded(*said, goodbye).held_positions() == [goodbye.position]


def test_a_promise_that_counts_no_more_than_is_held_is_needless_once_another_reaches_further() -> (
    None
):
    """Up to the very last that is held."""
    app = Writer()
    made = folded(app.beats(10), app.beats(20, last_sequence=3), app.beats(30))
    assert set(made.held_positions()) == {3}
    other = Writer()
    made = folded(other.beats(30), other.beats(10, complete_through=T + 30.0, clock_offset=None))
    assert set(made.held_positions()) == {1}


def test_of_those_that_tell_one_offset_the_latest_is_kept() -> None:
    """Also where an earlier one had to wait for what it counts."""
    app = Writer()
    waiting = app.beats(10, clock_offset=5.0, last_sequence=4)
    made = folded(waiting, app.beats(20, clock_offset=5.0), app.beats(50))
    assert set(made.held_positions()) == {1, 2, 3}
    started = app.starts("a", 60)
    made.fold(started.event, started.position)
    assert set(made.held_positions()) == {2, 3, 4}


def test_a_goodbye_without_a_place_counts_nothing_of_what_has_one() -> None:
    """Whether it came before or after that nobody can tell."""
    app = Writer()
    goodbye = Heartbeat(T + 40.0, 0, final=True)
    alone = app.say(40, goodbye, sequence=None)
    assert folded(alone).said_goodbye
    assert not folded(alone, Writer().starts("a", 10)).said_goodbye


def test_a_repeat_is_told_apart() -> None:
    """Nothing is counted twice."""
    app = Writer()
    started = app.starts("a", 10)
    made = folded(started)
    assert not made.fold(started.event, 7)
    assert made.fold(app.ends("a", 20).event, 8)


@pytest.mark.parametrize(("at", "gone"), [(95.0, True), (94.5, False)])
def test_one_that_may_have_spoken_before_it_was_retired_is_gone(at: float, *, gone: bool) -> None:
    """By the fastest clock that it told, and the skew of the one that retired it."""
    app = Writer()
    told = [app.beats(each, clock_offset=off) for each, off in ((20, -3.0), (30, 4.0), (104, 1.0))]
    found = folded(*told).retired_at({"app-1": T + at}, unknown=UNKNOWN, skew=5.0)
    assert found == (T + at if gone else None)
