"""What a later look at a response tells of it, and what it must not seem to tell."""

from typing import Any

from .conftest import CALL_ITEM, CONTAINER, URL, Notes, http, response, sse, watched

EVENTS = {"content-type": "text/event-stream; charset=utf-8"}
WAITS = response("queued", background=True)
REPLAYED = (
    {"type": "response.created", "response": WAITS},
    {"type": "response.queued", "response": WAITS},
    {"type": "response.in_progress", "response": response("in_progress")},
    {"type": "response.output_item.done", "output_index": 0, "item": CALL_ITEM},
)


def _asked(notes: Notes, *answers: Any) -> None:
    """Have a background response begun, then looked at, each with its answer."""
    waiting = list(answers)
    with watched(lambda: waiting.pop(0), notes) as client:
        client.post(URL, json={"model": "m", "background": True})
        while waiting:
            client.get(f"{URL}/resp_1")


def test_a_replayed_stream_does_not_say_that_the_response_still_waits(notes: Notes) -> None:
    """It was queued once; its window must not open when somebody took its stream up again."""
    stream = http.Response(200, headers=EVENTS, content=sse(*REPLAYED))
    _asked(notes, http.Response(200, json=WAITS), stream)
    statuses = [data.get("status") for kind, _, data in notes.told if kind == "response.created"]
    assert statuses == ["queued", "in_progress"]
    assert ("response.output", [CONTAINER]) in [
        (kind, data.get("containers")) for kind, _, data in notes.told
    ]


def test_a_look_that_finds_it_waiting_says_so(notes: Notes) -> None:
    """Until it was asked for it had certainly not begun."""
    _asked(notes, http.Response(200, json=WAITS), http.Response(200, json=WAITS))
    statuses = [data.get("status") for kind, _, data in notes.told if kind == "response.created"]
    assert statuses == ["queued", "queued"]
