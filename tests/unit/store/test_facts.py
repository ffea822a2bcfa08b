from dataclasses import replace
from math import inf
from typing import Any

import pytest
from tests.unit.store.build import NOW

from demurrage.decide.holds import resume
from demurrage.decide.response import Claim
from demurrage.model.facts import BreakKind, CoverageBreak, TargetFacts
from demurrage.model.plan import Hold, Rail
from demurrage.store import SqlStore
from demurrage.store.breaks import MOST_OPEN


def late(about: str = "call_1", *, at: float = NOW) -> CoverageBreak:
    """A start that came too late."""
    return CoverageBreak("t", BreakKind.LATE_START, about, at, "too late")


def strange(*, position: int, at: float = NOW + 99) -> CoverageBreak:
    """A writer from the future, as the log tells of it up to a position."""
    return CoverageBreak("t", BreakKind.UNKNOWN_CLOCK, "urn:w", at, "ahead", position)


def test_nothing_is_known_of_a_new_target(store: SqlStore) -> None:
    """The facts of a target that was never heard of grant nothing."""
    assert store.facts("t", NOW) == TargetFacts()


def test_coverage_counts_from_the_first_complete(store: SqlStore) -> None:
    """Saying it again changes nothing; who does not say it takes it and the breaks back."""
    store.declare_coverage("t", at=NOW)
    store.declare_coverage("t", at=NOW + 5)
    store.add_breaks([late()])
    assert store.facts("t", NOW).coverage_since == NOW
    assert store.facts("t", NOW).breaks == (late(),)
    store.withdraw_coverage(["t"])
    assert store.facts("t", NOW).breaks == (late(),)
    store.withdraw_coverage(["u"])
    assert store.facts("t", NOW) == TargetFacts()
    store.declare_coverage("t", at=NOW + 7)
    assert store.facts("t", NOW).coverage_since == NOW + 7
    assert [each.what for each in store.acts()] == [
        "declare_complete",
        "declare_partial",
        "declare_complete",
    ]


def test_the_word_is_taken_back_from_all_that_are_not_named(store: SqlStore) -> None:
    """A target that nobody speaks of loses it as one does that is said to be partial."""
    for name in ("t", "u", "v"):
        store.declare_coverage(name, at=NOW)
    store.withdraw_coverage(["u"])
    since = [store.facts(name, NOW).coverage_since for name in ("t", "u", "v")]
    assert since == [None, NOW, None]
    store.withdraw_coverage([])
    assert store.facts("u", NOW).coverage_since is None


def test_complete_alone_settles_no_break(store: SqlStore) -> None:
    """A break that was recorded under partial coverage waits for a person."""
    store.add_breaks([late()])
    store.declare_coverage("t", at=NOW + 1)
    assert store.facts("t", NOW).breaks == (late(),)


def test_a_break_is_recorded_once_and_stays_settled(store: SqlStore) -> None:
    """The same breach told again and again is one; once settled it does not come back."""
    store.add_breaks([late(), late(), late("call_2")])
    store.add_breaks([late()])
    assert store.confirm_coverage("t", NOW + 1, "ann") == 2
    store.add_breaks([late(), late("call_2")])
    facts = store.facts("t", NOW)
    assert (facts.breaks, facts.confirmed_at) == ((), NOW + 1)
    assert store.confirm_coverage("t", NOW + 2, "ann") == 0
    assert store.facts("t", NOW + 2).confirmed_at == NOW + 1


@pytest.mark.parametrize(
    ("clock", "since"),
    [
        ({"offset": 0.0, "jumped": False}, NOW + 600),
        ({"offset": 0.0, "jumped": True}, NOW + 1),
        ({"offset": None, "jumped": False}, NOW + 1),
    ],
)
def test_a_confirmation_counts_from_the_last_look_at_the_earliest(
    store: SqlStore, clock: dict[str, Any], since: float
) -> None:
    """By a clock that is behind it would cover what was born while the word was broken.

    What another target's clock says, or one that was in doubt, tells nothing.
    """
    store.add_breaks([late()])
    store.save_status("t", NOW + 600, {"clock": clock})
    store.save_status("u", NOW + 900, {"clock": {"offset": 0.0, "jumped": False}})
    store.touch(NOW + 900)
    store.confirm_coverage("t", NOW + 1, "ann")
    assert store.facts("t", NOW + 600).confirmed_at == since
    assert store.time_is_told("t") == (since > NOW + 1)
    assert not store.time_is_told("never looked at")
    store.forget_looks()
    assert store.statuses() == ()


