from collections.abc import Iterator

import pytest
from tests.unit.alerts.taker import Taker, taking


@pytest.fixture
def taker() -> Iterator[Taker]:
    """A server that takes everything."""
    with taking() as found:
        yield found
