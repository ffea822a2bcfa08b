"""Numbers of things."""

import pytest

from demurrage.model.counted import counted


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 containers"), (1, "1 container"), (2, "2 containers"), (1200, "1,200 containers")],
)
def test_one_is_not_many(number: int, told: str) -> None:
    """And thousands are set apart."""
    assert counted(number, "container") == told
