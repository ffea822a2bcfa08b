"""Listing that refreshes activity is noticed; use is not mistaken for it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.observer import ObserverWatch, Track, observe
from demurrage.model.container import Container, Sighting
from demurrage.model.rules import EvidenceRules, Rules

NOW = 1_800_000_000.0
RULES = Rules()

# What a row shows at a poll: given the times of all polls so far, its own among them.
Shown = Callable[[Sequence[float]], float]


def _at_once(polls: Sequence[float]) -> float:
    """The read refreshes, then shows."""
    return polls[-1] + 0.2


def _at_next(polls: Sequence[float]) -> float:
    """The read shows, then refreshes."""
    return polls[-2] + 0.2 if len(polls) > 1 else NOW - 20


def _idle(_polls: Sequence[float]) -> float:
    """Nothing ever touches it."""
    return NOW - 20


def _used(gaps: Callable[[], float]) -> Shown:
    """Used at its own times."""
    times = [NOW - 20]

    def shown(polls: Sequence[float]) -> float:
        while times[-1] <= polls[-1]:
            times.append(times[-1] + gaps())
        return max(time for time in times if time <= polls[-1])

    return shown


def _watch(
    rows: Sequence[Shown],
    polls: int,
    *,
    interval: float = 10.0,
    rules: Rules = RULES,
    jitter: float = 0.0,
    seed: int = 0,
) -> int | None:
    """Poll the rows; after how many polls the effect is suspected, None if never."""
    dice = random.Random(seed)
    watch, times = ObserverWatch(), list[float]()
    for poll in range(1, polls + 1):
        times.append(NOW + poll * interval + dice.uniform(0, jitter))
        sightings = {
            str(i): Sighting(Container(str(i), int(NOW) - 20, "running", int(row(times))), NOW, t)
            for i, row in enumerate(rows)
            for t in times[-1:]
        }
        watch = observe(watch, sightings, sightings.keys(), rules)
        if watch.suspected:
            return poll
    return None


class TestTheEffect:
    """Listing refreshes activity."""

    @pytest.mark.parametrize("row", [_at_once, _at_next])
    @pytest.mark.parametrize("interval", [10.0, 120.0])
    @pytest.mark.parametrize(("rows", "soonest", "latest"), [(8, 4, 5), (3, 8, 9), (1, 22, 23)])
    def test_is_seen_the_sooner_the_more_containers_show_it(
        self, row: Shown, interval: float, rows: int, soonest: int, latest: int
    ) -> None:
        """Whether a row shows the same read's refresh, or that of the read before."""
        found = _watch([row] * rows, 30, interval=interval)
        assert found is not None
        assert soonest <= found <= latest

    @pytest.mark.parametrize("row", [_at_once, _at_next])
    def test_is_seen_at_a_daemons_pace_that_is_faster_than_seconds(self, row: Shown) -> None:
        """Polls closer together than activity can be told apart count once in a while."""
        rules = replace(RULES, evidence=EvidenceRules(activity_tolerance=0.2))
        assert _watch([row] * 3, 60, interval=0.5, rules=rules) is not None

    def test_is_seen_with_unsteady_polls(self) -> None:
        """Polls come when the budget allows."""
        assert _watch([_at_next] * 3, 12, jitter=6.0) is not None

    def test_names_its_followers(self) -> None:
        """The incident says which containers showed it."""
        watch, times = ObserverWatch(), list[float]()
        for poll in range(5):
            times.append(NOW + 10 * poll)
            rows = {
                key: Sighting(
                    Container(key, int(NOW) - 20, "running", int(_at_once(times))), NOW, times[-1]
                )
                for key in "abc"
            }
            watch = observe(watch, rows, "abc", RULES)
        assert sorted(watch.followers) == ["a", "b", "c"]


class TestUse:
    """Activity that is not ours."""

    def test_idle_containers_are_no_effect(self) -> None:
        """Nothing moves."""
        assert _watch([_idle] * 5, 50) is None

    @pytest.mark.parametrize("row", [_at_once, _at_next])
    def test_one_idle_container_refutes_it_for_all(self, row: Shown) -> None:
        """Listing that leaves one row alone does not refresh the others."""
        assert _watch([row] * 5 + [_idle], 50) is None

    @given(
        seed=st.integers(0, 10_000),
        mean=st.floats(5, 600),
        rows=st.integers(1, 8),
        interval=st.sampled_from([5.0, 10.0, 30.0, 120.0]),
    )
    def test_containers_used_at_random_are_no_effect(
        self, seed: int, mean: float, rows: int, interval: float
    ) -> None:
        """An hour of unlogged use, every five seconds to ten minutes."""
        dice = random.Random(seed)
        used = [_used(lambda: dice.expovariate(1 / mean)) for _ in range(rows)]
        polls = int(3600 / interval)
        assert _watch(used, polls, interval=interval, jitter=0.5, seed=seed) is None

    def test_busy_containers_beside_an_idle_one_are_no_effect(self) -> None:
        """Steady use looks like the effect; the idle one tells."""
        assert _watch([_at_once] * 4 + [_idle], 400) is None


