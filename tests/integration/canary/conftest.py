"""The canary on the real SDK, a harbour over HTTP, and a real event log."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.integration.engine.conftest import exact_clock

from demurrage.app.canary.catalogue import chosen
from demurrage.app.canary.pace import Pace
from demurrage.app.canary.run import Canary
from demurrage.eventlog.log import EventLog
from demurrage.model.finding import Finding
from demurrage.provider.budget import CallBudget
from demurrage.provider.connection import Connection
from demurrage.provider.experiments import Experimenter
from demurrage.simulator.calls import caller_of
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

KEY = "sk-canary"
# Everything but what whole seconds bound is a hundred times faster than in life.
SCALE = 100.0
PACE = Pace(poll=0.05, patience=0.6, late=1.0, quiet=3.0, tombstone=0.3, head_start=0.1, beat=0.2)


@dataclass
class Lab:
    """A harbour, a log, and the canary between them."""

    server: HarbourServer
    log: EventLog
    pace: Pace = PACE
    beta: str = ""
    budget: CallBudget = field(default_factory=lambda: CallBudget(100_000))

    async def ask(self, *questions: str) -> dict[str, Finding]:
        """The answers, by question."""
        api = Experimenter(
            Connection("openai", self.server.base_url, KEY, timeout=10.0),
            self.budget,
            clock=exact_clock(),
        )
        told: list[Finding] = []
        try:
            canary = Canary("default", api, self.log, "gpt-5-mini", self.beta, self.pace)
            found = await canary.run(chosen(questions), told.append)
        finally:
            await api.close()
        assert told == found
        return {each.question: each for each in found}

    def turn(self, **knobs: Any) -> None:
        """Make the provider behave in another way."""
        self.server.admin.settings(**knobs)

    def cases(self) -> list[dict[str, Any]]:
        """The truth about every container."""
        cases: list[dict[str, Any]] = self.server.admin.truth()["containers"]
        return cases

    def called(self) -> dict[str, int]:
        """The canary's own calls, by method and path."""
        counts: dict[str, int] = self.server.admin.calls(0)["by_caller"].get(caller_of(KEY), {})
        return counts


async def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something that another thread or task brings about."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


@pytest.fixture
def labs(tmp_path: Path) -> Iterator[Callable[[], Lab]]:
    """Opens labs at providers that leak and show containers at once."""
    settings = HarbourSettings(
        scale=SCALE,
        birth_delay=(0.5, 1.0),
        default_seconds=(2.0, 4.0),
        visibility_lag=(0.0, 0.0),
        delete_lag=(0.0, 0.0),
        idle_expiry=6000.0,
    )
    opened: list[Lab] = []
    with ExitStack() as stack:

        def open_lab() -> Lab:
            file = tmp_path / f"log-{len(opened)}.db"
            log = EventLog.open(f"sqlite:///{file}", clock=time.time)
            stack.callback(log.close)
            server = stack.enter_context(HarbourServer(Harbour(settings, seed=5)))
            opened.append(Lab(server, log))
            return opened[-1]

        yield open_lab
        for each in opened:
            retrieved = "GET /v1/containers/{id}"
            assert not any(call.startswith(retrieved) for call in each.called())


@pytest.fixture
def lab(labs: Callable[[], Lab]) -> Lab:
    """One of them."""
    return labs()
