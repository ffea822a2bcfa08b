"""One story told once: a leak, observed by a real daemon, then swept by a person's command."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from tests.integration.process.daemon import KEY, Daemon

from demurrage.simulator.delivery import over_http
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.reproduction import Reproduced, logging_to, reproduce
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.writer import Writer

_SCALE = 10.0
# Containers outlive the story, however slow the machine that tells it; nominal and real seconds.
_EXPIRY = 6000.0


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as data."""
        return json.loads(self.out)


def command(daemon: Daemon, *arguments: str, **environ: str) -> Said:
    """Run a command on the daemon's settings, in a process of its own, piped."""
    ran = subprocess.run(
        [sys.executable, "-m", "demurrage", *arguments, "--config", str(daemon.settings)],
        env={**os.environ, "OPENAI_API_KEY": KEY, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return Said(ran.returncode, ran.stdout, ran.stderr)


@dataclass
class Story:
    """What every command said, by a name, and what really happened."""

    turns: Reproduced
    leaked: dict[str, str]
    protected: str = ""
    said: dict[str, Said] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)
    plan: dict[str, Any] = field(default_factory=dict)


def _leak(daemon: Daemon, client: OpenAI) -> Reproduced:
    """The classic reproduction, logged over HTTP by an application that then says goodbye."""

    async def run() -> Reproduced:
        writer = Writer(over_http(daemon.url), source="story/1", heartbeat=0.4)
        writer.observe_date(formatdate(usegmt=True))
        stop = asyncio.Event()
        delivering = asyncio.create_task(writer.run(stop))
        turns = await asyncio.to_thread(
            reproduce, client, on_call=logging_to(writer), third_turn=True
        )
        stop.set()
        await delivering
        assert writer.unsent == 0
        return turns

    return asyncio.run(run())


def _wait_for(say: Callable[[], bool], seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not say():
        assert time.monotonic() < deadline, "it did not come to that in time"
        time.sleep(0.3)


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Leak six containers, look at them in every way, sweep five and keep the protected one."""
    folder = tmp_path_factory.mktemp("story")
    knobs = HarbourSettings(
        scale=_SCALE, visibility_lag=(0.0, 0.0), delete_lag=(0.0, 0.0), idle_expiry=_EXPIRY
    )
    with HarbourServer(Harbour(knobs, seed=5)) as harbour:
        daemon = Daemon(folder, harbour.base_url)
        text = daemon.settings.read_text()
        text = text.replace('"enforce"', '"observe"').replace('"24s"', f'"{_EXPIRY / _SCALE}s"')
        daemon.settings.write_text(text)
        before = {
            "plan without a store": command(daemon, "plan", "--json"),
            "check without a store": command(daemon, "check"),
        }
        daemon.start()
        try:
            daemon.wait_until_ready()
            time.sleep(1.1)  # births are whole seconds: these must follow the first look
            before["status of nobody"] = command(daemon, "status")
            with OpenAI(base_url=harbour.base_url, api_key="app", max_retries=0) as client:
                turns = _leak(daemon, client)
            cases = harbour.admin.truth()["containers"]
            told = Story(turns, {each["id"]: each["made_by"] for each in cases if each["orphan"]})
            told.said |= before
            told.protected = min(told.leaked)
            _while_it_runs(daemon, told, folder)
        finally:
            daemon.stop()
        _while_it_rests(daemon, told, folder)
        told.truth = harbour.admin.truth()
        yield told


def _while_it_runs(daemon: Daemon, told: Story, folder: Path) -> None:
    said = told.said

    def due() -> bool:
        said["status json"] = command(daemon, "status", "--json")
        return bool(said["status json"].json["targets"][0].get("due") == len(told.leaked))

    _wait_for(due)
    plan = str(folder / "plan.json")
    said["status"] = command(daemon, "status")
    said["check"] = command(daemon, "check")
    said["check json"] = command(daemon, "check", "--json")
    said["plan"] = command(daemon, "plan", "--save", plan)
    said["plan all json"] = command(daemon, "plan", "--all", "--json")
    told.plan = json.loads(Path(plan).read_text())
    said["sweep in observe"] = command(daemon, "sweep", "--execute", plan)
    said["sweep beside the daemon"] = command(
        daemon, "sweep", "--execute", plan, DEMURRAGE_MODE="enforce"
    )
    said["run beside the daemon"] = command(daemon, "run")
    said["migrate beside the daemon"] = command(daemon, "db", "migrate")
    said["tail"] = command(daemon, "events", "tail", "-n", "1000")
    said["tail json"] = command(daemon, "events", "tail", "-n", "5", "--json")
    said["verify"] = command(daemon, "events", "verify")
    said["protect"] = command(daemon, "protect", told.protected, "--until", "1h")
    said["backup"] = command(daemon, "db", "backup", str(folder / "copy.db"))


def _while_it_rests(daemon: Daemon, told: Story, folder: Path) -> None:
    said, plan = told.said, str(folder / "plan.json")
    said["status at rest"] = command(daemon, "status")
    said["sweep held"] = command(
        daemon,
        "sweep",
        "--execute",
        plan,
        "--json",
        DEMURRAGE_MODE="enforce",
        DEMURRAGE_RAILS__MAX_DELETES_PER_CYCLE="1",
    )
    (hold,) = command(daemon, "status", "--json").json["targets"][0]["holds"]
    said["resume"] = command(daemon, "resume", hold["id"], "--until", "10m")
    said["sweep"] = command(daemon, "sweep", "--execute", plan, DEMURRAGE_MODE="enforce")
    said["sweep again"] = command(
        daemon, "sweep", "--execute", plan, "--json", DEMURRAGE_MODE="enforce"
    )
    one = max(told.leaked)
    said["explain"] = command(daemon, "explain", one)
    said["explain json"] = command(daemon, "explain", one, "--json")
    said["explain protected"] = command(daemon, "explain", told.protected, "--json")
    said["explain response"] = command(daemon, "explain", told.leaked[one], "--json")
    said["explain nothing"] = command(daemon, "explain", "cntr_nobody")