class TestState:
    """What is remembered."""

    def _sighting(self, key: str, listed_at: float, active: float | None) -> Sighting:
        at = None if active is None else int(active)
        return Sighting(Container(key, int(NOW), "running", at), NOW, listed_at)

    def test_holds_live_unreferenced_containers_only(self) -> None:
        """A container that is named, gone, or without activity is no witness."""
        sightings = {
            "idle": self._sighting("idle", NOW, NOW),
            "named": self._sighting("named", NOW, NOW),
            "null": self._sighting("null", NOW, None),
            "gone": replace(self._sighting("gone", NOW, NOW), gone_at=NOW),
        }
        watch = observe(ObserverWatch(), sightings, {"idle", "null", "gone", "unlisted"}, RULES)
        assert watch.tracks == {"idle": Track(NOW, int(NOW))}
        assert not observe(watch, sightings, set(), RULES).tracks

    def test_of_a_row_that_was_not_listed_again_stays(self) -> None:
        """No poll, no news."""
        sightings = {"a": self._sighting("a", NOW, NOW)}
        watch = observe(ObserverWatch(), sightings, {"a"}, RULES)
        assert observe(watch, sightings, {"a"}, RULES) == watch

    def test_loses_a_streak_to_activity_of_its_own(self) -> None:
        """One move at another time and the row starts over."""

        def interrupted(polls: Sequence[float]) -> float:
            return polls[-1] - (5 if len(polls) % 3 == 0 else 0)

        assert _watch([interrupted] * 5, 50) is None

    def test_loses_a_streak_to_standing_still(self) -> None:
        """A row that did not move did not follow."""

        def sticky(polls: Sequence[float]) -> float:
            return polls[-1] if len(polls) % 3 else polls[-2]

        assert _watch([sticky], 50) is None


class TestStep:
    """What one poll makes of a track: seconds after NOW, a tolerance of two."""

    def _after(self, before: Track, listed_at: float, active: float) -> Track:
        row = Container("a", int(NOW), "running", int(NOW + active))
        sightings = {"a": Sighting(row, NOW, NOW + listed_at)}
        return observe(ObserverWatch({"a": before}), sightings, {"a"}, RULES).tracks["a"]

    @pytest.mark.parametrize("active", [-3, 2, 17, 22])
    def test_a_move_to_either_poll_follows(self, active: int) -> None:
        """A second and the tolerance before it, or the tolerance after."""
        before = Track(NOW, int(NOW) - 30, 2, NOW - 100)
        after = self._after(before, 20, active)
        assert after == Track(NOW + 20, int(NOW) + active, 3, NOW + 20)

    @pytest.mark.parametrize("active", [-4, 3, 16, 23])
    def test_a_move_beside_them_starts_over(self, active: int) -> None:
        """And is remembered as it is."""
        before = Track(NOW, int(NOW) - 30, 2, NOW - 100)
        assert self._after(before, 20, active) == Track(NOW + 20, int(NOW) + active)

    @pytest.mark.parametrize(("ago", "counts"), [(9, True), (8, False)])
    def test_follows_count_three_tolerances_apart(self, ago: int, *, counts: bool) -> None:
        """One that comes sooner neither counts nor breaks the streak."""
        counted = NOW + 20 - ago
        after = self._after(Track(NOW, int(NOW) - 30, 2, counted), 20, 20)
        streak, at = (3, NOW + 20) if counts else (2, counted)
        assert after == Track(NOW + 20, int(NOW) + 20, streak, at)

    @pytest.mark.parametrize(("listed_at", "streak"), [(3.0, 2), (3.5, 0)])
    def test_standing_still_breaks_a_streak_unless_it_was_short(
        self, listed_at: float, streak: int
    ) -> None:
        """Shorter than activity can be told apart in."""
        before = Track(NOW, int(NOW) - 3, 2, NOW - 10)
        after = self._after(before, listed_at, -3)
        assert after == Track(NOW + listed_at, int(NOW) - 3, streak, NOW - 10)

    def test_no_new_poll_is_no_news_whatever_the_row_says(self) -> None:
        """It is of the same reading."""
        before = Track(NOW, int(NOW) - 30, 2, NOW - 100)
        assert self._after(before, 0, 0) == before

    def test_suspicion_takes_seven_that_followed_three_times(self) -> None:
        """Or as many follows of fewer; those below three are no followers."""
        three, two = Track(NOW, int(NOW), 3), Track(NOW, int(NOW), 2)
        some = {str(i): three for i in range(6)}
        few = ObserverWatch({**some, "b": two})
        assert few.followers == tuple(some)
        assert not few.suspected
        assert ObserverWatch({**some, "b": three}).suspected


def test_what_cannot_be_followed_hides_nothing_after_it() -> None:
    """Unknown, gone and without activity: each is passed over, wherever it stands."""

    def seen(key: str, active: int | None = int(NOW), gone_at: float | None = None) -> Sighting:
        row = Container(key, int(NOW) - 20, "running", active)
        return Sighting(row, NOW, NOW, gone_at=gone_at)

    rows = [seen("a"), seen("silent", None), seen("b"), seen("gone", gone_at=NOW), seen("c")]
    keys = ["a", "silent", "b", "unknown", "gone", "c"]
    watch = observe(ObserverWatch(), {each.id: each for each in rows}, keys, RULES)
    assert watch.tracks.keys() == {"a", "b", "c"}
