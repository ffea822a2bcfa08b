from dataclasses import fields, replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.build import DAY, NOW, container, fresh_target, sighting

from demurrage.model.container import Container, Sighting
from demurrage.store import SqlStore, open_store
from demurrage.store.inventory import SIGHTING

moments = st.floats(min_value=0, max_value=4e9)
words = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
seconds = st.integers(min_value=0, max_value=4_000_000_000)
containers = st.builds(
    Container,
    id=st.text(words, min_size=1),
    created_at=seconds,
    status=st.sampled_from(["running", "active", "expired", "deleted", "novel"]),
    last_active_at=st.none() | seconds,
    tier=st.none() | st.sampled_from(["1g", "4g", "16g", "64g"]),
    name=st.text(words),
    idle_expiry=st.none() | moments,
)
sightings = st.builds(
    Sighting,
    container=containers,
    first_seen_at=moments,
    listed_at=moments,
    gone_at=st.none() | moments,
    deleted_at=st.none() | moments,
    missing_since=st.none() | moments,
)


@settings(max_examples=30)
@given(rounds=st.lists(st.lists(sightings, max_size=8), min_size=1, max_size=3))
def test_what_was_saved_last_comes_back_unchanged(
    shared: SqlStore, rounds: list[list[Sighting]]
) -> None:
    """Saving and loading loses nothing, and a later save replaces an earlier one."""
    target = fresh_target()
    expected: dict[str, Sighting] = {}
    for each in rounds:
        shared.save_sightings(target, each)
        expected |= {one.id: one for one in each}
    assert shared.sightings(target, alive_or_born_after=0) == expected


def test_the_living_and_the_lately_born_are_asked_for(store: SqlStore) -> None:
    """Old gone rows stay out; a birth in the moment's own second may have been after it."""
    store.save_sightings(
        "t",
        [
            sighting("old-alive", born=NOW - DAY),
            sighting("old-gone", born=NOW - DAY, status="expired"),
            sighting("same-second", born=NOW, status="expired"),
        ],
    )
    found = store.sightings("t", alive_or_born_after=NOW + 0.5)
    assert set(found) == {"old-alive", "same-second"}


def test_the_newest_birth_is_known(store: SqlStore) -> None:
    """Of the gone as of the living, and of each target by itself."""
    assert store.newest_birth("t") is None
    store.save_sightings("t", [sighting("x", born=NOW - DAY), sighting("y", born=NOW)])
    store.save_sightings("u", [sighting("z", born=NOW + DAY)])
    store.save_sightings("t", [sighting("g", born=NOW + 5, status="expired")])
    assert store.newest_birth("t") == NOW + 5
    store.save_sightings("t", [replace(sighting("f", born=NOW + DAY), listed_at=NOW + 9)])
    assert store.newest_birth("t") == NOW + 5


def test_the_newest_birth_is_known_of_what_was_listed_for_a_while(store: SqlStore) -> None:
    """The gone count like the living; to the second that is asked for."""
    store.save_sightings("t", [sighting("x", born=NOW), sighting("y", born=NOW + 5)])
    assert store.newest_birth("t", 30.0) is None
    again = replace(sighting("x", born=NOW, status="expired"), first_seen_at=NOW + 10)
    store.save_sightings("t", [replace(again, listed_at=NOW + 39)])
    assert store.newest_birth("t", 30.0) is None
    store.save_sightings("t", [replace(again, listed_at=NOW + 40)])
    assert store.newest_birth("t", 30.0) == NOW
    assert store.newest_birth("u", 30.0) is None


def test_targets_do_not_see_each_other(store: SqlStore) -> None:
    """The same id in two targets is two containers."""
    store.save_sightings("a", [sighting("x", tier="1g")])
    store.save_sightings("b", [sighting("x", tier="64g")])
    assert store.sightings("a", alive_or_born_after=0)["x"].container.tier == "1g"
    assert store.sightings("b", alive_or_born_after=0)["x"].container.tier == "64g"


def test_state_outlives_the_process(url: str, path: Path) -> None:
    """What was saved is there when the store is opened again."""
    with open_store(url) as store:
        store.save_sightings("t", [sighting("x")])
    with open_store(url) as store:
        assert set(store.sightings("t", alive_or_born_after=0)) == {"x"}
    assert path.exists()


def test_odd_text_from_the_api_is_kept_as_well_as_can_be(store: SqlStore) -> None:
    """A name that no database takes as it is does not keep the inventory from being saved."""
    odd = replace(container("x"), name="a\ud800b\0c")
    store.save_sightings("t", [Sighting(odd, NOW, NOW)])
    assert store.sightings("t", alive_or_born_after=0)["x"].container.name == "a?b\ufffdc"


def test_every_field_of_a_sighting_has_its_column_in_order() -> None:
    """A field that is added to the values cannot be forgotten here."""
    names = [each.name for each in fields(Container)] + [each.name for each in fields(Sighting)]
    names.remove("container")
    assert [column.name for column in SIGHTING] == ["container_id", *names[1:]]


def test_a_whole_listing_is_remembered_for_its_target(store: SqlStore) -> None:
    """Once read to the end, always; other facts on the target do not disturb it."""
    assert not store.listed_whole("t")
    store.note_listed_whole("t")
    store.declare_coverage("t", NOW)
    assert store.listed_whole("t")
    assert not store.listed_whole("u")
    assert store.facts("t", NOW).coverage_since == NOW


def test_the_first_sight_of_all_is_remembered(store: SqlStore) -> None:
    """Per target, and None where nothing was ever seen."""
    store.save_sightings("t", [sighting("a", born=NOW + 5), sighting("b", born=NOW)])
    assert store.watched_since("t") == NOW
    assert store.watched_since("u") is None
