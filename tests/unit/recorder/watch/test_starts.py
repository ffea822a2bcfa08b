"""A start's words: quickly found, and the same as the long way finds."""

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.recorder.conftest import run

from demurrage_recorder.asking import AT_ONCE, HARMLESS, LOADING, REFERENCES, start_of
from demurrage_recorder.calls import Call, Directory
from demurrage_recorder.keys import mark_of
from demurrage_recorder.starts import Asks, Starts, asked_by, asked_plainly

from .conftest import AUTO, CONTAINER, URL, Notes, http, response, watched

SIZES: tuple[Any, ...] = ("1g", "4g", "16g", "64g", "2g", "", 4, True, None, [], "1G")
containers = st.one_of(
    st.builds(
        lambda kind, size: {"type": kind, **({} if size == "" else {"memory_limit": size})},
        st.sampled_from(["auto", "later", None, 7, []]),
        st.sampled_from(SIZES),
    ),
    st.sampled_from([None, CONTAINER, "", 7, []]),
)
tools = st.one_of(
    st.builds(lambda made: {"type": "code_interpreter", "container": made}, containers),
    st.builds(lambda made: {"type": "shell", "environment": made}, containers),
    st.sampled_from([*sorted(HARMLESS), "web_search", "computer_use_preview", "later"]).map(
        lambda kind: {"type": kind, "name": "f"}
    ),
    st.sampled_from(
        [{}, {"type": None}, {"type": ["function"]}, {"type": {}}, "function", None, 7]
    ),
)
names = st.one_of(
    st.none(), st.integers(), st.booleans(), st.text(max_size=6),
    st.text(min_size=510, max_size=514), st.sampled_from(["resp_\ud800", "r" * 1025, []]),
)  # fmt: skip
requests: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "model": names,
        "input": st.text(max_size=9)
        | st.lists(
            st.text(max_size=3)
            | st.fixed_dictionaries(
                {},
                optional={
                    "tools": st.lists(tools, max_size=2),
                    "container_id": names,
                    "id": names,
                    "role": names,
                    "type": st.sampled_from(
                        [*REFERENCES, *LOADING, "mcp_list_tools", "message", None, []]
                    ),
                },
            ),
            max_size=3,
        ),
        "tools": st.lists(tools, max_size=4) | st.sampled_from([None, {}, "tools", 0, False]),
        "background": st.sampled_from([True, False, None, 1, "true"]),
        "previous_response_id": names,
        "conversation": names | st.just({"id": "conv_1"}),
        "prompt": st.sampled_from([None, {"id": "pmpt_1"}]),
        "stream": st.booleans(),
        "service_tier": st.sampled_from([*AT_ONCE, "flex", "later", 7, []]),
        "multi_agent": st.sampled_from([None, {"enabled": True}, {"enabled": False}, {}, 7]),
    },
)
bodies = st.one_of(
    st.builds(
        lambda request, ascii_only, coding: json.dumps(request, ensure_ascii=ascii_only).encode(
            coding, "surrogatepass"
        ),
        requests,
        st.booleans(),
        st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]),
    ),
    st.builds(
        lambda request, cut, after: json.dumps(request).encode()[:cut] + after,
        requests,
        st.integers(-3, 60),
        st.sampled_from([b"", b"\n", b" {}", b"\0", b"]"]),
    ),
    st.binary(max_size=20),
    st.sampled_from([b"{}", b"[]", b"null", b"1", b'"tools"', b"NaN", b"[" * 100_000]),
)


def told_by(asks: Asks) -> Any:
    """The data of a start, but for what all starts of a client say."""
    told = json.loads('{"call_id":"c1' + asks.text)
    assert told.pop("call_id") == "c1"
    return told


@given(body=bodies)
def test_the_quick_reading_says_what_the_long_one_says(body: bytes) -> None:
    """Or nothing at all; and then the long one is asked."""
    start = start_of(body)
    plain = start.data
    quick = asked_plainly(body)
    asked = asked_by(body)
    if quick is not None:
        assert asked == quick
    assert told_by(asked) == json.loads(json.dumps(plain))
    assert (asked.makes, asked.background) == (bool(plain["slots"]), plain["background"])
    assert (asked.at_once, asked.spreads) == (start.at_once, start.spreads)


