"""Every rail trips where it must, and lets pass what lies just below."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.rails import HOUR, cycle_allowance, hourly_allowance, judge
from demurrage.model.condition import ConditionKind
from demurrage.model.history import HourTally, RailHistory
from demurrage.model.plan import WAVE_RAILS, Hold, Judgement, Plan, PlannedDelete, Rail
from demurrage.model.rules import RailRules, Rules
from demurrage.model.verdict import Verdict, VerdictKind

HOUR_NOW = 500_000
NOW = HOUR_NOW * HOUR + 1800
RULES = Rules()
QUIET = RailHistory(last_sweep_at=NOW - 10)


def _deletes(count: int, *, prefix: str = "c", age: float = 7200) -> tuple[PlannedDelete, ...]:
    born = int(NOW - age)
    return tuple(
        PlannedDelete(
            key, Verdict(key, VerdictKind.ORPHAN, (), due_at=NOW), born, "1g", 0.02, NOW + 30
        )
        for key in (f"{prefix}{i}" for i in range(count))
    )


def _judge(
    deletes: Sequence[PlannedDelete],
    history: RailHistory = QUIET,
    holds: Sequence[Hold] = (),
    *,
    rails: RailRules = RULES.rails,
    evidence_read_at: float | None = NOW,
    inventory_as_of: float | None = NOW,
    clock_jumped: bool = False,
) -> Judgement:
    return judge(
        Plan("default", NOW, tuple(deletes)),
        history,
        holds,
        evidence_read_at=evidence_read_at,
        inventory_as_of=inventory_as_of,
        clock_jumped=clock_jumped,
        rules=replace(RULES, rails=rails),
        now=NOW,
    )


def _hold(
    deletes: Sequence[PlannedDelete] = (),
    *,
    rail: Rail = Rail.DELETES_PER_HOUR,
    key: str = "h1",
    resumed_until: float | None = None,
) -> Hold:
    return Hold(
        key,
        "default",
        rail,
        NOW - 60,
        "",
        frozenset(delete.container_id for delete in deletes),
        resumed_at=None if resumed_until is None else NOW - 30,
        resumed_until=resumed_until,
    )


def _week(births: int, deleted: int, *, hours: int = 168) -> RailHistory:
    """A past of equal hours that ends before the last one."""
    return RailHistory(
        hours={
            HOUR_NOW - 2 - i: HourTally(births=births, logged=births, deleted=deleted)
            for i in range(hours)
        },
        last_sweep_at=NOW - 10,
    )


def _rails(judgement: Judgement) -> set[Rail]:
    return {rail for rail, _ in judgement.tripped}


def _assert_all_held(judgement: Judgement, deletes: Sequence[PlannedDelete]) -> None:
    assert judgement.allowed == ()
    assert judgement.held == tuple(deletes)


class TestWaiting:
    """What stops a sweep until it heals by itself."""

    @pytest.mark.parametrize("read_at", [None, NOW - 30.5, NOW + 30.5])
    def test_stale_evidence_withholds_all(self, read_at: float | None) -> None:
        """A log not read within three intervals proves nothing about now."""
        judgement = _judge(_deletes(3), evidence_read_at=read_at)
        assert [c.kind for c in judgement.withheld] == [ConditionKind.EVIDENCE_STALE]
        assert not judgement.allowed
        assert not judgement.held
        assert not judgement.tripped

    @pytest.mark.parametrize("as_of", [None, NOW - 30.5, NOW + 30.5])
    def test_a_stale_inventory_withholds_all(self, as_of: float | None) -> None:
        """Nor does a listing that is older than three intervals."""
        judgement = _judge(_deletes(3), inventory_as_of=as_of)
        assert [c.kind for c in judgement.withheld] == [ConditionKind.INVENTORY_STALE]
        assert judgement.allowed == ()

    def test_a_clock_jump_withholds_all(self) -> None:
        """Without a trusted `now` nothing is due."""
        judgement = _judge(_deletes(3), clock_jumped=True)
        assert [c.kind for c in judgement.withheld] == [ConditionKind.CLOCK_JUMP]
        assert judgement.allowed == ()

    def test_evidence_and_inventory_of_exactly_three_intervals_pass(self) -> None:
        """The twin just below: three intervals old is fresh."""
        deletes = _deletes(3)
        judgement = _judge(deletes, evidence_read_at=NOW - 30, inventory_as_of=NOW - 30)
        assert judgement.allowed == deletes
        assert judgement.withheld == ()

    def test_withholds_what_was_resumed_too(self) -> None:
        """A person's yes does not make stale evidence fresh."""
        deletes = _deletes(3)
        judgement = _judge(
            deletes, holds=[_hold(deletes, resumed_until=NOW + 60)], clock_jumped=True
        )
        assert judgement.allowed == ()


