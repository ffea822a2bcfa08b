"""The JSON Schema and the models are two faces of one format."""

from calendar import monthrange
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from demurrage.eventlog.parse import parse
from demurrage.eventlog.schema import COMMITTED, event_schema, rendered
from demurrage.model.error import MalformedEventError
from demurrage.model.event import Unheard

Make = Callable[..., dict[str, Any]]

_FORMATS = jsonschema.FormatChecker(formats=())


@_FORMATS.checks("date-time")
def _on_the_calendar(value: object) -> bool:
    """Only what no pattern can say: the days of a month."""
    if not isinstance(value, str):
        return True
    try:
        year, month, day = int(value[:4]), int(value[5:7]), int(value[8:10])
        return 1 <= day <= monthrange(year, month)[1]
    except ValueError:
        return True


_VALIDATOR = jsonschema.Draft202012Validator(event_schema(), format_checker=_FORMATS)

ID_48 = "cntr_" + "a" * 48

VALID: list[tuple[str, dict[str, Any]]] = [
    ("response.started", {}),
    ("response.started", {"sequence": "0042"}),
    ("response.started", {"sequence": 3.0}),
    ("response.started", {"sequence": None}),
    ("response.started", {"time": "2026-02-28T23:59:59.123456789+05:30"}),
    ("response.started", {"time": "2028-02-29t00:00:00z"}),
    ("response.started", {"unknown": {"deep": [1]}, "datacontenttype": "application/json"}),
    ("response.started", {"data": {"unknown": 1, "model": None}}),
    ("response.started", {"data": {"labels": {"service": "chat"}, "background": True}}),
    ("response.started", {"data": {"slots": [{"tool": "shell", "tier": None}]}}),
    ("response.started", {"data": {"slots": [{"tool": "unknown", "container": ID_48}]}}),
    ("response.created", {"data": {"created_at": 1_790_000_000.25, "status": "queued"}}),
    ("response.sent", {}),
    ("response.sent", {"data": {"sent_at": 1_790_000_000}}),
    ("response.output", {"data": {"containers": [ID_48]}}),
    ("response.finished", {"data": {"status": "refused", "http_status": 400}}),
    ("response.finished", {"data": {"status": "lost", "http_status": None}}),
    ("response.known", {}),
    ("container.requested", {}),
    ("container.created", {}),
    ("container.referenced", {"data": {"until": "2026-11-22T11:00:00Z"}}),
    ("container.referenced", {"data": {"until": 1_790_000_000}}),
    ("container.released", {}),
    ("conversation.ended", {"data": {"conversation": None, "response_id": "resp_1"}}),
    ("writer.heartbeat", {"data": {"in_flight": ["call_1"], "clock_offset": -0.25}}),
    ("writer.heartbeat", {"data": {"complete_through": "2026-11-22T10:00:00Z", "final": True}}),
    ("response.of_tomorrow", {}),
    ("response.of_tomorrow", {"type": "com.example.else", "data": {"target": 17}}),
]

