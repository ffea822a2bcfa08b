"""Events to start from, and a log in a file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import BACKENDS

from demurrage.eventlog.log import EventLog

READ_AT = 1_800_000_000.0

# The least that each type asks for beyond the target.
LEAST: dict[str, dict[str, Any]] = {
    "demurrage.response.started": {"call_id": "call_1"},
    "demurrage.response.sent": {"call_id": "call_1", "sent_at": 1_790_000_000.5},
    "demurrage.response.created": {"call_id": "call_1", "response_id": "resp_1"},
    "demurrage.response.output": {"call_id": "call_1"},
    "demurrage.response.finished": {"call_id": "call_1", "status": "completed"},
    "demurrage.response.known": {"response_id": "resp_1"},
    "demurrage.container.requested": {},
    "demurrage.container.created": {"container_id": "cntr_1"},
    "demurrage.container.referenced": {"container_id": "cntr_1"},
    "demurrage.container.released": {"container_id": "cntr_1"},
    "demurrage.conversation.ended": {"conversation": "conv_1"},
    "demurrage.writer.heartbeat": {"complete_through": 1_790_000_000, "last_sequence": 7},
}

Make = Callable[..., dict[str, Any]]


def make(short: str = "response.started", /, **changes: Any) -> dict[str, Any]:
    """An event of a type; keywords go into the envelope, those in `data` into its data."""
    kind = f"demurrage.{short}"
    data = {"target": "default", **LEAST.get(kind, {}), **changes.pop("data", {})}
    envelope = {
        "specversion": "1.0",
        "id": "event-1",
        "source": "host/1",
        "sequence": 1,
        "type": kind,
        "time": "2026-11-22T10:00:00Z",
        "data": data,
    }
    return envelope | changes


@pytest.fixture
def event() -> Make:
    """The maker of events."""
    return make


@pytest.fixture
def least() -> dict[str, dict[str, Any]]:
    """The least data of every known type."""
    return LEAST


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test runs on both databases, but for those that are about SQLite's file."""
    if "backend" in metafunc.fixturenames:
        both = BACKENDS[:1] if "path" in metafunc.fixturenames else BACKENDS
        metafunc.parametrize("backend", both, scope="module")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The log's file."""
    return tmp_path / "log.sqlite"


@pytest.fixture
def url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where the test's log lives."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'log.sqlite'}"
    return str(request.getfixturevalue("database"))


@pytest.fixture
def other_url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Where another log of the test lives."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'other.sqlite'}"
    server = request.getfixturevalue("postgres")
    return str(server.url(server.create()))


@pytest.fixture
def log(url: str) -> Iterator[EventLog]:
    """An empty log whose clock stands still."""
    opened = EventLog.open(url, clock=lambda: READ_AT, busy_timeout=0.05)
    yield opened
    opened.close()