class TestDeletesPerHour:
    """The cap on one hour."""

    def test_trips_one_above_a_number(self) -> None:
        """Counts are inclusive: the plan and the last hour together."""
        history = replace(QUIET, deletes_last_hour=6)
        deletes = _deletes(5)
        judgement = _judge(deletes, history, rails=RailRules(max_deletes_per_hour=10))
        assert _rails(judgement) == {Rail.DELETES_PER_HOUR}
        _assert_all_held(judgement, deletes)

    def test_passes_at_the_number(self) -> None:
        """The rail fires exclusively."""
        history = replace(QUIET, deletes_last_hour=5)
        deletes = _deletes(5)
        judgement = _judge(deletes, history, rails=RailRules(max_deletes_per_hour=10))
        assert judgement.allowed == deletes
        assert not judgement.tripped

    @pytest.mark.parametrize(("past", "trips"), [(299, False), (300, True)])
    def test_follows_the_busiest_hour_of_logged_births(self, past: int, *, trips: bool) -> None:
        """Auto is three times the busiest hour; one more trips."""
        history = RailHistory(
            hours={HOUR_NOW - 50: HourTally(births=999, logged=100), HOUR_NOW - 51: HourTally(1)},
            deletes_last_hour=past,
            last_sweep_at=NOW - 10,
        )
        judgement = _judge(_deletes(1), history, rails=RailRules(hourly_floor=1))
        assert (Rail.DELETES_PER_HOUR in _rails(judgement)) is trips

    def test_forgets_hours_before_the_last_week(self) -> None:
        """An old peak gives no leave."""
        history = RailHistory(hours={HOUR_NOW - 169: HourTally(logged=10_000)})
        assert hourly_allowance(history, RailRules(), NOW) == 1000

    def test_accrues_while_no_sweep_ran(self) -> None:
        """Catching up after an outage of two hours passes."""
        history = RailHistory({HOUR_NOW - 5: HourTally(logged=1000)}, last_sweep_at=NOW - 7200)
        assert hourly_allowance(history, RailRules(), NOW) == 6000
        assert cycle_allowance(history, RailRules(), NOW) == 6000

    @given(
        logged=st.integers(0, 100_000),
        idle=st.floats(0, 1e7),
        floor=st.integers(0, 5000),
        above=st.integers(0, 50_000),
    )
    def test_auto_stays_between_floor_and_ceiling(
        self, logged: int, idle: float, floor: int, above: int
    ) -> None:
        """Whatever the past, an allowance is never below the floor nor above the ceiling."""
        rails = RailRules(hourly_floor=floor, hourly_ceiling=floor + above)
        history = RailHistory({HOUR_NOW: HourTally(logged=logged)}, last_sweep_at=NOW - idle)
        cycle, hour = (f(history, rails, NOW) for f in (cycle_allowance, hourly_allowance))
        assert floor <= cycle <= hour <= floor + above

    def test_ceiling_trips(self) -> None:
        """No past is so busy that more than the ceiling may go."""
        history = RailHistory({HOUR_NOW: HourTally(logged=90_000)}, last_sweep_at=NOW - 3600)
        rails = RailRules(hourly_floor=1, hourly_ceiling=50)
        assert _judge(_deletes(50), history, rails=rails).allowed
        assert not _judge(_deletes(51), history, rails=rails).allowed


