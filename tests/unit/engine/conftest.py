"""Writers that the tests of the engine share."""

import pytest
from tests.unit.decide.builders import Writer


@pytest.fixture
def writer() -> Writer:
    """One whose request is under way."""
    writer = Writer()
    writer.beats(0.0)
    writer.starts("a", 10.0)
    return writer
