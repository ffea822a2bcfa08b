"""A harbour on a clock that moves only when a test says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from demurrage.simulator.ask import read_ask
from demurrage.simulator.clock import ManualClock
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.voyage import Voyage

AUTO = {"type": "code_interpreter", "container": {"type": "auto"}}
SHELL = {"type": "shell", "environment": {"type": "container_auto"}}


@dataclass(slots=True)
class Scene:
    """A harbour, its time, and short ways to drive it."""

    harbour: Harbour
    time: ManualClock

    def begin(self, *, use_tool: bool = False, **body: Any) -> Voyage:
        """Send a request with an auto code interpreter of ten seconds."""
        metadata = {"harbour_use_tool": "true" if use_tool else "false", "harbour_seconds": "10"}
        body = {"model": "m", "input": "Hi", "tools": [AUTO], "metadata": metadata, **body}
        return self.harbour.port.begin(read_ask(body))

    def ended(self, *, use_tool: bool = False, **body: Any) -> Voyage:
        """Send a request and wait for its end."""
        voyage = self.begin(use_tool=use_tool, **body)
        self.forward(20)
        assert voyage.ended
        return voyage

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.time.forward(seconds)
        self.harbour.port.advance()

    def change(self, **knobs: Any) -> None:
        """Turn knobs."""
        self.harbour.change(knobs)

    def listed(self, **query: Any) -> list[dict[str, Any]]:
        """The newest rows of the listing."""
        now = self.time()
        asked: dict[str, Any] = {"after": None, "limit": 100, "newest_first": True, "name": None}
        berths, _ = self.harbour.port.berths.page(now, **{**asked, **query})
        return [berth.row(now) for berth in berths]

    def totals(self) -> Mapping[str, Any]:
        """The truth in figures."""
        totals: Mapping[str, Any] = self.harbour.truth()["totals"]
        return totals

    def cases(self) -> list[dict[str, Any]]:
        """The truth, container by container, oldest first."""
        cases: list[dict[str, Any]] = self.harbour.truth()["containers"]
        return cases


@pytest.fixture
def scene() -> Scene:
    """A harbour without lags, so that what a test sees follows from what it does."""
    time = ManualClock()
    settings = HarbourSettings(visibility_lag=(0, 0), delete_lag=(0, 0))
    return Scene(Harbour(settings, seed=7, source=time), time)