class TestDeletesPerCycle:
    """The cap on one sweep."""

    def test_trips_one_above_a_number(self) -> None:
        """Eleven at once exceed ten."""
        deletes = _deletes(11)
        judgement = _judge(deletes, rails=RailRules(max_deletes_per_cycle=10))
        assert _rails(judgement) == {Rail.DELETES_PER_CYCLE}
        _assert_all_held(judgement, deletes)

    def test_passes_at_the_number(self) -> None:
        """Ten at once do not."""
        assert _judge(_deletes(10), rails=RailRules(max_deletes_per_cycle=10)).allowed

    @pytest.mark.parametrize(("count", "trips"), [(150, False), (151, True)])
    def test_accrues_from_nothing_since_the_last_sweep(self, count: int, *, trips: bool) -> None:
        """Half an hour after a sweep, half of an hour's allowance is there."""
        history = RailHistory({HOUR_NOW - 3: HourTally(logged=100)}, last_sweep_at=NOW - 1800)
        judgement = _judge(_deletes(count), history, rails=RailRules(hourly_floor=1))
        assert (Rail.DELETES_PER_CYCLE in _rails(judgement)) is trips

    def test_grants_one_hour_before_the_first_sweep(self) -> None:
        """A daemon that never swept may take an hour's worth."""
        history = RailHistory({HOUR_NOW - 3: HourTally(logged=1000)})
        assert cycle_allowance(history, RailRules(), NOW) == 3000

    def test_default_rails_pass_what_thirty_minutes_leave_behind(self) -> None:
        """Catching up after a pause needs no person."""
        pause = replace(_week(2000, 1000), last_sweep_at=NOW - 1800)
        deletes = _deletes(1000, age=1500)
        assert _judge(deletes, replace(pause, born_last_hour=2000)).allowed == deletes


