"""`sweep` judges by the log, so it takes in what applications have to say, as the daemon does."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.unit.cli.conftest import Desk, Refused

_STARTED = {
    "specversion": "1.0",
    "id": "1",
    "source": "app/1",
    "sequence": 1,
    "type": "demurrage.response.started",
    "time": "2027-01-15T08:00:00Z",
    "data": {"target": "default", "call_id": "c1", "slots": []},
}
_PLAN = {
    "version": 1,
    "plans": [
        {"target": "default", "deletes": [{"container_id": "cntr_1", "verdict": "orphan"}]},
    ],
}


@pytest.fixture(autouse=True)
def _logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave this process's own logs as they are."""
    monkeypatch.setattr("demurrage.observe.logs.set_up_logs", lambda *_, **__: None)


def _told(port: int) -> int:
    """Tell a daemon of a call; returns the answer's status."""
    return httpx2.post(
        f"http://127.0.0.1:{port}/v1/events",
        content=json.dumps(_STARTED),
        headers={"content-type": "application/cloudevents+json"},
        timeout=20,
    ).status_code


def test_events_are_taken_in_while_a_plan_is_carried_out(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that begins meanwhile is in the log by which its container is judged."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    desk.write(f'mode = "enforce"\nhttp.bind = "127.0.0.1:{port}"')
    desk.store().close()
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(_PLAN))
    answers: list[int] = []

    async def carried_out(*_: Any, **__: Any) -> tuple[()]:
        answers.append(await asyncio.to_thread(_told, port))
        return ()

    monkeypatch.setattr("demurrage.app.carrying_out.carry_out", carried_out)
    said = desk.say("sweep", "--execute", str(plan))
    assert said.code == 0, said.err
    assert answers == [202]


def test_an_address_that_is_taken_is_named(desk: Desk, tmp_path: Path, refused: Refused) -> None:
    """Somebody else would get what applications have to tell."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        desk.write(f'mode = "enforce"\nhttp.bind = "127.0.0.1:{taken.getsockname()[1]}"')
        desk.store().close()
        plan = tmp_path / "plan.json"
        plan.write_text(json.dumps(_PLAN))
        assert "http.bind" in refused(desk.say("sweep", "--execute", str(plan)))
