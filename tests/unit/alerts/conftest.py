from collections.abc import Iterator

import pytest
from tests.unit.alerts.kent import running_kent
from tests.unit.alerts.taker import Taker, taking


@pytest.fixture
def taker() -> Iterator[Taker]:
    """A server that takes everything."""
    with taking() as found:
        yield found


@pytest.fixture
def kent() -> Iterator[str]:
    """A real Sentry stand-in as a process of its own; host:port."""
    with running_kent() as address:
        yield address
