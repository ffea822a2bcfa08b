"""The border between JSON and facts."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.eventlog.parse import MOST_BYTES, MOST_EVENTS, parse, parse_batch, read_line
from demurrage.model.error import MalformedEventError
from demurrage.model.event import (
    ContainerReferenced,
    Ending,
    Finished,
    Heartbeat,
    Slot,
    Started,
    Tool,
    Unheard,
)

Make = Callable[..., dict[str, Any]]

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).map(
    lambda text: text[:200]
)
_SLOTS = st.builds(
    Slot,
    st.sampled_from(Tool),
    st.none() | st.sampled_from(["1g", "64g"]),
    st.just("auto") | st.from_regex(r"cntr_[0-9a-f]{48}", fullmatch=True),
)
_STARTED = st.builds(
    Started,
    call_id=_NAMES,
    slots=st.lists(_SLOTS, max_size=3).map(tuple),
    containers=st.frozensets(st.from_regex(r"cntr_[0-9a-f]{48}", fullmatch=True), max_size=3),
    previous_response_id=st.none() | _NAMES,
    conversation=st.none() | _NAMES,
    background=st.booleans(),
    direct=st.booleans(),
    model=st.none() | _NAMES,
    labels=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
)


def _as_json(started: Started) -> dict[str, Any]:
    slots = [{"tool": s.tool, "tier": s.tier, "container": s.container} for s in started.slots]
    data = {name: getattr(started, name) for name in Started.__slots__}
    return {**data, "slots": slots, "containers": sorted(started.containers), "target": "t"}


@given(started=_STARTED, source=_NAMES, sequence=st.integers(1, 10**18 - 1), extra=_JSON)
def test_a_start_survives_the_journey(
    started: Started, source: str, sequence: int, extra: object
) -> None:
    """Whatever a start says comes out as it went in, by mapping or by bytes."""
    raw = {
        "specversion": "1.0",
        "id": "1",
        "source": source,
        "sequence": str(sequence),
        "type": "demurrage.response.started",
        "time": "2026-11-22T10:00:00Z",
        "data": _as_json(started),
        "extra": extra,
    }
    read = parse(raw)
    assert read.fact == started
    assert (read.source, read.sequence, read.target) == (source, sequence, "t")
    assert not read.undecodable
    assert parse(json.dumps(raw).encode()) == read
    assert json.loads(read_line(raw).body) == raw


@given(raw=st.binary(max_size=64) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_a_malformed_event_error_comes_of_noise(raw: bytes) -> None:
    """Arbitrary bytes and arbitrary JSON are refused by name."""
    with pytest.raises(MalformedEventError):
        parse(raw)


@given(noise=_JSON, field=st.sampled_from(["id", "time", "sequence", "data", "type", "source"]))
def test_a_refusal_never_quotes_content(noise: object, field: str) -> None:
    """An error may be logged: it holds the field's path and no text of the application's."""
    secret = "sk-proj-very-secret"
    raw = {
        "specversion": "1.0",
        "id": "1",
        "source": "s",
        "type": "demurrage.container.created",
        "time": "2026-11-22T10:00:00Z",
        "data": {"target": "t", "container_id": "cntr_1"},
        field: [secret, noise],
    }
    with pytest.raises(MalformedEventError) as caught:
        parse(raw)
    assert caught.value.path.startswith(f"/{field}")
    assert secret not in str(caught.value)


def test_a_label_shows_in_no_path(event: Make) -> None:
    """The keys of labels are the application's, so the path ends above them."""
    with pytest.raises(MalformedEventError) as caught:
        parse(event(data={"labels": {"secret": 1}}))
    assert caught.value.path == "/data/labels"


def test_the_digest_tells_content_and_not_spelling(event: Make) -> None:
    """Order and spacing do not matter to it; any content does, unknown fields included."""
    raw = event(extra=1)
    spelled = json.dumps(dict(reversed(raw.items())), indent=3).encode()
    assert parse(raw).digest == parse(spelled).digest
    assert parse(raw).digest != parse(raw | {"extra": 2}).digest


@pytest.mark.parametrize(
    ("http_status", "ending"),
    [
        (400, Ending.REFUSED),
        (429, Ending.REFUSED),
        (409, Ending.LOST),
        (499, Ending.LOST),
        (408, Ending.LOST),
        (500, Ending.LOST),
        (503, Ending.LOST),
        (200, Ending.LOST),
    ],
)
def test_only_a_clear_4xx_is_a_refusal(event: Make, http_status: int, ending: Ending) -> None:
    """After any other answer the server may have gone on, so the response counts as lost."""
    raw = event("response.finished", data={"status": "refused", "http_status": http_status})
    fact = parse(raw).fact
    assert isinstance(fact, Finished)
    assert fact.status is ending


def test_a_completed_response_keeps_its_ending(event: Make) -> None:
    """The status code of an answer that came whole changes nothing."""
    fact = parse(event("response.finished", data={"http_status": 500})).fact
    assert isinstance(fact, Finished)
    assert fact.status is Ending.COMPLETED


def test_moments_come_as_text_or_number(event: Make) -> None:
    """Both spellings of one moment are one moment, in UTC epoch seconds."""
    pin = parse(event("container.referenced", data={"until": "1970-01-01T02:00:30+01:00"})).fact
    assert pin == ContainerReferenced("cntr_1", 3630.0)
    beat = parse(event("writer.heartbeat", data={"complete_through": 3630})).fact
    assert beat == Heartbeat(3630.0, 7)


def test_an_unknown_type_is_unheard(event: Make) -> None:
    """It is kept with its place in the sequence, and with its target if it names one."""
    read = parse(event("response.of_tomorrow", sequence=9))
    assert read.fact == Unheard("demurrage.response.of_tomorrow")
    assert (read.sequence, read.target) == (9, "default")
    assert parse(event("x", data={"target": 7})).target == ""


def test_an_event_has_a_size(event: Make) -> None:
    """One that is longer than the limit is refused."""
    with pytest.raises(MalformedEventError):
        parse(event(extra="x" * MOST_BYTES))


@pytest.mark.parametrize(
    "raw",
    [b'{"a": NaN}', b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"\xff", b"7", b'"x"', b"[7]"],
)
def test_hostile_json_is_refused(raw: bytes) -> None:
    """Depth, huge numbers and broken text break nothing."""
    with pytest.raises(MalformedEventError):
        parse_batch(raw)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object()])
def test_what_json_cannot_hold_is_refused(event: Make, value: object) -> None:
    """A mapping from Python may hold more than JSON does."""
    with pytest.raises(MalformedEventError):
        parse(event(extra=value))


def test_a_batch_is_one_event_or_an_array(event: Make) -> None:
    """Both forms of a request's body are read."""
    raw = event()
    assert [line.event for line in parse_batch(json.dumps(raw).encode())] == [parse(raw)]
    two = parse_batch(json.dumps([raw, raw | {"id": "2"}]).encode())
    assert [line.event.id for line in two] == ["event-1", "2"]
    assert parse_batch(b"[]") == ()


def test_a_bad_event_of_a_batch_is_named(event: Make) -> None:
    """The error carries the event's index, and the field's path within the event."""
    body = json.dumps([event(), event(id="")]).encode()
    with pytest.raises(MalformedEventError) as caught:
        parse_batch(body)
    assert (caught.value.index, caught.value.path) == (1, "/id")


def test_a_batch_has_a_size(event: Make) -> None:
    """One with too many events is refused as a whole."""
    with pytest.raises(MalformedEventError):
        parse_batch(json.dumps([event()] * (MOST_EVENTS + 1)).encode())