@given(first=requests, then=requests, changed=st.sampled_from(["tools", "model", "background"]))
def test_what_was_asked_before_changes_nothing(
    first: dict[str, Any], then: dict[str, Any], changed: str
) -> None:
    """Though much of it may be the same, or the same but for how JSON writes it."""
    mixed = {**first, changed: then.get(changed)}
    alike = json.loads(json.dumps(mixed), parse_int=lambda text: text == "1" or float(text))
    for request in (first, mixed, alike, then, mixed):
        body = json.dumps(request).encode()
        assert told_by(asked_by(body)) == start_of(body).data


@pytest.mark.parametrize(
    "request_",
    [
        {"model": "gpt-5", "input": "Hi", "tools": [AUTO]},
        {"model": "é", "previous_response_id": "resp_1", "background": True, "stream": True},
        {"input": [{"role": "user", "content": "Hi"}], "tools": [AUTO, {"type": "function"}]},
    ],
)
def test_what_most_ask_is_read_quickly(request_: dict[str, Any]) -> None:
    """Else the quick reading would be there for nothing."""
    assert asked_plainly(json.dumps(request_).encode()) is not None


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"tools": [{"type": "code_interpreter", "container": CONTAINER}]}).encode(),
        json.dumps({"input": [{"container_id": CONTAINER}]}).encode(),
        json.dumps({"input": [{"container_id": CONTAINER}]}).encode("utf-16"),
        b'{"input":[{"container_id":"\\u0063ntr_' + b"a" * 48 + b'"}]}',
        json.dumps({"input": [{"type": "tool_search_output", "tools": [AUTO]}]}).encode(),
        json.dumps({"prompt": {"id": "pmpt_1"}}).encode(),
        json.dumps({"input": [{"type": "item_reference", "id": "ci_1"}]}).encode(),
        json.dumps({"input": [{"id": "ci_1"}]}).encode(),
        json.dumps({"service_tier": "flex"}).encode(),
        json.dumps({"multi_agent": {"enabled": True}}).encode(),
        json.dumps({"tools": [{"type": "tool_search"}]}).encode(),
        json.dumps({"tools": [{"type": "later"}]}).encode(),
        b"--form",
    ],
)
def test_what_few_ask_is_read_the_long_way(body: bytes) -> None:
    """Whatever names a container, or may make one in a way that is not plain."""
    assert asked_plainly(body) is None
    assert told_by(asked_by(body)) == start_of(body).data


def test_what_each_start_says_alike_is_said() -> None:
    """Target, labels, key and way, for as many keys as come."""
    starts = Starts('de"fault', {"app": "ä"})

    def told_of(key: bytes | None, *, direct: bool) -> Any:
        return json.loads(f"{starts.alike(key, direct=direct)}c1{asks.text}")

    asks = asked_by(b'{"model":"m"}')
    for number in [*range(100), 3]:
        key = b"Bearer sk-%d" % number
        told = told_of(key, direct=bool(number % 2))
        assert told == {
            "target": 'de"fault',
            "labels": {"app": "ä"},
            "key_mark": mark_of(key),
            "call_id": "c1",
            "slots": [],
            "background": False,
            "model": "m",
            **({"direct": True} if number % 2 else {}),
        }
    bare = told_of(None, direct=False)
    assert bare.keys().isdisjoint({"key_mark", "direct"})


def test_a_request_without_a_body_that_shows(notes: Notes) -> None:
    """A stream's body is the application's alone."""
    with watched(lambda: http.Response(200, json=response()), notes) as client:
        client.post(URL, content=iter([b"{}"]))
    assert notes.told[0][2]["slots"] == start_of(None).data["slots"]


def test_no_two_calls_share_a_name() -> None:
    """Each attempt has its own."""
    directory = Directory()
    made = {Call(lambda *_: None, directory, background=False).id for _ in range(1000)}
    assert len(made) == 1000
    assert {len(each) for each in made} == {32}


FORKING = """
import os
from demurrage_recorder.calls import Call, Directory
def name():
    return Call(lambda *_: None, Directory(), background=False).id
name()
for _ in range(3):
    if os.fork() == 0:
        os.write(1, (name() + "\\n").encode())
        os._exit(0)
    os.wait()
os.write(1, (name() + "\\n").encode())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_nor_do_those_of_a_fork() -> None:
    """A child does not count on where its parent was."""
    done = run(FORKING)
    assert done.returncode == 0, done.stderr
    assert len(set(done.stdout.split())) == 4
