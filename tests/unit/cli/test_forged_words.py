"""What applications wrote does not pass for a person's word."""

import json
from pathlib import Path
from typing import Any

import pytest

from demurrage.cli.exits import UsageError
from demurrage.cli.own_words import read_events

TARGETS = ("default",)
RELEASE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "type": "demurrage.container.released",
    "time": "2026-11-01T12:00:00Z",
    "data": {"target": "default", "container_id": "cntr_1"},
}


@pytest.mark.parametrize(
    "source", ["demurrage:person/root", " Demurrage:person/root", "demurrage:x"]
)
def test_a_file_cannot_speak_in_a_persons_name(tmp_path: Path, source: str) -> None:
    """An exporter's lines are an application's, whoever appends them."""
    file = tmp_path / "events.jsonl"
    honest = json.dumps({**RELEASE, "source": "my-app/1"})
    file.write_text(f"{honest}\n{json.dumps({**RELEASE, 'source': source})}\n")
    with pytest.raises(UsageError, match="event 2: /source"):
        read_events(file, TARGETS)


def test_a_file_speaks_for_applications(tmp_path: Path) -> None:
    """That is what it is for."""
    file = tmp_path / "events.json"
    file.write_text(json.dumps({**RELEASE, "source": "my-app/demurrage:person/root"}))
    assert [line.event.source for line in read_events(file, TARGETS)] == [
        "my-app/demurrage:person/root"
    ]


def test_a_file_is_about_targets_that_there_are(tmp_path: Path) -> None:
    """What is logged under a mistyped name would be missing where it belongs."""
    file = tmp_path / "events.json"
    stray = {**RELEASE, "source": "my-app/1", "data": {**RELEASE["data"], "target": "defualt"}}
    file.write_text(json.dumps(stray))
    with pytest.raises(UsageError, match="event 1: /data/target"):
        read_events(file, TARGETS)
