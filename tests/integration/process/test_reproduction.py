"""The classic reproduction against a daemon as a person runs it, and what it tells afterwards."""

import asyncio
import json
import os
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI
from tests.integration.process.daemon import KEY, SCALE, Daemon

from demurrage.simulator.delivery import over_http
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.reproduction import logging_to, reproduce
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.writer import Writer


def _command(daemon: Daemon, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demurrage", *words, "--config", str(daemon.settings)],
        env={**os.environ, "OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )


async def _reproduce(daemon: Daemon, harbour: HarbourServer) -> None:
    """Six tool-less turns and three with the tool, logged over HTTP."""
    writer = Writer(over_http(daemon.url), heartbeat=0.3)
    writer.observe_date(formatdate(usegmt=True))
    stop = asyncio.Event()
    beating = asyncio.create_task(writer.run(stop))
    client = OpenAI(base_url=harbour.base_url, api_key="sk-application", max_retries=0)
    with client:
        await asyncio.to_thread(reproduce, client, on_call=logging_to(writer), third_turn=True)
    await asyncio.sleep(9.0)  # the floor is six seconds; what would go after it goes now
    stop.set()
    await beating


@pytest.mark.process
async def test_six_go_three_stay_and_each_can_be_explained(tmp_path: Path) -> None:
    """The six leaked containers go before the floor, and `explain` tells the story of each."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 10.0))
    with HarbourServer(Harbour(settings, seed=2)) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url)
        daemon.start()
        try:
            await asyncio.to_thread(daemon.wait_until_ready)
            await asyncio.sleep(1.0)  # births are whole seconds; coverage counts from the start
            await _reproduce(daemon, harbour)
        finally:
            code = daemon.stop()
        truth = harbour.admin.truth()
    assert code == 0, daemon.said()
    totals = truth["totals"]
    assert totals["orphans"] == totals["deleted"] == totals["orphans_deleted_before_floor"] == 6
    assert totals["harm"] == totals["named_deleted"] == 0
    assert "GET /v1/containers/{id}" not in truth["counts"]
    cases = {each["id"]: _explained(daemon, each["id"]) for each in truth["containers"]}
    orphans = {each["id"]: each["made_by"] for each in truth["containers"] if each["orphan"]}
    # At this speed several are born within one listed second, so who of them made which is a
    # likely guess; that these six responses made these six is not.
    assert {cases[each]["maker"]["response_id"] for each in orphans} == set(orphans.values())
    for container in truth["containers"]:
        case = cases[container["id"]]
        if container["id"] in orphans:
            assert case["verdict"]["kind"] == "orphan"
            assert case["deletions"][0]["outcome"] == "deleted"
            assert case["deletions"][0]["due_at"]
            assert case["money"]["saved"]["high"] > 0
        else:
            assert case["verdict"]["kind"] == "referenced"
            assert case["maker"]["response_id"] == container["made_by"]
            assert not case["deletions"]


def _explained(daemon: Daemon, container_id: str) -> dict[str, Any]:
    told = _command(daemon, "explain", container_id, "--json")
    assert told.returncode == 0, told.stderr
    (case,) = json.loads(told.stdout)["containers"]
    return dict(case)
