import json
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from tests.unit.eventlog.conftest import make
from tests.unit.web.conftest import BATCH, JSON, ONE, Events, FakeEngine, client_of

from demurrage.eventlog.log import EventLog
from demurrage.model.event import Entry
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service


def held(log: EventLog) -> list[str]:
    """The ids of the events in the log."""
    return [each.event.id for each in log.read(0, 100_000).records if isinstance(each, Entry)]


async def test_single(client: httpx2.AsyncClient, log: EventLog) -> None:
    """One event is in the log when the answer comes, and the daemon is told."""
    for headers in (ONE, JSON, {"Content-Type": "application/json; charset=UTF-8"}):
        await client.post("/v1/events", content=json.dumps(make()), headers=headers)
    assert held(log) == ["event-1"]


@pytest.mark.parametrize("headers", [BATCH, JSON])
async def test_batch(
    client: httpx2.AsyncClient, log: EventLog, events: Events, headers: dict[str, str]
) -> None:
    """A batch is counted; what the log held already counts as a duplicate."""
    first = await client.post("/v1/events", content=json.dumps(events(2)), headers=headers)
    again = await client.post("/v1/events", content=json.dumps(events(3)), headers=headers)
    assert (first.status_code, first.json()) == (202, {"accepted": 2, "duplicates": 0})
    assert (again.status_code, again.json()) == (202, {"accepted": 1, "duplicates": 2})
    assert held(log) == ["event-1", "event-2", "event-3"]


async def test_the_answer_tells_the_time_at_the_api(
    client: httpx2.AsyncClient, engine: FakeEngine
) -> None:
    """For a writer to know its own clock by; nothing is told that is not known for certain."""
    engine.times["default"] = 1_800_000_000.25
    known = await client.post("/v1/events", json=make())
    assert known.headers["demurrage-time"] == "1800000000.250"
    engine.times.clear()
    unknown = await client.post("/v1/events", json=make())
    none = await client.post("/v1/events", content="[]", headers=BATCH)
    assert [("demurrage-time" in each.headers) for each in (unknown, none)] == [False, False]


async def test_empty_batch(client: httpx2.AsyncClient) -> None:
    """An empty batch is no error."""
    answer = await client.post("/v1/events", content="[]", headers=BATCH)
    assert answer.json() == {"accepted": 0, "duplicates": 0}


async def test_unknown_type(client: httpx2.AsyncClient, log: EventLog) -> None:
    """A type of a later version is kept, whatever its data says of a target."""
    event = make("response.started", type="demurrage.later", data={"target": "elsewhere"})
    answer = await client.post("/v1/events", json=event)
    assert answer.status_code == 202
    assert held(log) == ["event-1"]


async def test_bad_field(client: httpx2.AsyncClient, log: EventLog, events: Events) -> None:
    """The problem points at the bad field with its place in the batch; nothing is stored."""
    batch = events(5)
    batch[3]["data"]["call_id"] = 7
    answer = await client.post("/v1/events", json=batch)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["pointer"] == "/3/data/call_id"
    assert answer.json()["type"] == "urn:demurrage:problem:malformed-event"
    assert held(log) == []


async def test_bad_field_alone(client: httpx2.AsyncClient) -> None:
    """For a single event the pointer has no index."""
    answer = await client.post("/v1/events", json=make(time="yesterday"))
    assert answer.json()["pointer"] == "/time"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", JSON),
        (b"{", JSON),
        (b"nothing", JSON),
        (b"null", JSON),
        (b'"text"', JSON),
        (b"[1]", JSON),
        (b"[[]]", BATCH),
        (b"NaN", JSON),
        (b'{"id": "\xff\xfe"}', JSON),
        (b"\xff\xfe\x00", JSON),
        (b"[" * 100_000, JSON),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON),
        (b"1" * 10_000, JSON),
        (b"{}", BATCH),
        (b"[]", ONE),
    ],
)
async def test_garbage(
    client: httpx2.AsyncClient, log: EventLog, body: bytes, headers: dict[str, str]
) -> None:
    """What is no event is refused and leaves nothing behind."""
    answer = await client.post("/v1/events", content=body, headers=headers)
    assert answer.status_code == 400
    assert held(log) == []


async def test_deep_data(client: httpx2.AsyncClient) -> None:
    """An event that is right but for a bottomless field is refused as well."""
    event = json.dumps(make(data={"extra": 1})).replace(
        '"extra": 1', '"extra": ' + "[" * 50_000 + "]" * 50_000
    )
    answer = await client.post("/v1/events", content=event, headers=JSON)
    assert answer.status_code == 400


