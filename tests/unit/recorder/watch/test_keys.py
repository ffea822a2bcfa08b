"""One key under two targets' names is noticed, and no key is told."""

import json
from typing import Any

import pytest

from .conftest import URL, Notes, http, response, watched

KEY = "sk-proj-0123456789abcdefghijklmnopqrstuvwxyz"
JSON = {"content-type": "application/json"}


def marked(notes: Notes, headers: dict[str, str]) -> Any:
    """The mark in the start of a request with these headers."""
    body = json.dumps(response()).encode()
    with watched(lambda: http.Response(200, headers=JSON, content=body), notes) as client:
        client.post(URL, json={"model": "m"}, headers=headers)
    starts = [each for each in notes.told if each[0] == "response.started"]
    return starts[-1][2].get("key_mark")


def test_a_key_has_one_mark_wherever_it_is_borne(notes: Notes) -> None:
    """OpenAI's header and Azure's, and the same in the next process."""
    marks = {
        marked(notes, {"Authorization": f"Bearer {KEY}"}),
        marked(notes, {"authorization": f"bearer {KEY}"}),
        marked(notes, {"api-key": KEY}),
    }
    assert marks == {"ed46a3de1e255002"}


def test_other_keys_have_other_marks_and_none_tells_its_key(notes: Notes) -> None:
    """Nothing of the key is in what is noted."""
    first = marked(notes, {"Authorization": f"Bearer {KEY}"})
    second = marked(notes, {"Authorization": f"Bearer {KEY}x"})
    assert first != second
    assert KEY[:12] not in repr(notes.told)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer e30.e30.c2ln"}, {"Authorization": ""}],
    ids=["none", "passing", "empty"],
)
def test_what_does_not_last_has_no_mark(notes: Notes, headers: dict[str, str]) -> None:
    """A token that is another one every hour tells nothing."""
    assert marked(notes, headers) is None


def test_a_key_that_cannot_be_read_hides_no_start(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request leaves all the same."""

    def failing(_: object) -> str:
        raise RuntimeError

    monkeypatch.setattr("demurrage_recorder.watch.borne_by", failing)
    assert marked(notes, {"Authorization": f"Bearer {KEY}"}) is None
    assert "started" in notes.kinds()
