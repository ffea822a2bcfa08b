"""What every test stands on."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from tests.postgres import Server

# The virtual-time plugin asks for the current event loop before every test, and on Python 3.11
# the first such question makes one that nobody closes: a warning, hence an error. Saying that
# there is none keeps it from being made.
asyncio.set_event_loop(None)

# How long an example takes says how busy the machine is, and nothing about the code. `deep` is for
# a long hunt (`make prove`). `mutants` asks of every mutant the same few questions, and wants a
# no, not the smallest example of it.
settings.register_profile("demurrage", deadline=None)
settings.register_profile(
    "deep", deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck)
)
settings.register_profile(
    "mutants",
    deadline=None,
    max_examples=6,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("demurrage")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server of this session's own."""
    server = Server.prepared()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """The URL of an empty database of this test's own."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)
