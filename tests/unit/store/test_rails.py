from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.build import NOW, fresh_target, intent, ruling, sighting

from demurrage.model.deletion import DeleteOutcome
from demurrage.model.history import HourTally, RailHistory
from demurrage.model.plan import Hold, Rail
from demurrage.model.record import BirthTally, Conclusion
from demurrage.store import SqlStore

HOUR = int(NOW // 3600)
HOLD = Hold("h1", "t", Rail.DELETES_PER_HOUR, NOW, "Too many.", frozenset({"x", "y"}))

moments = st.none() | st.floats(min_value=0, max_value=4e9)
hold_values = st.builds(
    Hold,
    id=st.sampled_from(["h1", "h2"]),
    target=st.just("t"),
    rail=st.sampled_from(Rail),
    opened_at=st.floats(min_value=0, max_value=4e9),
    summary=st.text(st.characters(codec="ascii", exclude_characters="\0")),
    containers=st.frozensets(st.sampled_from("abcdef")),
    resumed_at=moments,
    resumed_until=moments,
    resumed_by=st.none() | st.just("ann"),
    lapsed_at=moments,
)


@settings(max_examples=30)
@given(saved=st.lists(hold_values, min_size=1, max_size=5))
def test_a_hold_comes_back_as_saved_last(shared: SqlStore, saved: list[Hold]) -> None:
    """Saving replaces by id, containers included; only holds that have not ended are listed."""
    target = fresh_target()
    expected: dict[str, Hold] = {}
    for each in saved:
        hold = replace(each, id=f"{target}/{each.id}", target=target)
        shared.save_hold(hold)
        expected[hold.id] = hold
    assert set(shared.holds(target)) == {each for each in expected.values() if not each.ended}
    assert all(shared.hold(id_) == each for id_, each in expected.items())


def test_a_hold_is_amended_as_it_stands(store: SqlStore) -> None:
    """Whatever whoever asks knew of it; and what changes nothing writes nothing."""
    store.save_hold(replace(HOLD, resumed_at=NOW + 5, resumed_until=NOW + 9, resumed_by="ann"))
    smaller = store.amend_hold("h1", lambda hold: replace(hold, containers=frozenset({"x"})))
    assert smaller == store.hold("h1")
    assert smaller is not None
    assert (smaller.resumed_by, smaller.containers) == ("ann", frozenset({"x"}))
    assert store.amend_hold("h1", lambda hold: hold) is None
    assert store.amend_hold("unheard-of", lambda hold: replace(hold, summary="")) is None
    assert store.hold("unheard-of") is None
    assert len(store.acts()) == 1


def test_a_resume_is_an_act_told_once(store: SqlStore) -> None:
    """Saving the resumed hold again does not repeat the person's yes; a second yes is new."""
    store.save_hold(HOLD)
    resumed = replace(HOLD, resumed_at=NOW + 5, resumed_until=NOW + 9, resumed_by="ann")
    store.save_hold(resumed)
    store.save_hold(replace(resumed, containers=frozenset({"x"})))
    assert [(each.by, each.what, each.about) for each in store.acts()] == [("ann", "resume", "h1")]
    store.save_hold(replace(resumed, resumed_at=NOW + 20))
    assert len(store.acts()) == 2
    assert store.hold("unheard-of") is None


def test_tallies_add_up_over_a_week(store: SqlStore) -> None:
    """Figures of an hour add up; hours older than a week, and hours to come, stay out."""
    store.tally("t", [BirthTally(HOUR, births=2), BirthTally(HOUR, births=1, logged=1)])
    store.tally("t", [BirthTally(HOUR, deleted=1), BirthTally(HOUR - 167, births=7)])
    store.tally("t", [BirthTally(HOUR - 168, births=9), BirthTally(HOUR + 1, births=9)])
    store.tally("t", [])
    assert store.history("t", NOW).hours == {
        HOUR: HourTally(3, 1, 1),
        HOUR - 167: HourTally(7, 0, 0),
    }
    assert store.history("other", NOW) == RailHistory()


def test_a_container_stands_in_a_figure_once(store: SqlStore) -> None:
    """However often it is told, in whatever company; what was never listed stands in none."""
    born = [sighting("x"), sighting("y"), sighting("z", born=NOW - 7200)]
    store.save_sightings("t", born)
    store.tally("t", [BirthTally(each.container.created_at // 3600, births=1) for each in born])
    store.tally_once("t", "logged", ["x", "x", "unheard-of"])
    store.tally_once("t", "logged", ["x", "y", "z"])
    store.tally_once("t", "deleted", ["x"])
    store.tally_once("t", "deleted", ["x"])
    store.tally_once("other", "deleted", ["x"])
    at = {each.id: each.container.created_at // 3600 for each in born}
    assert at["x"] == at["y"] != at["z"]
    assert store.history("t", NOW).hours == {at["x"]: HourTally(2, 2, 1), at["z"]: HourTally(1, 1)}
    assert store.history("other", NOW) == RailHistory()


def test_the_last_hours_deletes_count_inclusively(store: SqlStore) -> None:
    """Unanswered and uncertain deletes count; refused, failed, resumed and old ones do not."""
    outcomes = {
        "done": DeleteOutcome.DELETED,
        "gone": DeleteOutcome.ALREADY_GONE,
        "perhaps": DeleteOutcome.UNCERTAIN,
        "no": DeleteOutcome.REFUSED,
        "failed": DeleteOutcome.FAILED,
    }
    ids = store.record_verdicts("t", [ruling(each) for each in (*outcomes, "open", "held", "old")])
    made = store.intend("t", [intent(ids[each], each) for each in outcomes], NOW)
    store.conclude(
        [Conclusion(each.id, outcomes[each.container_id], NOW + 1) for each in made],
    )
    store.intend("t", [intent(ids["open"], "open"), intent(ids["open"], "open")], NOW + 2)
    store.intend("t", [intent(ids["held"], "held", hold_id="h1")], NOW + 3)
    store.intend("t", [intent(ids["old"], "old")], NOW - 3600)
    history = store.history("t", NOW)
    assert history.deletes_last_hour == 4
    assert history.last_sweep_at == NOW + 3


def test_the_share_is_of_those_born_in_the_last_hour(store: SqlStore) -> None:
    """Births and their deletes are told by birth, not by when the delete was."""
    ids = store.record_verdicts("t", [ruling("young"), ruling("old", born=NOW - 3600)])
    store.save_sightings("t", [sighting("kept")])
    made = store.intend("t", [intent(ids["young"], "young"), intent(ids["old"], "old")], NOW)
    store.conclude([Conclusion(each.id, DeleteOutcome.DELETED, NOW) for each in made])
    history = store.history("t", NOW)
    assert (history.born_last_hour, history.deleted_of_those) == (2, 1)
