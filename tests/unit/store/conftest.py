from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.postgres import BACKENDS
from tests.unit.store.build import NOW

from demurrage.store import SqlStore, open_store


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test runs on both databases, but for those that are about SQLite's file."""
    if "backend" in metafunc.fixturenames:
        both = BACKENDS[:1] if "path" in metafunc.fixturenames else BACKENDS
        metafunc.parametrize("backend", both, scope="module")


@pytest.fixture
def url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where a test's store is."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path}/state/demurrage.db"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The store's file."""
    return tmp_path / "state" / "demurrage.db"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    """A new store whose own clock stands at NOW."""
    with open_store(url, clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(
    backend: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[SqlStore]:
    """One store for all examples of a property; each example takes a target of its own."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared')}/demurrage.db"
    if backend != "sqlite":
        server = request.getfixturevalue("postgres")
        url = server.url(server.create())
    with open_store(url) as opened:
        yield opened
