"""The demo's stage: two harbours, the applications that work there, and who was heard to log."""

import asyncio
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from demurrage.simulator.delivery import CloudEvent, Send, over_http
from demurrage.simulator.demo_times import COMPLETE, PARTIAL, Place
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.plans import Habits
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer

# Requests in a real minute: few enough that a table of the latest containers shows them from
# their birth to their end.
_REQUESTS = {COMPLETE: 45.0, PARTIAL: 15.0}
_APPLICATIONS = {COMPLETE: ("chat", "reports", "agents"), PARTIAL: ("intranet", "playground")}
_UNLOGGED = "playground"
_HEARTBEAT = 1.0
# Models of some use, so that a leak is a change.
_USUAL = Habits(tool_use_rate=0.5)
_LEAKING = Habits(tool_use_rate=0.02, shell_share=0.02, explicit_share=0.05)


@dataclass(slots=True)
class Ear:
    """What the applications' own events say: which response each logged call became."""

    responses: dict[str, str] = field(default_factory=dict)

    def beside(self, send: Send) -> Send:
        """The same sender, listened to."""

        async def listened(events: Sequence[CloudEvent]) -> None:
            await send(events)
            for event in events:
                data = event["data"]
                if "call_id" in data and "response_id" in data:
                    self.responses[data["call_id"]] = data["response_id"]

        return listened


class Stage:
    """Two harbours on the network, and what happens there. Use it as a context manager.

    Args:
        folder: where the daemon's files go.
        speed: how many times faster than life all goes.
        seed: the same seed has the same conversations held.
        leak: models hardly ever use the tool that they are offered, until `turn`.
    """

    def __init__(self, folder: Path, *, speed: float, seed: int, leak: bool) -> None:
        self.ear = Ear()
        self.harbours = {
            name: HarbourServer(Harbour(HarbourSettings(scale=speed), seed=seed + number))
            for number, name in enumerate(_REQUESTS)
        }
        urls = {name: harbour.base_url for name, harbour in self.harbours.items()}
        self.place = Place(folder, urls, _free_port())
        self._speed, self._seed = speed, seed
        self.leaking = leak
        self._workloads: list[Workload] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Open the harbours."""
        for harbour in self.harbours.values():
            self._open.enter_context(harbour)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close them."""
        self._open.close()

    def turn(self) -> None:
        """Begin to leak, or stop it: models have the other habits from the next turn on."""
        self.leaking = not self.leaking
        for each in self._workloads:
            each.habits = self._habits

    @property
    def _habits(self) -> Habits:
        return _LEAKING if self.leaking else _USUAL

    async def play(self, stop: asyncio.Event) -> None:
        """Hold conversations in both harbours until `stop`."""
        self._workloads = [self._workload(name) for name in self.harbours]
        async with asyncio.TaskGroup() as group:
            for each in self._workloads:
                group.create_task(each.run(stop))

    def _workload(self, target: str) -> Workload:
        return Workload(
            self.place.harbours[target],
            [self._application(target, name) for name in _APPLICATIONS[target]],
            api_key="sk-demo-application",
            seed=self._seed,
            requests_per_minute=_REQUESTS[target],
            scale=self._speed,
            habits=self._habits,
        )

    def _application(self, target: str, name: str) -> Application:
        if name == _UNLOGGED:
            return Application(name, None)
        send = self.ear.beside(over_http(self.place.url, self.place.token))
        return Application(name, Writer(send, target=target, heartbeat=_HEARTBEAT))


def _free_port() -> int:
    """A port of the loopback address that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
