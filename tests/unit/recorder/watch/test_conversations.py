"""Items that are written into a conversation, which whoever goes on from there has in context."""

import json
from typing import Any

import pytest
from tests.unit.decide.builders import Writer, sighting, verdict_of

from demurrage.eventlog.parse import parse
from demurrage.model.event import Ending, Finished, Slot, Started
from demurrage.model.verdict import VerdictKind

from .conftest import CALL_ITEM, CONTAINER, Notes, http, watched

API = "https://api.openai.com/v1"
MADE = {"id": "conv_2", "object": "conversation"}


def post(notes: Notes, path: str, status: int = 200, **body: Any) -> list[tuple[str, Any]]:
    """What is told of such a request."""
    with watched(lambda: http.Response(status, json=MADE), notes) as client:
        client.post(f"{API}/{path}", json=body)
    return [(kind.removeprefix("response."), data) for kind, _, data in notes.told]


@pytest.mark.parametrize("path", ["conversations", "conversations/conv_2/items"])
def test_what_they_name_is_told_with_the_conversation(notes: Notes, path: str) -> None:
    """As a call that makes nothing and is over; a new conversation is named by the answer."""
    (kind, start), (ending, end) = post(notes, path, items=[CALL_ITEM])
    assert (kind, ending) == ("started", "finished")
    assert (start["slots"], start["containers"]) == ([], [CONTAINER])
    assert start.get("conversation") == (None if path == "conversations" else "conv_2")
    assert (end["status"], end["conversation"]) == ("completed", "conv_2")
    assert end["call_id"] == start["call_id"]
    assert "response_id" not in end


def test_what_stands_for_others_hides_what_they_name(notes: Notes) -> None:
    """Nobody can say what such a conversation has in its context."""
    (_, start), _ = post(notes, "conversations", items=[{"type": "item_reference", "id": "ci_1"}])
    assert (start["containers"], start["opaque"]) == ([], True)


@pytest.mark.parametrize("items", [[], [{"type": "message", "content": "hi"}], None])
def test_most_name_nothing(notes: Notes, items: Any) -> None:
    """Then there is nothing to tell."""
    assert post(notes, "conversations", items=items) == []
    assert post(notes, "conversations/conv_2", items=[CALL_ITEM]) == []


@pytest.mark.parametrize(("status", "end"), [(400, "refused"), (500, "lost")])
def test_one_that_is_not_answered_well(notes: Notes, status: int, end: str) -> None:
    """A refused one has written nothing; of a lost one nobody knows."""
    assert post(notes, "conversations", status, items=[CALL_ITEM])[-1][1]["status"] == end


def test_the_daemon_reads_it(notes: Notes) -> None:
    """Both events are what its border takes."""
    told = post(notes, "conversations", items=[CALL_ITEM])
    call_id = told[0][1]["call_id"]
    facts = (
        Started(call_id, containers=frozenset({CONTAINER})),
        Finished(call_id, Ending.COMPLETED, conversation="conv_2", containers=frozenset()),
    )
    for (kind, data), fact in zip(told, facts, strict=True):
        event = {
            "specversion": "1.0",
            "id": kind,
            "source": "s",
            "type": f"demurrage.response.{kind}",
            "time": "2026-11-24T10:00:00Z",
            "sequence": 1,
            "data": {"target": "main", **data},
        }
        assert parse(json.dumps(event).encode()).fact == fact


def test_the_end_of_the_old_conversation_does_not_release_it() -> None:
    """The new one has its items, and goes on."""
    app = Writer()
    app.starts("a", 10, conversation="old")
    app.ends("a", 60, "cntr_1")
    app.starts("copy", 70, Slot(container="cntr_1"), containers={"cntr_1"})
    app.ends("copy", 71, conversation="new")
    app.closes(80, "old")
    app.starts("b", 90, conversation="new")
    app.beats(400, "b")
    verdict = verdict_of(sighting("cntr_1", 14, active=55), app, now=401)
    assert verdict.kind is VerdictKind.REFERENCED
