"""The life of a hold, from the rail that opened it to its end."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.holds import join, open_hold, resume, settle
from demurrage.model.plan import WAVE_RAILS, Hold, PlannedDelete, Rail
from demurrage.model.verdict import Verdict, VerdictKind

NOW = 1_800_000_000.0
WAVES = sorted(WAVE_RAILS)
TARGETS = sorted(set(Rail) - WAVE_RAILS)


def _deletes(*keys: str) -> tuple[PlannedDelete, ...]:
    return tuple(
        PlannedDelete(key, Verdict(key, VerdictKind.ORPHAN, ()), int(NOW), "1g", 0.02, NOW)
        for key in keys
    )


def _open(rail: Rail = Rail.DELETES_PER_HOUR, keys: Sequence[str] = ("a", "b")) -> Hold:
    return open_hold("h1", "default", rail, _deletes(*keys), now=NOW, summary="why")


class TestOpening:
    """A hold begins."""

    def test_names_the_wave(self) -> None:
        """It keeps who, why and when."""
        hold = _open()
        assert (hold.id, hold.target, hold.opened_at, hold.summary) == ("h1", "default", NOW, "why")
        assert hold.containers == {"a", "b"}
        assert not hold.ended

    def test_lets_newly_due_containers_join(self) -> None:
        """While nobody has answered, the wave grows."""
        assert join(_open(), _deletes("b", "c")).containers == {"a", "b", "c"}

    def test_returns_the_same_hold_when_nobody_new_joins(self) -> None:
        """So that an unchanged hold need not be saved."""
        hold = _open()
        assert join(hold, _deletes("a")) is hold

    def test_of_a_target_takes_no_containers(self) -> None:
        """It holds whatever is due, and need not list it."""
        hold = _open(Rail.SECOND_REAPER, ())
        assert join(hold, _deletes("a")) is hold


class TestResuming:
    """A person answers."""

    @pytest.mark.parametrize("rail", WAVES)
    def test_permits_a_wave_until_a_moment(self, rail: Rail) -> None:
        """The yes is dated, signed, and no end yet."""
        hold = resume(_open(rail), now=NOW + 1, until=NOW + 60, by="ann")
        assert (hold.resumed_at, hold.resumed_until, hold.resumed_by) == (NOW + 1, NOW + 60, "ann")
        assert not hold.ended

    @pytest.mark.parametrize("rail", TARGETS)
    def test_ends_a_hold_of_the_target(self, rail: Rail) -> None:
        """There is nothing to permit piecemeal."""
        hold = resume(_open(rail, ()), now=NOW + 1, until=NOW + 60, by="ann")
        assert hold.ended
        assert (hold.resumed_at, hold.resumed_by, hold.lapsed_at) == (NOW + 1, "ann", NOW + 1)

    def test_closes_the_wave(self) -> None:
        """What becomes due later was not in the person's eye."""
        hold = resume(_open(), now=NOW, until=NOW + 60, by="ann")
        assert join(hold, _deletes("c")) is hold

    def test_again_moves_the_moment(self) -> None:
        """A yes in force may be prolonged."""
        hold = resume(_open(), now=NOW, until=NOW + 60, by="ann")
        assert resume(hold, now=NOW + 59, until=NOW + 99, by="bob").resumed_until == NOW + 99

    @pytest.mark.parametrize("rail", list(Rail))
    def test_refuses_an_ended_hold(self, rail: Rail) -> None:
        """Its wave is judged anew; an old id permits nothing."""
        with pytest.raises(ValueError, match="h1 has ended"):
            resume(replace(_open(rail), lapsed_at=NOW), now=NOW, until=NOW + 60, by="ann")

    def test_refuses_a_yes_that_ran_out(self) -> None:
        """Ended is ended, also before the next cycle writes it down."""
        hold = resume(_open(), now=NOW, until=NOW + 60, by="ann")
        with pytest.raises(ValueError, match="h1 has ended"):
            resume(hold, now=NOW + 60, until=NOW + 99, by="ann")

    def test_refuses_a_moment_in_the_past(self) -> None:
        """A yes until yesterday is a slip."""
        with pytest.raises(ValueError, match="future"):
            resume(_open(), now=NOW, until=NOW, by="ann")


class TestSettling:
    """A hold ends."""

    def test_keeps_an_open_wave_while_one_of_it_lives(self) -> None:
        """Time alone never releases a hold."""
        hold = _open()
        assert settle(hold, {"b", "x"}, NOW + 1e9) is hold

    def test_ends_a_wave_that_is_gone(self) -> None:
        """Nothing is left to hold."""
        assert settle(_open(), {"x"}, NOW + 9).lapsed_at == NOW + 9

    def test_ends_a_yes_at_its_moment(self) -> None:
        """Just before, it is still in force."""
        hold = resume(_open(), now=NOW, until=NOW + 60, by="ann")
        assert settle(hold, {"a"}, NOW + 59.9) is hold
        assert settle(hold, {"a"}, NOW + 60).lapsed_at == NOW + 60

    def test_leaves_ended_holds_alone(self) -> None:
        """An end is written once."""
        hold = replace(_open(), lapsed_at=NOW)
        assert settle(hold, (), NOW + 9) is hold

    @pytest.mark.parametrize("rail", TARGETS)
    def test_never_ends_a_hold_of_the_target(self, rail: Rail) -> None:
        """Only a person does."""
        hold = _open(rail, ())
        assert settle(hold, (), NOW + 1e9) is hold

    @given(
        steps=st.lists(
            st.one_of(
                st.tuples(st.just("join"), st.sets(st.sampled_from("abcd"))),
                st.tuples(st.just("settle"), st.sets(st.sampled_from("abcd"))),
                st.tuples(st.just("resume"), st.just(frozenset[str]())),
            ),
            max_size=12,
        ),
        rail=st.sampled_from(list(Rail)),
    )
    def test_an_end_is_final_and_a_yes_covers_what_was_seen(
        self, steps: list[tuple[str, set[str] | frozenset[str]]], rail: Rail
    ) -> None:
        """Whatever happens to a hold, it never reopens, and never widens once resumed."""
        hold = _open(rail)
        for second, (step, keys) in enumerate(steps):
            before, now = hold, NOW + 10 * second
            if step == "join":
                hold = join(hold, _deletes(*sorted(keys)))
            elif step == "settle":
                hold = settle(hold, keys, now)
            elif not hold.ended and not (hold.resumed_until and hold.resumed_until <= now):
                hold = resume(hold, now=now, until=now + 25, by="ann")
            assert before.containers <= hold.containers
            if before.ended:
                assert hold == before
            if before.resumed_at is not None:
                assert hold.containers == before.containers
