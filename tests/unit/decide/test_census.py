"""Folding listings into sightings: what is shown, and what is provably not."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.census import TOMBSTONE_GRACE, Census, inventory, take_census
from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container, Sighting
from demurrage.model.inventory import CompleteInventory, PartialInventory
from demurrage.model.listing import Failure, Listing, Region, Stretch
from demurrage.model.rules import Rules

NOW = 1_800_000_000.0
RULES = Rules()
TOP = Region()


def _row(key: str, age: int = 100, *, status: str = "running", active: int | None = 0) -> Container:
    """A row born `age` seconds ago and last active `active` seconds after its birth."""
    born = int(NOW) - age
    return Container(key, born, status, None if active is None else born + active, "1g")


def _known(*rows: Container) -> dict[str, Sighting]:
    return {row.id: Sighting(row, NOW - 60, NOW - 10) for row in rows}


def _stretch(
    rows: Iterable[Container],
    region: Region = TOP,
    *,
    finished: bool = True,
    reached_end: bool = True,
    at: float = NOW,
) -> Stretch:
    return Stretch(region, tuple(rows), finished, finished and reached_end, at)


def _listing(*stretches: Stretch, failure: Failure | None = None, at: float = NOW) -> Listing:
    return Listing(at, stretches, len(stretches), failure)


def _census(
    known: Mapping[str, Sighting],
    *rows: Container,
    at: float = NOW,
    explicit: Collection[str] = (),
) -> Census:
    """A whole list read from top to end."""
    listing = _listing(_stretch(rows, at=at), at=at)
    return take_census(known, listing, RULES, at, explicit=explicit)


def _twice(known: Mapping[str, Sighting], *stretches: Stretch, apart: float = 10) -> Census:
    """The same listing at two times; the second census."""
    first = take_census(known, _listing(*stretches), RULES, NOW)
    later = (replace(stretch, listed_at=NOW + apart) for stretch in stretches)
    return take_census(first.sightings, _listing(*later, at=NOW + apart), RULES, NOW + apart)


class TestShown:
    """What a row says."""

    def test_a_new_row_is_born(self) -> None:
        """First seen when it was listed."""
        census = _census({}, _row("a"))
        assert census.born == ("a",)
        assert census.changed == (Sighting(_row("a"), NOW, NOW),)

    def test_a_name_is_never_taken_back(self) -> None:
        """A row without one, or with another, must not undo what the name protects."""
        named = replace(_row("a"), name="keep-me")
        for other in ("", "CodeInterpreter"):
            census = _census(_known(named), replace(named, name=other))
            assert census.sightings["a"].container.name == "keep-me"
        assert _census(_known(_row("a")), named).sightings["a"].container.name == "keep-me"

    def test_tiers_that_contradict_each_other_fit_any_slot(self) -> None:
        """Which of the two made it cannot be told any more, whatever later rows say."""
        first = _census(_known(_row("a")), replace(_row("a"), tier="4g"))
        assert first.sightings["a"].container.tier is None
        again = _census(first.sightings, _row("a"))
        assert again.sightings["a"].container.tier is None

    def test_a_new_row_may_be_gone_already(self) -> None:
        """It still counts against slots."""
        census = _census({}, _row("a", status="expired"))
        assert census.born == ("a",)
        assert not census.sightings["a"].alive
        assert census.sightings["a"].gone_at == NOW
        assert census.gone == ()

    def test_a_gone_row_counts_from_the_asked_second_on(self) -> None:
        """The second itself included."""
        listing = _listing(_stretch([_row("a", 50, status="expired")]))
        census = take_census({}, listing, RULES, NOW, born_after=NOW - 50)
        assert census.born == ("a",)

    def test_the_unchanged_are_not_news(self) -> None:
        """What no row shows and nothing is missing of stays out of what is saved."""
        tail = _stretch([_row("a")], Region(down_to=NOW - 200), reached_end=False)
        census = take_census(_known(_row("old", 900)), _listing(tail), RULES, NOW)
        assert [each.id for each in census.changed] == ["a"]

    def test_old_expired_rows_are_passed_over(self) -> None:
        """Expired rows stay listed for ever; unknown live ones are taken at any age."""
        listing = _listing(_stretch([_row("live", 9000), _row("old", 9001, status="expired")]))
        census = take_census({}, listing, RULES, NOW, born_after=NOW - 5000)
        assert set(census.sightings) == {"live"}

    def test_a_live_row_is_refreshed(self) -> None:
        """Its freshness and its activity are worth saving."""
        census = _census(_known(_row("a")), _row("a", active=50))
        (sighting,) = census.changed
        assert sighting.listed_at == NOW
        assert sighting.first_seen_at == NOW - 60
        assert sighting.container.last_active_at == int(NOW) - 50

    def test_an_unchanged_gone_row_is_not_saved_again(self) -> None:
        """Its freshness is of no use."""
        gone = _row("a", status="expired")
        census = _census({"a": Sighting(gone, NOW - 60, NOW - 10, gone_at=NOW - 20)}, gone)
        assert census.changed == ()

    def test_an_expired_row_is_gone(self) -> None:
        """From the listing that first says so."""
        census = _census(_known(_row("a")), _row("a", status="expired"))
        assert census.gone == ("a",)
        assert census.sightings["a"].gone_at == NOW
        assert census.vanished == ()

    def test_the_first_known_end_stands(self) -> None:
        """A later listing does not move it."""
        known = {"a": Sighting(_row("a", status="expired"), NOW - 60, NOW - 10, gone_at=NOW - 20)}
        assert _census(known, _row("a", status="deleted")).sightings["a"].gone_at == NOW - 20

    def test_an_unknown_status_lives(self) -> None:
        """What the daemon does not know it does not count as gone."""
        census = _census(_known(_row("a")), _row("a", status="paused"))
        assert census.sightings["a"].alive
        assert census.gone == ()

    def test_activity_never_moves_backwards(self) -> None:
        """A stale answer must not make a used container look unused."""
        census = _census(_known(_row("a", active=50)), _row("a", active=0))
        assert census.sightings["a"].container.last_active_at == int(NOW) - 50

    def test_null_activity_hides_what_happened_since(self) -> None:
        """A container unused so far becomes one of unknown activity."""
        census = _census(_known(_row("a")), _row("a", active=None))
        assert census.sightings["a"].container.last_active_at is None

    def test_null_activity_takes_no_use_back(self) -> None:
        """What was used was used."""
        census = _census(_known(_row("a", active=50)), _row("a", active=None))
        assert census.sightings["a"].container.last_active_at == int(NOW) - 50

    @pytest.mark.parametrize("active", [2, 3])
    def test_activity_within_the_tolerance_of_the_birth_is_no_use(self, active: int) -> None:
        """So a null after it hides what happened, and one after more does not."""
        census = _census(_known(_row("a", active=active)), _row("a", active=None))
        known = census.sightings["a"].container.last_active_at
        assert (known is None) is (active == 2)

    def test_an_idle_expiry_is_that_of_the_last_row(self) -> None:
        """Each row tells its own."""
        census = _census(_known(_row("a")), replace(_row("a"), idle_expiry=600.0))
        assert census.sightings["a"].container.idle_expiry == 600.0

    def test_a_revived_row_lives_and_is_reported(self) -> None:
        """Expired and then running again contradicts itself: keep it."""
        known = {"a": Sighting(_row("a", status="expired"), NOW - 60, NOW - 10, gone_at=NOW - 20)}
        census = _census(known, _row("a"))
        assert census.returned == ("a",)
        assert census.sightings["a"].alive

    def test_of_two_readings_the_later_counts(self) -> None:
        """Stretches are read concurrently and may overlap."""
        listing = _listing(
            _stretch([_row("a", status="expired")], at=NOW),
            _stretch([_row("a", active=9)], at=NOW - 1),
        )
        sighting = take_census(_known(_row("a")), listing, RULES, NOW).sightings["a"]
        assert sighting.container.status == "expired"
        assert sighting.container.last_active_at == int(NOW) - 91

    def test_unfinished_stretches_show_what_they_show(self) -> None:
        """Half a page of truth is truth."""
        listing = _listing(_stretch([_row("a")], finished=False))
        assert take_census({}, listing, RULES, NOW).born == ("a",)


class TestTombstones:
    """What we deleted and the API still lists."""

    def _tombstone(self, deleted_ago: float) -> dict[str, Sighting]:
        sighting = replace(_known(_row("a"))["a"], deleted_at=NOW - deleted_ago)
        return {"a": sighting}

    def test_listed_for_minutes_are_no_news(self) -> None:
        """No new birth, no return, no alarm."""
        census = _census(self._tombstone(TOMBSTONE_GRACE), _row("a"))
        assert census.born == census.returned == census.gone == census.deleted_but_alive == ()
        assert not census.sightings["a"].alive

    def test_listed_alive_for_too_long_are_reported(self) -> None:
        """The delete did nothing."""
        census = _census(self._tombstone(TOMBSTONE_GRACE + 1), _row("a"))
        assert census.deleted_but_alive == ("a",)

    def test_listed_as_gone_for_long_are_not(self) -> None:
        """That is what a delete is for."""
        census = _census(self._tombstone(9999), _row("a", status="deleted"))
        assert census.deleted_but_alive == ()
        assert census.vanished == ()

    @pytest.mark.parametrize(("active", "reported"), [(95, False), (96, True)])
    def test_active_after_their_delete_are_reported(self, active: int, *, reported: bool) -> None:
        """Activity at least a clock skew later than the delete."""
        census = _census(self._tombstone(10), _row("a", active=active))
        assert census.active_after_delete == (("a",) if reported else ())

    def test_that_disappear_are_as_expected(self) -> None:
        """A tombstone is never missing."""
        census = _twice(self._tombstone(10), _stretch([_row("b", 50), _row("c", 150)]))
        assert census.missing == census.vanished == ()


class TestMissing:
    """Rows that must be shown and are not."""

    ROWS = (_row("new", 50), _row("gap", 100), _row("old", 150))
    AROUND = (ROWS[0], ROWS[2])

    def test_once_are_remembered_and_not_believed(self) -> None:
        """One answer may be at fault."""
        census = _census(_known(*self.ROWS), *self.AROUND)
        assert census.missing == ("gap",)
        assert census.sightings["gap"].missing_since == NOW
        assert census.sightings["gap"].alive
        assert census.gone == ()

    def test_twice_an_interval_apart_are_gone(self) -> None:
        """Before their expiry and not by us: somebody else deletes."""
        census = _twice(_known(*self.ROWS), _stretch(self.AROUND))
        assert census.gone == census.vanished == ("gap",)
        assert census.sightings["gap"].gone_at == NOW + 10
        assert census.missing == ()

    def test_twice_too_soon_are_not_believed(self) -> None:
        """The two listings must be apart."""
        census = _twice(_known(*self.ROWS), _stretch(self.AROUND), apart=9.9)
        assert census.gone == ()

    def test_one_noted_by_a_clock_that_was_ahead_is_a_first_one_again(self) -> None:
        """Else it would not be believed before that clock's time has come."""
        first = _census(_known(*self.ROWS), *self.AROUND, at=NOW + 7200)
        again = _census(first.sightings, *self.AROUND, at=NOW)
        assert again.sightings["gap"].missing_since == NOW
        assert _census(again.sightings, *self.AROUND, at=NOW + 10).gone == ("gap",)

    def test_and_shown_again_are_forgiven(self) -> None:
        """The next absence is a first one again."""
        known = _known(*self.ROWS)
        once = _census(known, *self.AROUND)
        shown = _census(once.sightings, *self.ROWS, at=NOW + 10)
        assert shown.sightings["gap"].missing_since is None
        again = _census(shown.sightings, *self.AROUND, at=NOW + 20)
        assert again.missing == ("gap",)
        assert again.gone == ()

    def test_believed_gone_and_shown_again_return(self) -> None:
        """Even a belief on two proofs gives way to the row itself."""
        gone = _twice(_known(*self.ROWS), _stretch(self.AROUND))
        census = _census(gone.sightings, *self.ROWS, at=NOW + 20)
        assert census.returned == ("gap",)
        assert census.sightings["gap"].alive

    def test_past_their_expiry_are_simply_gone(self) -> None:
        """A provider may drop expired rows from its list."""
        rows = (_row("new", 50), _row("gap", 1196), _row("old", 1300))
        census = _twice(_known(*rows), _stretch((rows[0], rows[2])))
        assert census.gone == ("gap",)
        assert census.vanished == ()

    def test_by_our_own_hand_have_not_vanished(self) -> None:
        """A delete whose answer was lost explains it."""
        first = _census(_known(*self.ROWS), *self.AROUND)
        listing = _listing(_stretch(self.AROUND), at=NOW + 10)
        census = take_census(
            first.sightings, listing, RULES, NOW + 10, own_deletes=frozenset({"gap"})
        )
        assert census.gone == ("gap",)
        assert census.vanished == ()

    def test_or_said_to_be_deleted_have_vanished(self) -> None:
        """A status of `deleted` that is not our doing is another reaper's."""
        rows = (_row("a", status="deleted"),)
        assert _census(_known(_row("a")), *rows).vanished == ("a",)
        for age, vanished in ((1194, ("a",)), (1195, ()), (1196, ())):
            late = (_row("a", age, status="deleted"),)
            assert _census(_known(_row("a", age)), *late).vanished == vanished

    @pytest.mark.parametrize(
        "stretch",
        [
            pytest.param(_stretch(AROUND, finished=False), id="an unfinished stretch"),
            pytest.param(_stretch([_row("new", 50)], reached_end=False), id="its lower edge"),
            pytest.param(
                _stretch([_row("new", 50), _row("tie", 100)], reached_end=False),
                id="the second of its last row",
            ),
            pytest.param(
                _stretch([_row("old", 150)], Region(after="tie", born_by=int(NOW) - 100)),
                id="the second of its cursor",
            ),
            pytest.param(_stretch([_row("old", 150)], Region(after="x")), id="an unknown cursor"),
            pytest.param(
                _stretch([], Region(after="new", born_by=int(NOW) - 50)),
                id="an empty page after a cursor",
            ),
            pytest.param(
                _stretch(AROUND, Region(after="x", born_by=int(NOW) - 60)),
                id="a cursor that was ignored",
            ),
            pytest.param(_stretch(reversed(AROUND)), id="rows out of order"),
            pytest.param(_stretch([], reached_end=False), id="no rows and no end"),
        ],
    )
    def test_are_not_where_the_listing_proves_nothing(self, stretch: Stretch) -> None:
        """Only a place that a finished stretch encloses can be empty."""
        census = _twice(_known(_row("gap", 100)), stretch)
        assert census.missing == census.gone == ()
        assert census.sightings["gap"].missing_since is None
        assert not census.shrank

    @pytest.mark.parametrize(
        "stretch",
        [
            pytest.param(_stretch([_row("old", 150)], reached_end=False), id="the top"),
            pytest.param(
                _stretch([_row("old", 150)], Region(after="new", born_by=int(NOW) - 50)),
                id="the cursor",
            ),
            pytest.param(_stretch([_row("new", 50)]), id="the end"),
        ],
    )
    def test_are_found_next_to_edges(self, stretch: Stretch) -> None:
        """Between the top or a cursor and an older row, or above the end."""
        census = _twice(_known(*self.ROWS[:2]), stretch)
        assert "gap" in census.gone