def test_a_breach_after_the_confirmation_opens_again(store: SqlStore) -> None:
    """What happens anew is a new breach, though it be about the same writer."""
    store.add_breaks([late()])
    store.confirm_coverage("t", NOW + 1, "ann")
    again = late(at=NOW + 2)
    store.add_breaks([again])
    assert store.facts("t", NOW).breaks == (again,)


def test_a_breach_that_is_dated_ahead_is_settled_by_a_word_before_its_moment(
    store: SqlStore,
) -> None:
    """All that the log told of it by then, also since it was found; and nothing besides."""
    store.add_breaks([strange(position=7)])
    store.add_breaks([strange(position=9)])
    assert store.facts("t", NOW).breaks == (strange(position=9),)
    assert store.confirm_coverage("t", NOW + 1, "ann") == 1
    store.add_breaks([strange(position=7), strange(position=9, at=NOW + 98)])
    facts = store.facts("t", NOW)
    assert (facts.breaks, facts.settled) == ((), (strange(position=9),))
    # It is dated before the one that is settled, and yet it came after the word.
    again = strange(position=10, at=NOW + 2)
    store.add_breaks([again])
    facts = store.facts("t", NOW)
    assert (facts.breaks, facts.settled) == ((again,), ())
    assert store.confirm_coverage("t", NOW + 3, "ann") == 1


def test_what_was_settled_excuses_nothing_in_another_log(store: SqlStore) -> None:
    """Its places are those of the log that is gone."""
    store.declare_coverage("t", NOW - 9)
    store.add_breaks([strange(position=9)])
    store.confirm_coverage("t", NOW, "ann")
    for position in (5, 7):
        store.save_claim("t", Claim(NOW, NOW - 30, position))
    assert store.claims() == {"t": Claim(NOW, NOW - 30, 7)}
    store.forget_places()
    assert (store.facts("t", NOW).settled, store.claims()) == ((), {})
    store.add_breaks([strange(position=7)])
    assert store.facts("t", NOW).breaks == (strange(position=7),)


def test_what_rests_on_no_line_is_settled_by_its_moment_alone(store: SqlStore) -> None:
    """What goes on by itself is found, and told of, again."""
    store.add_breaks([strange(position=0)])
    assert store.confirm_coverage("t", NOW + 1, "ann") == 1
    store.add_breaks([strange(position=0)])
    assert store.facts("t", NOW).breaks == (strange(position=0),)
    assert store.confirm_coverage("t", NOW + 2, "ann") == 1


def test_breaks_without_end_do_not_fill_the_store(store: SqlStore) -> None:
    """One break is as good as a million: past a bound no more are kept open."""
    store.add_breaks([late(f"a{number}") for number in range(MOST_OPEN - 1)])
    store.add_breaks([late(f"b{number}") for number in range(10)])
    store.add_breaks([late(f"c{number}") for number in range(10)])
    assert len(store.facts("t", NOW).breaks) == MOST_OPEN


def test_windows_are_whole_life_until_a_person_says_otherwise(store: SqlStore) -> None:
    """A late birth widens the windows, and only a person narrows them again."""
    store.note_late_births("t", NOW)
    store.note_late_births("t", NOW + 1)
    assert store.facts("t", NOW).whole_life_windows
    store.reset_windows("t", NOW + 2, "ann")
    assert not store.facts("t", NOW).whole_life_windows


@pytest.mark.parametrize("rail", [Rail.STORE_RESTORED, Rail.LOG_RESTORED])
def test_no_birth_is_trusted_until_a_person_answers_for_a_restore(
    store: SqlStore, rail: Rail
) -> None:
    """Whatever is born while that is asked; then, what was born up to the answer."""
    hold = Hold("h1", "t", rail, NOW + 1, "restored")
    store.save_hold(hold)
    assert store.facts("t", NOW).distrust_before == inf
    assert store.facts("u", NOW).distrust_before is None
    store.save_hold(resume(hold, now=NOW + 60, until=NOW + 90, by="ann"))
    assert store.facts("t", NOW).distrust_before == NOW + 60
    store.save_hold(Hold("h2", "t", rail, NOW + 70, "restored"))
    assert store.facts("t", NOW).distrust_before == inf


