"""An instrumented SDK before a harbour, and what it writes into a shared folder."""

import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

import demurrage_recorder as recorder
from demurrage.eventlog.parse import parse
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

AUTO: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
SHELL: Any = {"type": "shell", "environment": {"type": "container_auto", "memory_limit": "4g"}}
USE = "Compute my secret plan. [[use_tool]] [[cite]] [[seconds=8]]"
TALK = "Tell me my secret plan. [[seconds=8]]"
KEY = "sk-very-private"


class Log:
    """The folder that a recorder writes into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"file://{folder}"

    def text(self) -> str:
        """All that was written, heartbeats too."""
        recorder.writer_for(self.url).flush()
        return "".join(each.read_text() for each in sorted(self.folder.glob("*.jsonl")))

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Kind and data of each event but heartbeats, in order; the daemon can read them all."""
        lines = [json.loads(line) for line in self.text().splitlines()]
        lines.sort(key=lambda line: line["sequence"])
        assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
        for line in lines:
            parse(line)
        told = [(line["type"].removeprefix("demurrage."), line["data"]) for line in lines]
        return [each for each in told if each[0] != "writer.heartbeat"]

    def kinds(self) -> list[str]:
        """What happened, in short: kinds, with the status of an end."""
        return [
            kind.removeprefix("response.") + (f" {data['status']}" if "finished" in kind else "")
            for kind, data in self.events()
        ]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """A fresh folder, and a goodbye in it at the end."""
    made = Log(tmp_path)
    yield made
    recorder.writer_for(made.url).close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[HarbourServer]:
    """A harbour whose hour takes twelve seconds, with ids that no other test has seen."""
    seed = zlib.crc32(request.node.nodeid.encode())
    settings = HarbourSettings(scale=300, visibility_lag=(0, 0), delete_lag=(0, 0))
    with HarbourServer(Harbour(settings, seed=seed)) as running:
        yield running


@pytest.fixture
def client(server: HarbourServer, log: Log) -> Iterator[OpenAI]:
    """The SDK with one line added, without retries."""
    with OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0) as made:
        yield recorder.instrument(made, url=log.url)


@pytest.fixture
def make_async(server: HarbourServer, log: Log) -> Callable[[], AsyncOpenAI]:
    """Makes the asynchronous SDK with one line added, for the loop of the test."""

    def make() -> AsyncOpenAI:
        made = AsyncOpenAI(base_url=server.base_url, api_key=KEY, max_retries=0)
        return recorder.instrument(made, url=log.url)

    return make


def told(log: Log, kind: str) -> list[dict[str, Any]]:
    """The data of every event of a kind."""
    return [data for each, data in log.events() if each == kind]
