from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.store.build import NOW

from demurrage.store import SqlStore, open_store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where a test's store is."""
    return f"sqlite:///{tmp_path}/state/demurrage.db"


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
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """One store for all examples of a property; each example takes a target of its own."""
    folder = tmp_path_factory.mktemp("shared")
    with open_store(f"sqlite:///{folder}/demurrage.db") as opened:
        yield opened