async def test_too_many(client: httpx2.AsyncClient, log: EventLog, events: Events) -> None:
    """More events than a batch may hold are refused as a whole."""
    answer = await client.post("/v1/events", json=events(10_000))
    assert answer.status_code == 400
    assert held(log) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json-seq"},
        {"Content-Type": "text/plain; application/json"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_content_types(
    client: httpx2.AsyncClient, log: EventLog, headers: dict[str, str]
) -> None:
    """A form, or what a page may send without being asked first, does not get in."""
    answer = await client.post("/v1/events", content=json.dumps(make()), headers=headers)
    assert answer.status_code == 415
    assert answer.json()["type"].endswith(":unsupported-media-type")
    assert held(log) == []


@pytest.mark.parametrize(
    "source", ["demurrage:person/ada", "demurrage:", "Demurrage:Person/x", " demurrage:cli"]
)
async def test_person(
    client: httpx2.AsyncClient, log: EventLog, events: Events, source: str
) -> None:
    """Nobody speaks as a person here, not even in the midst of a batch."""
    batch = [*events(1), make("container.released", source=source)]
    answer = await client.post("/v1/events", json=batch)
    assert answer.status_code == 403
    assert answer.json()["pointer"] == "/1/source"
    assert held(log) == []


async def test_strange_target(client: httpx2.AsyncClient, log: EventLog) -> None:
    """A mistyped target is told which targets there are."""
    answer = await client.post("/v1/events", json=[make(data={"target": "defualt"})])
    assert answer.status_code == 400
    assert answer.json()["pointer"] == "/0/data/target"
    assert answer.json()["known_targets"] == ["default", "second"]
    assert "defualt" not in answer.text
    assert held(log) == []


async def test_too_large(service: Service) -> None:
    """A body over the limit is refused, by its announced length and by what really comes."""

    async def chunks() -> Any:
        for _ in range(100):
            yield b" " * 100

    async with client_of(create_app(service, Doors(max_body=1000))) as client:
        announced = await client.post("/v1/events", content=b" " * 1001, headers=JSON)
        chunked = await client.post("/v1/events", content=chunks(), headers=JSON)
        fits = await client.post("/v1/events", json=make())
    assert announced.status_code == chunked.status_code == 413
    assert chunked.headers["content-type"] == "application/problem+json"
    assert fits.status_code == 202


async def test_unwritable(client: httpx2.AsyncClient, tmp_path: Path, engine: FakeEngine) -> None:
    """While the log is locked by somebody else the answer is to come again; proof waits, too."""
    with sqlite3.connect(tmp_path / "log.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = await client.post("/v1/events", json=make())
        other.execute("ROLLBACK")
    other.close()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert str(tmp_path) not in answer.text
    assert engine.missed == 1


async def test_methods(client: httpx2.AsyncClient) -> None:
    """The events door only takes in."""
    answer = await client.get("/v1/events")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/problem+json"


END_TYPES = [
    ("demurrage.container.released", {"container_id": "cntr_1"}),
    ("demurrage.conversation.ended", {"conversation": "conv_1"}),
    ("demurrage.conversation.ended", {"response_id": "resp_1"}),
]


@pytest.mark.parametrize(("kind", "data"), END_TYPES)
async def test_an_end_is_not_taken_from_just_anyone(
    client: httpx2.AsyncClient, log: EventLog, kind: str, data: dict[str, str]
) -> None:
    """Without the token any process of the machine could let go of a container in use."""
    end = make(id="end", sequence=2, type=kind, data={"target": "default", **data})
    answer = await client.post("/v1/events", json=[make(), end])
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:demurrage:problem:end-needs-token"
    assert answer.json()["pointer"] == "/1/type"
    assert "http.events_token_env" in answer.json()["detail"]
    assert "http.socket" in answer.json()["detail"]
    assert held(log) == []


@pytest.mark.parametrize(("kind", "data"), END_TYPES)
@pytest.mark.parametrize(
    "doors",
    [Doors(events_token=SecretStr("token")), Doors(private=True)],
    ids=["token", "unix socket"],
)
async def test_an_end_is_taken_from_applications(
    service: Service, log: EventLog, kind: str, data: dict[str, str], doors: Doors
) -> None:
    """The token shows that an application speaks, and so does having reached the socket."""
    end = make(id="end", type=kind, data={"target": "default", **data})
    shown = {} if doors.private else {"Authorization": "Bearer token"}
    async with client_of(create_app(service, doors)) as opened:
        answer = await opened.post("/v1/events", json=end, headers=shown)
    assert answer.status_code == 202
    assert held(log) == ["end"]


async def test_the_token_is_asked_for_on_the_socket_too(service: Service, log: EventLog) -> None:
    """Where the operator wants a token, a private address does not stand in for it."""
    doors = Doors(events_token=SecretStr("token"), private=True)
    async with client_of(create_app(service, doors)) as opened:
        answer = await opened.post("/v1/events", json=make())
    assert answer.status_code == 401
    assert held(log) == []
