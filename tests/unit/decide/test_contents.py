"""What was said under which name is remembered, the latest of it, and never too much."""

from hypothesis import given
from hypothesis import strategies as st

from demurrage.decide.contents import Contents

NAMES = st.lists(st.integers(0, 30), max_size=200)


@given(NAMES, st.integers(2, 20))
def test_the_latest_names_are_remembered_with_what_was_first_said(
    names: list[int], many: int
) -> None:
    """Half of what there is room for at least; no more than there is room for."""
    contents = Contents(many)
    first: dict[int, int] = {}
    told: list[int] = []
    for content, name in enumerate(names):
        known = contents.first(name, content)
        if name in told[-(many // 2) :]:
            assert known == first[name]
        assert known in (None, first.get(name))
        if known is None:
            first[name] = content
            told.append(name)
        assert len(contents) <= many


def test_nothing_said_is_something_said() -> None:
    """A content of zero is known."""
    contents = Contents(10)
    assert contents.first(1, 0) is None
    assert contents.first(1, 5) == 0