class TestShrinking:
    """Lists that lose too much at once."""

    ROWS = tuple(_row(str(i), 100 + i) for i in range(6))

    def test_an_empty_list_that_was_full_is_not_believed(self) -> None:
        """Not even for a single live row."""
        census = _twice(_known(_row("a")), _stretch([]))
        assert census.shrank
        assert census.missing == census.gone == ()

    def test_an_empty_list_of_the_expired_is_believed(self) -> None:
        """When nothing known can still be alive."""
        census = _twice(_known(_row("a", 1201)), _stretch([]))
        assert not census.shrank
        assert census.gone == ("a",)

    def test_losing_more_than_half_is_not_believed(self) -> None:
        """Four of six at once is the list's fault."""
        census = _census(_known(*self.ROWS), *self.ROWS[:2])
        assert census.shrank
        assert census.missing == ()

    def test_losing_half_is(self) -> None:
        """The twin just below: three of six are missing."""
        census = _census(_known(*self.ROWS), *self.ROWS[:3])
        assert not census.shrank
        assert len(census.missing) == 3

    def test_losing_most_is_where_applications_made_them(self) -> None:
        """They may delete what they created, all of it at once; so many of all else are there."""
        explicit = {"2", "3", "4", "5"}
        census = _census(_known(*self.ROWS), *self.ROWS[:2], explicit=explicit)
        assert not census.shrank
        assert set(census.missing) == explicit
        assert not _census(_known(*self.ROWS), explicit={each.id for each in self.ROWS}).shrank

    @pytest.mark.parametrize(
        ("explicit", "shown"),
        [
            pytest.param("2345", "2", id="both others, and most of all"),
            pytest.param("5", "015", id="three of five others"),
            pytest.param("45", "", id="all of them"),
            pytest.param("12345", "", id="all, and one other among them"),
        ],
    )
    def test_losing_most_of_all_else_is_not_believed(self, explicit: str, shown: str) -> None:
        """However many of the lost applications made: that explains no other's going."""
        rows = [each for each in self.ROWS if each.id in shown]
        census = _census(_known(*self.ROWS), *rows, explicit=explicit)
        assert census.shrank
        assert census.missing == ()

    def test_losing_most_of_a_few_is(self) -> None:
        """Of four live rows, three may well have gone."""
        census = _census(_known(*self.ROWS[:4]), self.ROWS[0])
        assert not census.shrank
        assert len(census.missing) == 3

    def test_what_we_tried_to_delete_may_go_in_a_body(self) -> None:
        """Where the answers were lost, it is no fault of the list."""
        own = {row.id for row in self.ROWS[2:]}
        listing = _listing(_stretch(self.ROWS[:2]))
        census = take_census(_known(*self.ROWS), listing, RULES, NOW, own_deletes=own)
        assert not census.shrank
        assert set(census.missing) == own

    def test_heals_at_the_latest_with_the_last_expiry(self) -> None:
        """A list that truly lost everything does not stop the daemon for ever."""
        known = _known(*self.ROWS)
        assert _census(known, at=NOW).shrank
        later = _census(known, at=NOW + 1200)
        assert not later.shrank
        assert len(later.missing) == 6


