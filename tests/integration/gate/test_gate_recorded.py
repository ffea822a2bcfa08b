"""The gate in front of a client that the recorder watches."""

import json
from pathlib import Path

import pytest
from openai import OpenAI

from demurrage.simulator.serve import HarbourServer
from demurrage_recorder import instrument, writer_for
from demurrage_recorder.gate import Gate

from .conftest import AUTO, TALK, USE, made


@pytest.mark.parametrize("streamed", [False, True])
def test_a_probe_is_logged_as_a_request_that_makes_nothing(
    server: HarbourServer, client: OpenAI, tmp_path: Path, *, streamed: bool
) -> None:
    """No slot, and so no candidate; the repeat has one, and both have a definite end."""
    gate = Gate(instrument(client, url=f"file://{tmp_path}"))
    for words in (TALK, USE):
        if streamed:
            list(gate.create(model="gpt-5", input=words, tools=[AUTO], stream=True))
        else:
            gate.create(model="gpt-5", input=words, tools=[AUTO])
    writer_for(f"file://{tmp_path}").flush()
    lines = [line for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    events = [(event["type"], event["data"]) for event in map(json.loads, lines)]
    starts = [data for kind, data in events if kind == "demurrage.response.started"]
    ends = [data for kind, data in events if kind == "demurrage.response.finished"]
    slot = {"tool": "code_interpreter", "tier": "1g", "container": "auto"}
    assert [start.get("slots", []) for start in starts] == [[], [], [slot]]
    assert [end["status"] for end in ends] == ["completed"] * 3
    (case,) = made(server)
    assert [end.get("containers", []) for end in ends] == [[], [], [case["id"]]]
