"""What only the application knows, said by hand."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import demurrage_recorder as recorder
from demurrage.eventlog.parse import parse
from demurrage_recorder.words import created, ended, pin, release

from .conftest import CONTAINER

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)  # noqa: UP017 - applications on 3.10


def test_each_word_is_an_event(tmp_path: Path) -> None:
    """The daemon can read every one."""
    to: Any = {"url": f"file://{tmp_path}", "target": "eu"}
    created(CONTAINER, **to)
    pin(CONTAINER, **to)
    pin(CONTAINER, NOON, **to)
    pin(CONTAINER, NOON.timestamp(), **to)
    release(CONTAINER, **to)
    ended(conversation="conv_1", **to)
    ended(response_id="resp_1", **to)
    recorder.writer_for(to["url"]).close()
    lines = [
        json.loads(line)
        for each in tmp_path.glob("*.jsonl")
        for line in each.read_text().splitlines()
    ]
    for line in lines:
        parse(line)
    told = [
        (line["type"].removeprefix("demurrage."), line["data"])
        for line in lines
        if "heartbeat" not in line["type"]
    ]
    about = {"target": "eu", "container_id": CONTAINER}
    assert told == [
        ("container.created", about),
        ("container.referenced", about),
        ("container.referenced", {**about, "until": NOON.timestamp()}),
        ("container.referenced", {**about, "until": NOON.timestamp()}),
        ("container.released", about),
        ("conversation.ended", {"target": "eu", "conversation": "conv_1"}),
        ("conversation.ended", {"target": "eu", "response_id": "resp_1"}),
    ]


def test_an_end_that_would_be_refused_holds_up_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon refuses the whole batch that it comes in, so it does not get into one."""
    monkeypatch.setenv("DEMURRAGE_RECORDER_DIR", str(tmp_path))
    monkeypatch.delenv("DEMURRAGE_RECORDER_TOKEN", raising=False)
    monkeypatch.setattr("demurrage_recorder.warn._told", set())
    url = "http://127.0.0.1:1"
    pin(CONTAINER, url=url)
    with pytest.warns(RuntimeWarning, match="events_token_env"):
        release(CONTAINER, url=url)
    ended(conversation="conv_1", url=url)
    (journal,) = tmp_path.rglob("*.jsonl")
    kinds = {json.loads(line)["type"] for line in journal.read_text().splitlines()}
    assert "demurrage.container.referenced" in kinds
    assert not kinds & {"demurrage.container.released", "demurrage.conversation.ended"}
    assert recorder.writer_for("http://127.0.0.1:2", token="secret").may_end


@pytest.mark.parametrize(
    ("word", "told", "says"),
    [
        (created, {"container_id": ""}, "container_id"),
        (release, {"container_id": "a\nb"}, "container_id"),
        (pin, {"container_id": None}, "container_id"),
        (pin, {"container_id": CONTAINER, "until": NOON.replace(tzinfo=None)}, "time zone"),
        (pin, {"container_id": CONTAINER, "until": -1}, "until"),
        (pin, {"container_id": CONTAINER, "until": float("nan")}, "until"),
        (ended, {}, "one of"),
        (ended, {"conversation": "c", "response_id": "r"}, "one of"),
        (ended, {"conversation": 7}, "conversation"),
    ],
)
def test_a_word_that_says_nothing(word: Any, told: dict[str, Any], says: str) -> None:
    """A wrong argument is named, and nothing is written."""
    with pytest.raises(ValueError, match=says):
        word(**told)