INVALID: list[tuple[str, dict[str, Any], str]] = [
    ("response.started", {"specversion": "0.3"}, "/specversion"),
    ("response.sent", {"data": {"sent_at": None}}, "/data/sent_at"),
    ("response.sent", {"data": {"sent_at": "2026-11-22T10:00:00Z"}}, "/data/sent_at"),
    ("response.sent", {"data": {"call_id": ""}}, "/data/call_id"),
    ("response.started", {"id": ""}, "/id"),
    ("response.started", {"id": "x" * 513}, "/id"),
    ("response.started", {"id": 7}, "/id"),
    ("response.started", {"id": "two\u0007lines"}, "/id"),
    ("response.started", {"source": None}, "/source"),
    ("response.started", {"type": 7}, "/type"),
    ("response.started", {"type": ""}, "/type"),
    ("response.started", {"sequence": 0}, "/sequence"),
    ("response.started", {"sequence": 1.5}, "/sequence"),
    ("response.started", {"sequence": True}, "/sequence"),
    ("response.started", {"sequence": "-1"}, "/sequence"),
    ("response.started", {"sequence": "0"}, "/sequence"),
    ("response.started", {"sequence": 10**18}, "/sequence"),
    ("response.started", {"time": "2026-11-22T10:00:00"}, "/time"),
    ("response.started", {"time": "2026-02-29T10:00:00Z"}, "/time"),
    ("response.started", {"time": "2026-13-01T10:00:00Z"}, "/time"),
    ("response.started", {"time": 1_790_000_000}, "/time"),
    ("response.started", {"data": {"target": None}}, "/data/target"),
    ("response.started", {"data": {"call_id": 1}}, "/data/call_id"),
    ("response.started", {"data": {"background": "yes"}}, "/data/background"),
    ("response.started", {"data": {"slots": [{"tool": "hammer"}]}}, "/data/slots/0/tool"),
    ("response.started", {"data": {"slots": [{"tool": "shell"}] * 129}}, "/data/slots"),
    ("response.started", {"data": {"slots": None}}, "/data/slots"),
    ("response.started", {"data": {"labels": {"a/b": 1}}}, "/data/labels"),
    ("response.started", {"data": {"containers": ["c"] * 10_001}}, "/data/containers"),
    ("response.created", {"data": {"response_id": None}}, "/data/response_id"),
    ("response.created", {"data": {"created_at": 1_790_000_000_000}}, "/data/created_at"),
    ("response.created", {"data": {"created_at": "2026-11-22T10:00:00Z"}}, "/data/created_at"),
    ("response.finished", {"data": {"status": "refused"}}, "/data"),
    ("response.finished", {"data": {"status": "over"}}, "/data/status"),
    ("response.finished", {"data": {"http_status": 700}}, "/data/http_status"),
    ("container.created", {"data": {"container_id": ""}}, "/data/container_id"),
    ("container.referenced", {"data": {"until": "soon"}}, "/data/until"),
    ("container.referenced", {"data": {"until": -1}}, "/data/until"),
    ("conversation.ended", {"data": {"conversation": None}}, "/data"),
    ("writer.heartbeat", {"data": {"last_sequence": -1}}, "/data/last_sequence"),
    ("writer.heartbeat", {"data": {"complete_through": None}}, "/data/complete_through"),
    ("writer.heartbeat", {"data": {"dropped": False}}, "/data/dropped"),
]


def test_the_committed_schema_is_the_one_that_the_models_make() -> None:
    """Writers in other languages are held to what the daemon checks."""
    assert COMMITTED.read_text(encoding="utf-8") == rendered()


def test_the_schema_is_a_valid_schema() -> None:
    """It conforms to its own draft."""
    jsonschema.Draft202012Validator.check_schema(event_schema())


@pytest.mark.parametrize(("short", "changes"), VALID)
def test_both_accept(event: Make, short: str, changes: dict[str, Any]) -> None:
    """What the schema allows, the daemon takes."""
    raw = event(short, **changes)
    _VALIDATOR.validate(raw)
    parse(raw)


@pytest.mark.parametrize(("short", "changes", "path"), INVALID)
def test_both_refuse(event: Make, short: str, changes: dict[str, Any], path: str) -> None:
    """What the schema forbids, the daemon refuses, and names the field."""
    raw = event(short, **changes)
    assert not _VALIDATOR.is_valid(raw)
    with pytest.raises(MalformedEventError) as caught:
        parse(raw)
    assert caught.value.path == path


@pytest.mark.parametrize("field", ["specversion", "id", "source", "time", "type", "data"])
def test_both_ask_for_the_envelope(event: Make, field: str) -> None:
    """Each attribute that CloudEvents or the log needs is required of a known type."""
    raw = event()
    del raw[field]
    assert not _VALIDATOR.is_valid(raw)
    with pytest.raises(MalformedEventError) as caught:
        parse(raw)
    assert caught.value.path == f"/{field}"


def test_every_known_type_needs_its_target(event: Make, least: dict[str, dict[str, Any]]) -> None:
    """No event of a known type is anybody's."""
    for kind in least:
        raw = event(kind.removeprefix("demurrage."))
        assert not isinstance(parse(raw).fact, Unheard)
        del raw["data"]["target"]
        assert not _VALIDATOR.is_valid(raw)
        with pytest.raises(MalformedEventError) as caught:
            parse(raw)
        assert caught.value.path == "/data/target"


@pytest.mark.parametrize("data", [None, 17, "text", [1]])
def test_the_data_of_an_unknown_type_may_be_anything(event: Make, data: object) -> None:
    """Nothing is asked of what this version does not know."""
    raw = event("response.of_tomorrow")
    raw["data"] = data
    _VALIDATOR.validate(raw)
    assert parse(raw).target == ""