class TestInventory:
    """Complete or partial."""

    FAILURE = Failure(ConditionKind.TIMEOUT, "no answer")

    def _partial_kind(self, census: Census, *, bootstrapped: bool = True) -> ConditionKind:
        found = inventory("default", census, bootstrapped=bootstrapped)
        assert isinstance(found, PartialInventory)
        assert (found.target, found.as_of) == ("default", census.as_of)
        assert found.detail
        return found.kind

    def test_is_complete_after_a_finished_tail(self) -> None:
        """Once a whole list has been read."""
        tail = _stretch([_row("a")], Region(down_to=NOW - 50), reached_end=False)
        census = take_census(_known(_row("b", 900)), _listing(tail), RULES, NOW)
        found = inventory("default", census, bootstrapped=True)
        assert isinstance(found, CompleteInventory)
        assert set(found.sightings) == {"a", "b"}
        assert (found.target, found.as_of) == ("default", NOW)

    def test_is_partial_before_the_first_whole_list(self) -> None:
        """A tail alone does not show what was there before us."""
        tail = _stretch([_row("a")], Region(down_to=NOW - 50), reached_end=False)
        census = take_census({}, _listing(tail), RULES, NOW)
        assert self._partial_kind(census, bootstrapped=False) is ConditionKind.INVENTORY_PARTIAL
        whole = inventory("default", _census({}, _row("a")), bootstrapped=False)
        assert isinstance(whole, CompleteInventory)

    def test_says_which_part_was_not_read(self) -> None:
        """The newest rows, whatever was read before; else the rest."""
        tail = _stretch([_row("a")], Region(down_to=NOW - 50), reached_end=False)
        for stretches, bootstrapped, part in (
            ((), False, "newest"),
            ((), True, "newest"),
            ((tail,), False, "whole"),
        ):
            census = take_census({}, _listing(*stretches), RULES, NOW)
            found = inventory("default", census, bootstrapped=bootstrapped)
            assert isinstance(found, PartialInventory)
            assert part in found.detail

    @pytest.mark.parametrize(
        "stretches",
        [
            (),
            (_stretch([_row("a")], finished=False),),
            (_stretch([_row("a")], Region(after="x")),),
            (_stretch([_row("a", 100), _row("b", 50)]),),
        ],
    )
    def test_is_partial_without_the_tail(self, stretches: Sequence[Stretch]) -> None:
        """The newest rows must be read to their lower edge, in order."""
        census = take_census({}, _listing(*stretches), RULES, NOW)
        assert self._partial_kind(census) is ConditionKind.INVENTORY_PARTIAL

    def test_is_partial_after_a_failure(self) -> None:
        """By the failure's name, though the tail was read."""
        listing = _listing(_stretch([_row("a")]), failure=self.FAILURE)
        census = take_census({}, listing, RULES, NOW)
        assert self._partial_kind(census) is ConditionKind.TIMEOUT

    def test_is_partial_when_the_list_shrank(self) -> None:
        """An empty list that was full a moment ago decides nothing."""
        assert self._partial_kind(_census(_known(_row("a")))) is ConditionKind.LISTING_SHRANK


