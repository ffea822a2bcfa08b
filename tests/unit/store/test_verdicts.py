from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.build import NOW, container, fresh_target, ruling, sighting

from demurrage.model.record import Ruling
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind
from demurrage.store import SqlStore

moments = st.floats(min_value=0, max_value=4e9)
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
reasons = st.builds(Reason, st.sampled_from(Code), words, st.none() | words)
verdicts = st.builds(
    Verdict,
    container_id=st.sampled_from(["a", "b", "c"]),
    kind=st.sampled_from(VerdictKind),
    reasons=st.lists(reasons, max_size=3).map(tuple),
    due_at=st.none() | moments,
    proven_at=st.none() | moments,
    maker=st.none() | words,
    shadow=st.none() | st.sampled_from(VerdictKind),
)


@settings(max_examples=30)
@given(rounds=st.lists(st.lists(verdicts, max_size=4), min_size=1, max_size=3))
def test_the_latest_verdict_of_each_comes_back_whole(
    shared: SqlStore, rounds: list[list[Verdict]]
) -> None:
    """The current verdicts are the last recorded ones, reasons included, under their ids."""
    target = fresh_target()
    expected: dict[str, tuple[int, Verdict]] = {}
    for each in rounds:
        given_now = [Ruling(container(one.container_id), one, NOW) for one in each]
        ids = shared.record_verdicts(target, given_now)
        expected |= {one.container_id: (ids[one.container_id], one) for one in each}
    assert shared.current_verdicts(target) == expected


def test_only_the_living_have_a_current_verdict(store: SqlStore) -> None:
    """A container that is gone drops out; its history stays."""
    store.record_verdicts("t", [ruling("x"), ruling("y")])
    store.save_sightings("t", [sighting("x", gone_at=NOW + 1)])
    assert set(store.current_verdicts("t")) == {"y"}
    case = store.case("x")
    assert case is not None
    assert len(case.verdicts) == 1


def test_saving_a_sighting_keeps_the_verdict(store: SqlStore) -> None:
    """A later listing does not make the daemon forget what it thinks."""
    ids = store.record_verdicts("t", [ruling("x")])
    store.save_sightings("t", [sighting("x")])
    assert store.current_verdicts("t")["x"][0] == ids["x"]


def test_the_standing_is_counted_by_kind_and_code(store: SqlStore) -> None:
    """`kept and why` counts the living by verdict and first reason."""
    store.record_verdicts(
        "t", [ruling("x"), ruling("y"), ruling("z", VerdictKind.PENDING), ruling("gone")]
    )
    store.save_sightings("t", [sighting("gone", gone_at=NOW), sighting("unjudged")])
    assert store.standing("t") == {
        (VerdictKind.ORPHAN, Code.NO_REFERENCE): 2,
        (VerdictKind.PENDING, Code.NO_REFERENCE): 1,
    }


def test_proof_stands_with_the_latest_verdict(store: SqlStore) -> None:
    """`proven` holds standing orphans and releases alone, and falls with the verdict."""
    store.record_verdicts(
        "t",
        [
            ruling("o", proven_at=NOW - 5),
            ruling("r", VerdictKind.RELEASED, proven_at=NOW - 4),
            ruling("p", VerdictKind.PENDING, proven_at=NOW - 3),
        ],
    )
    assert store.facts("t", NOW).proven == {"o": NOW - 5, "r": NOW - 4}
    store.record_verdicts("t", [ruling("o", VerdictKind.REFERENCED)])
    assert store.facts("t", NOW).proven == {"r": NOW - 4}