class TestDeletedShare:
    """The guard against references that go missing."""

    @pytest.mark.parametrize(("planned", "trips"), [(10, False), (11, True)])
    def test_follows_a_number(self, planned: int, *, trips: bool) -> None:
        """Deleted and planned together against those born within the hour."""
        history = replace(QUIET, born_last_hour=40, deleted_of_those=10)
        deletes = _deletes(planned, age=600)
        judgement = _judge(deletes, history, rails=RailRules(max_deleted_share=0.5))
        assert (_rails(judgement) == {Rail.DELETED_SHARE}) is trips
        if trips:
            _assert_all_held(judgement, deletes)
        else:
            assert judgement.allowed == deletes

    @pytest.mark.parametrize(("born", "trips"), [(19, False), (20, True)])
    def test_needs_a_minimum_population(self, born: int, *, trips: bool) -> None:
        """A share of a few containers says nothing."""
        history = replace(QUIET, born_last_hour=born)
        judgement = _judge(_deletes(19, age=600), history, rails=RailRules(max_deleted_share=0.5))
        assert (Rail.DELETED_SHARE in _rails(judgement)) is trips

    def test_counts_only_the_newly_born(self) -> None:
        """Catching up on older containers is no share of the last hour's."""
        history = replace(QUIET, born_last_hour=40)
        assert _judge(
            _deletes(40, age=3700), history, rails=RailRules(max_deleted_share=0.5)
        ).allowed

    def test_without_a_minimum_none_born_are_no_share(self) -> None:
        """Nothing was born, so nothing of it is lost."""
        rails = RailRules(max_deleted_share=0.5, min_population=0)
        assert not _judge(_deletes(3), rails=rails).tripped

    @pytest.mark.parametrize(("deleted", "trips"), [(500, False), (900, True)])
    def test_weighs_fates_by_how_they_run_together(self, deleted: int, *, trips: bool) -> None:
        """Where hours differ by more than chance, a thousand births are worth some fifty."""
        history = RailHistory(
            hours={HOUR_NOW - 2 - i: HourTally(100, 100, 10 if i % 2 else 50) for i in range(168)},
            born_last_hour=1000,
            deleted_of_those=deleted - 1,
            last_sweep_at=NOW - 10,
        )
        assert bool(_judge(_deletes(1, age=600), history).tripped) is trips

    @pytest.mark.parametrize("hours", [2, 24, 168])
    def test_trips_when_five_percent_become_sixty(self, hours: int) -> None:
        """At a hundred births an hour, after a day or a week, and already after two hours."""
        history = replace(_week(100, 5, hours=hours), born_last_hour=100, deleted_of_those=40)
        judgement = _judge(_deletes(20, age=600), history)
        assert _rails(judgement) == {Rail.DELETED_SHARE}
        assert judgement.allowed == ()

    @pytest.mark.parametrize(("was", "becomes"), [(5, 12), (50, 65), (95, 100), (99, 100)])
    def test_passes_what_is_plausible(self, was: int, becomes: int) -> None:
        """Ordinary better hours pass, and so does a share that has always been near one."""
        history = replace(_week(100, was), born_last_hour=100, deleted_of_those=becomes - 1)
        assert not _judge(_deletes(1, age=600), history).tripped

    @pytest.mark.parametrize("births", [20, 100, 5000])
    def test_never_trips_near_one(self, births: int) -> None:
        """A target whose models hardly ever use the tool loses everything, every hour."""
        history = replace(
            _week(births, births - births // 100),
            born_last_hour=births,
            deleted_of_those=births - 1,
        )
        rails = RailRules(hourly_floor=20_000)
        assert not _judge(_deletes(1, age=600), history, rails=rails).tripped

    @pytest.mark.parametrize(("births", "trips"), [(99, False), (100, True)])
    def test_without_a_past_does_not_test(self, births: int, *, trips: bool) -> None:
        """Five minimum populations of past births are the least to compare with."""
        history = replace(_week(births, 1, hours=1), born_last_hour=100, deleted_of_those=99)
        judgement = _judge(_deletes(1, age=600), history)
        assert (Rail.DELETED_SHARE in _rails(judgement)) is trips

    def test_leaves_the_hours_under_judgement_out_of_the_past(self) -> None:
        """The hour that is judged must not excuse itself."""
        history = RailHistory(
            hours={
                HOUR_NOW: HourTally(50, 50, 0),
                HOUR_NOW - 1: HourTally(5000, 5000, 0),
                HOUR_NOW - 200: HourTally(5000, 5000, 0),
            },
            born_last_hour=100,
            deleted_of_those=99,
            last_sweep_at=NOW - 10,
        )
        assert not _judge(_deletes(1, age=600), history).tripped

    def test_does_not_trip_on_runs_of_one_fate(self) -> None:
        """Half a year of hours whose orphans come in conversations of ten or so: no false hold.

        Nights are quieter than days and leave more orphans. Every orphan counts as deleted,
        the youngest too, so the test is harder than life.
        """
        dice = random.Random(7)

        def _hour(hour: int) -> HourTally:
            night = hour % 24 < 8
            births = deleted = 0
            while births < (30 if night else 120):
                turns = min(40, int(dice.expovariate(0.2)) + 1)
                births += turns
                deleted += turns if dice.random() < (0.5 if night else 0.3) else 0
            return HourTally(births, births, deleted)

        hours = {hour: _hour(hour) for hour in range(HOUR_NOW - 4400, HOUR_NOW)}
        trips = 0
        for hour in range(HOUR_NOW - 4200, HOUR_NOW):
            now = (hour + 1) * HOUR
            history = RailHistory(
                hours={h: hours[h] for h in range(hour - 168, hour)},
                born_last_hour=hours[hour].births,
                deleted_of_those=hours[hour].deleted,
                last_sweep_at=now - 10,
            )
            plan = Plan("default", now, _deletes(1, age=1e6))
            trips += bool(
                judge(
                    plan,
                    history,
                    (),
                    evidence_read_at=now,
                    inventory_as_of=now,
                    clock_jumped=False,
                    rules=RULES,
                    now=now,
                ).tripped
            )
        assert trips == 0

    def test_still_sees_references_vanish_among_runs_of_one_fate(self) -> None:
        """Clusters cost the test power, but not its purpose."""
        dice = random.Random(8)
        hours = {
            HOUR_NOW - 2 - i: HourTally(100, 100, 5 * sum(dice.random() < 0.2 for _ in range(20)))
            for i in range(168)
        }
        history = RailHistory(hours, born_last_hour=100, deleted_of_those=94)
        assert _rails(_judge(_deletes(1, age=600), history)) == {Rail.DELETED_SHARE}


class TestOpenHolds:
    """What an unresumed hold keeps back."""

    @pytest.mark.parametrize("rail", list(Rail))
    def test_of_any_rail_keeps_the_whole_sweep(self, rail: Rail) -> None:
        """Whatever is due stays, whether the hold names it or not."""
        deletes = _deletes(3)
        judgement = _judge(deletes, holds=[_hold(deletes[:1], rail=rail)])
        _assert_all_held(judgement, deletes)
        assert not judgement.tripped

    @pytest.mark.parametrize("rail", list(Rail))
    def test_that_ended_keeps_nothing(self, rail: Rail) -> None:
        """The twin: an ended hold is history."""
        deletes = _deletes(3)
        ended = replace(_hold(deletes, rail=rail), lapsed_at=NOW - 1)
        assert _judge(deletes, holds=[ended]).allowed == deletes


class TestResumed:
    """What a person's yes lets go."""

    RAILS = RailRules(max_deletes_per_hour=3)

    def test_containers_pass_every_wave_rail_and_count_against_none(self) -> None:
        """Five resumed ones go although three an hour are the cap, and three others with them."""
        wave, others = _deletes(5), _deletes(3, prefix="new")
        judgement = _judge(
            (*others, *wave), holds=[_hold(wave, resumed_until=NOW + 1)], rails=self.RAILS
        )
        assert judgement.allowed == (*others, *wave)
        assert judgement.resumed_by == {delete.container_id: "h1" for delete in wave}

    def test_containers_go_on_while_the_rest_trips_anew(self) -> None:
        """The next wave needs its own yes, and does not take back the first."""
        wave, others = _deletes(5), _deletes(4, prefix="new")
        judgement = _judge(
            (*others, *wave), holds=[_hold(wave, resumed_until=NOW + 1)], rails=self.RAILS
        )
        assert _rails(judgement) == {Rail.DELETES_PER_HOUR}
        assert judgement.allowed == wave
        assert judgement.held == others
        assert judgement.resumed_by == {delete.container_id: "h1" for delete in wave}

    def test_containers_go_on_under_the_next_waves_hold(self) -> None:
        """Once the second hold is open, the first one's containers still pass."""
        wave, others = _deletes(5), _deletes(4, prefix="new")
        holds = [_hold(wave, resumed_until=NOW + 1), _hold(others, key="h2")]
        judgement = _judge((*others, *wave), holds=holds, rails=self.RAILS)
        assert judgement.allowed == wave
        assert judgement.held == others
        assert not judgement.tripped

    def test_containers_stay_while_another_open_hold_names_them(self) -> None:
        """Two rails tripped on one wave: a yes to one is no yes to the other."""
        wave = _deletes(5)
        holds = [
            _hold(wave, resumed_until=NOW + 1),
            _hold(wave, rail=Rail.DELETED_SHARE, key="h2"),
        ]
        _assert_all_held(_judge(wave, holds=holds, rails=self.RAILS), wave)

    @pytest.mark.parametrize("rail", sorted(set(Rail) - WAVE_RAILS))
    def test_containers_stay_under_a_hold_of_the_target(self, rail: Rail) -> None:
        """A restored store or a second reaper outweighs a yes to a wave."""
        wave = _deletes(5)
        holds = [_hold(wave, resumed_until=NOW + 1), _hold(rail=rail, key="h2")]
        assert _judge(wave, holds=holds).allowed == ()

    def test_permission_ends_at_its_moment(self) -> None:
        """From `resumed_until` on, the wave is judged like any other."""
        wave = _deletes(5)
        judgement = _judge(wave, holds=[_hold(wave, resumed_until=NOW)], rails=self.RAILS)
        assert _rails(judgement) == {Rail.DELETES_PER_HOUR}
        _assert_all_held(judgement, wave)

    def test_containers_are_no_part_of_the_share(self) -> None:
        """Thirty of forty resumed: the other ten are judged among themselves."""
        wave, others = _deletes(20, age=600), _deletes(10, prefix="new", age=600)
        history = replace(QUIET, born_last_hour=40)
        holds = [_hold(wave, resumed_until=NOW + 1)]
        passing = RailRules(max_deleted_share=0.5)
        judgement = _judge((*wave, *others), history, holds, rails=passing)
        assert judgement.allowed == (*wave, *others)
        tripping = RailRules(max_deleted_share=0.49)
        judgement = _judge((*wave, *others), history, holds, rails=tripping)
        assert judgement.allowed == wave

    @given(
        planned=st.sets(st.integers(0, 9)),
        resumed=st.sets(st.integers(0, 9)),
        named=st.sets(st.integers(0, 9)),
        cap=st.integers(0, 5),
        second=st.booleans(),
    )
    def test_alone_parts_a_plan(
        self, planned: set[int], resumed: set[int], named: set[int], cap: int, *, second: bool
    ) -> None:
        """Of an unresumed plan all goes or nothing, and allowed and held make up the plan."""
        deletes = tuple(delete for i, delete in enumerate(_deletes(10)) if i in planned)
        holds = [_hold([_deletes(10)[i] for i in resumed], resumed_until=NOW + 1)]
        if second:
            holds.append(_hold([_deletes(10)[i] for i in named], key="h2"))
        judgement = _judge(deletes, holds=holds, rails=RailRules(max_deletes_per_cycle=cap))
        assert sorted((*judgement.allowed, *judgement.held), key=str) == sorted(deletes, key=str)
        unresumed = {
            delete.container_id
            for delete in judgement.allowed
            if delete.container_id not in judgement.resumed_by
        }
        assert not (unresumed and judgement.held)
        assert len(unresumed) <= cap
        assert not (unresumed and second)


class TestNothingDue:
    """The empty plan."""

    def test_trips_nothing(self) -> None:
        """A rail holds a sweep, and without one there is nothing to hold."""
        history = RailHistory(deletes_last_hour=10**6, born_last_hour=100, deleted_of_those=100)
        judgement = _judge((), history, rails=RailRules(max_deleted_share=0.1))
        assert judgement == Judgement(allowed=())


class TestEdges:
    """Where one second, one hour or one hold decides."""

    FREE = RailRules(hourly_floor=0, hourly_ceiling=10**9)

    def test_a_yes_of_a_hold_that_has_ended_permits_nothing(self) -> None:
        """Even while its time has not run out: the hold lapsed for these containers."""
        deletes = _deletes(5)
        lapsed = replace(_hold(deletes, resumed_until=NOW + 100), lapsed_at=NOW - 1)
        rails = RailRules(max_deletes_per_hour=0)
        judgement = _judge(deletes, holds=[lapsed], rails=rails)
        _assert_all_held(judgement, deletes)

    def test_a_hold_out_of_force_hides_no_later_one(self) -> None:
        """The yes to the second counts, whatever became of the first."""
        deletes = _deletes(5)
        over = replace(_hold(deletes, key="h0", resumed_until=NOW - 1), opened_at=NOW - 900)
        yes = _hold(deletes, resumed_until=NOW + 100)
        judgement = _judge(deletes, holds=[over, yes], rails=RailRules(max_deletes_per_hour=0))
        assert judgement.allowed == deletes
        assert set(judgement.resumed_by.values()) == {"h1"}

    def test_says_of_each_rail_what_it_saw(self) -> None:
        """With the figures that it stands on."""
        deletes = _deletes(30, age=60)
        rails = RailRules(max_deletes_per_hour=20, max_deletes_per_cycle=21, max_deleted_share=0.25)
        told = dict(_judge(deletes, rails=rails).tripped)
        assert set(told) == WAVE_RAILS
        assert "30" in told[Rail.DELETES_PER_HOUR]
        assert "20" in told[Rail.DELETES_PER_HOUR]
        assert "21" in told[Rail.DELETES_PER_CYCLE]
        assert "25%" in told[Rail.DELETED_SHARE]

    def test_says_of_which_target_and_why_it_withholds(self) -> None:
        """A person must know where to look."""
        judgement = _judge(_deletes(1), evidence_read_at=None, clock_jumped=True)
        assert all(each.target == "default" and each.summary for each in judgement.withheld)
        assert len(judgement.withheld) == 2

    def test_an_hour_old_is_not_of_the_last_hour(self) -> None:
        """To the second."""
        rails = RailRules(max_deleted_share=0.5, min_population=1)
        assert not _judge(_deletes(1, age=3600), rails=rails).tripped
        assert _rails(_judge(_deletes(1, age=3599), rails=rails)) == {Rail.DELETED_SHARE}

    def test_the_busiest_hour_is_one_of_the_last_week(self) -> None:
        """This hour and the first of the week included, the ones around it not."""
        for hour, busiest in ((0, 50), (-168, 50), (1, 0), (-169, 0)):
            history = RailHistory(hours={HOUR_NOW + hour: HourTally(logged=50)})
            assert hourly_allowance(history, self.FREE, NOW) == 3 * busiest

    def test_the_allowance_accrues_from_nothing_since_the_last_sweep(self) -> None:
        """By the second; and not at all when a clock stepped back."""
        for ago, part in ((0, 0.0), (36, 0.01), (7200, 2.0), (-60, 0.0)):
            history = RailHistory(hours={HOUR_NOW: HourTally(logged=1000)}, last_sweep_at=NOW - ago)
            assert cycle_allowance(history, self.FREE, NOW) == pytest.approx(3000 * part)