_statuses = st.sampled_from(["running", "active", "expired", "deleted", "paused"])
_rows = st.builds(
    _row,
    key=st.sampled_from("abcdefgh"),
    age=st.integers(0, 1500),
    status=_statuses,
    active=st.none() | st.integers(0, 1500),
)


class TestAnything:
    """What holds for any listing."""

    @given(
        listings=st.lists(
            st.tuples(st.lists(_rows, max_size=6), st.booleans(), st.booleans()), max_size=6
        )
    )
    def test_use_is_never_forgotten_and_nothing_is_lost(
        self, listings: list[tuple[list[Container], bool, bool]]
    ) -> None:
        """Known rows stay known, use stays use, and only the shown or twice missed change life."""
        known: Mapping[str, Sighting] = {}
        for step, (rows, finished, sort) in enumerate(listings):
            now = NOW + 10 * step
            if sort:
                rows.sort(key=lambda row: -row.created_at)
            census = take_census(
                known, _listing(_stretch(rows, finished=finished, at=now), at=now), RULES, now
            )
            shown = {row.id for row in rows}
            assert known.keys() <= census.sightings.keys()
            for key, before in known.items():
                after = census.sightings[key]
                was, now_active = before.container.last_active_at, after.container.last_active_at
                if was is not None and was > before.container.created_at + 2:
                    assert now_active is not None
                    assert now_active >= was
                if key not in shown and before.alive and not after.alive:
                    assert before.missing_since is not None
                    assert now - before.missing_since >= RULES.watch.interval
            assert {s.id for s in census.changed} <= census.sightings.keys()
            assert set(census.vanished) <= set(census.gone)
            known = census.sightings