def test_distrust_never_shrinks(store: SqlStore) -> None:
    """An earlier moment, by a person's clock that is behind, makes no birth trusted again."""
    hold = Hold("h", "t", Rail.LOG_RESTORED, NOW, "restored")
    for at in (50, 40):
        one = replace(hold, id=f"h{at}")
        store.save_hold(resume(one, now=NOW + at, until=NOW + 90, by="ann"))
    assert store.facts("t", NOW).distrust_before == NOW + 50
    store.save_status("t", NOW + 100, {"clock": {"offset": 0.0, "jumped": False}})
    store.touch(NOW + 200)
    store.save_hold(resume(replace(hold, id="h"), now=NOW + 60, until=NOW + 90, by="ann"))
    assert store.facts("t", NOW).distrust_before == NOW + 100


def test_other_holds_put_no_birth_beyond_proof(store: SqlStore) -> None:
    """Neither while they stand nor by their resume."""
    hold = Hold("h1", "t", Rail.SECOND_REAPER, NOW, "gone early")
    store.save_hold(hold)
    store.save_hold(resume(replace(hold, id="h2"), now=NOW + 60, until=NOW + 90, by="ann"))
    assert store.facts("t", NOW).distrust_before is None


@pytest.mark.parametrize(("until", "left"), [(None, {"x"}), (NOW + 10, set())])
def test_protection_holds_until_its_end(
    store: SqlStore, until: float | None, left: set[str]
) -> None:
    """For ever means for ever; a moment means until then."""
    store.protect("t", "x", until, "ann")
    assert store.facts("t", NOW + 9).protected == {"x"}
    assert store.facts("t", NOW + 10).protected == left
    assert store.facts("other", NOW).protected == frozenset()


def test_protection_can_be_taken_back(store: SqlStore) -> None:
    """Taking it back works once, and says whether there was one."""
    store.protect("t", "x", None, "ann")
    assert store.unprotect("t", "x", "ben")
    assert not store.unprotect("t", "x", "ben")
    assert store.facts("t", NOW).protected == frozenset()


def test_retired_writers_are_known_to_every_target(store: SqlStore) -> None:
    """A writer is a process, whatever targets it writes for."""
    store.retire_writer("urn:w", NOW, "ann")
    assert store.facts("t", NOW).retired == {"urn:w": NOW}


def test_of_retired_writers_that_nothing_speaks_of_the_word_is_dropped(store: SqlStore) -> None:
    """Processes come and go for years; the word stays for as long as anything rests on it."""
    for name, at in (("urn:gone", NOW - 2), ("urn:spoken-of", NOW - 2), ("urn:late", NOW)):
        store.retire_writer(name, at, "ann")
    assert store.forget_retired(NOW, {"urn:spoken-of"}) == 1
    assert store.facts("t", NOW).retired == {"urn:spoken-of": NOW - 2, "urn:late": NOW}
    assert store.forget_retired(NOW, {"urn:spoken-of"}) == 0


def test_every_act_of_a_person_is_kept(store: SqlStore) -> None:
    """Who did what, when, to what."""
    store.protect("t", "x", None, "ann")
    store.unprotect("t", "x", "ben")
    store.retire_writer("urn:w", NOW + 1, "cat")
    store.confirm_coverage("t", NOW + 2, "dan")
    store.reset_windows("t", NOW + 3, "eve")
    kept = [(each.by, each.what, each.target, each.about, each.at) for each in store.acts()]
    assert kept == [
        ("eve", "reset_windows", "t", None, NOW + 3),
        ("dan", "confirm_coverage", "t", None, NOW + 2),
        ("cat", "retire_writer", None, "urn:w", NOW + 1),
        ("ben", "unprotect", "t", "x", NOW),
        ("ann", "protect", "t", "x", NOW),
    ]
