"""What was said under which name is remembered, the latest of it, and never too much."""

from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.contents import Names, Places

NAMES = st.lists(st.integers(0, 30), max_size=200)
PLACES = st.lists(st.integers(0, 4000), max_size=200)


@given(NAMES, st.integers(2, 20))
def test_the_latest_names_are_remembered_with_what_was_first_said(
    names: list[int], many: int
) -> None:
    """Half of what there is room for at least; no more than there is room for."""
    contents = Names(many)
    first: dict[int, int] = {}
    told: list[int] = []
    for content, name in enumerate(names):
        said = first.setdefault(name, content)
        agrees = contents.agrees(name, said)
        assert agrees is not False
        assert contents.agrees(name, -1) is False
        if agrees is None:
            assert name not in told[-(many // 2) :]
            told.append(name)
        assert len(contents._young) + len(contents._old) <= many


def test_names_go_by_the_half_once_there_is_no_more_room() -> None:
    """And not before."""
    contents, held = Names(10), []
    for name in range(15):
        contents.agrees(name, 1)
        held.append(len(contents._young) + len(contents._old))
    assert held == [*range(1, 10), *range(5, 10), 5]


@given(PLACES, st.sampled_from([1, 256, 512, 700, 100_000]))
def test_the_latest_places_are_remembered_with_what_was_first_said(
    places: list[int], many: int
) -> None:
    """By blocks of 256; the one that was begun last is always there."""
    contents = Places(many)
    first: dict[int, int] = {}
    begun: list[int] = []
    for content, place in enumerate(places):
        block = place // 256
        if block not in begun:
            begun.append(block)
        held = block in begun[-max(1, many // 256) :]
        begun = begun[-max(1, many // 256) :]
        first = {at: said for at, said in first.items() if at // 256 in begun}
        assert held
        agrees = contents.agrees(place, first.get(place, content))
        assert agrees is (True if place in first else None)
        first.setdefault(place, content)
        assert contents.agrees(place, -1) is False
        assert len(contents._blocks) <= max(1, many // 256)
        assert all(len(each) == 256 for each in contents._blocks.values())


def test_nothing_said_is_something_said() -> None:
    """A content of zero is known, and another is another."""
    for contents in (Names(10), Places(10)):
        assert contents.agrees(1, 0) is None
        assert contents.agrees(1, 0) is True
        assert contents.agrees(1, 5) is False
