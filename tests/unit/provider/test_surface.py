import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.provider.conftest import KEY, Make
from tests.unit.provider.fake import BASE, DATE, FakeApi, error, in_turn, listing, page, reply, rows

from demurrage.model.condition import ConditionKind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.error import SettingsError
from demurrage.model.listing import Region
from demurrage.provider.client import HTTP, build_client
from demurrage.provider.clock import HeaderClock
from demurrage.provider.connection import Connection
from demurrage.provider.guard import ForbiddenCallError

if TYPE_CHECKING:
    from demurrage.engine.ports import ContainersApi, ProviderClock

ALLOWED = re.compile(
    r"GET /v1/containers|DELETE /v1/containers/[A-Za-z0-9_=-]+"
    r"|GET /v1/responses/resp_1(/input_items)?"
)


async def test_nothing_but_lists_deletes_and_readings_of_responses_is_ever_sent(make: Make) -> None:
    """No operation, on good answers or on any fault, retrieves a container or touches files."""
    answers: list[Any] = [
        listing(rows(350)),
        reply(200, {"deleted": True}),
        reply(200, {"deleted": False}),
        *(reply(status, "", location="/v1/containers/cntr_1") for status in (301, 302, 303, 307)),
        *(error(status) for status in (400, 401, 403, 404, 409, 429, 500, 503)),
        page(rows(100), has_more=True),
        HTTP.ReadError("x"),
    ]
    seen: set[str] = set()
    for answer in answers:
        api, fake = make(answer)
        await api.read([Region(), Region(rows(9)[8]["id"], BASE - 99.0, BASE - 8)])
        for target in ("cntr_1", "cntr_1/files", "..", "", "../responses/resp_1"):
            await api.delete(target)
        for target in ("resp_1", "resp_1/cancel", "..", "", "../containers/cntr_1"):
            await api.resolve(target, items=True)
        assert fake.requests
        assert all(request.content == b"" for request in fake.requests)
        seen |= {f"{method} {path}" for method, path in fake.wire}
    assert seen
    assert all(ALLOWED.fullmatch(line) for line in seen), seen


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/containers/cntr_1"),
        ("POST", "/v1/containers"),
        ("GET", "/v1/containers/cntr_1/files"),
        ("DELETE", "/v1/containers/cntr_1/files/file_1"),
        ("DELETE", "/v1/containers"),
        ("DELETE", "/v1/containers/"),
        ("DELETE", "/v1/containers/.."),
        ("DELETE", "/v1/responses/resp_1"),
        ("POST", "/v1/responses"),
        ("GET", "/v1/responses"),
        ("POST", "/v1/responses/resp_1/cancel"),
        ("GET", "/v1/responses/resp_1/cancel"),
        ("GET", "/v1/responses/../containers/cntr_1"),
        ("GET", "/v1/containers/cntr_1/input_items"),
        ("POST", "/v1/responses/resp_1/input_items"),
        ("GET", "/containers"),
        ("HEAD", "/v1/containers"),
    ],
)
async def test_the_gate_lets_nothing_else_onto_the_wire(method: str, path: str) -> None:
    """Even with the SDK's client in hand, a retrieve does not leave the process."""
    fake = FakeApi(in_turn([reply(200, {})]))
    client = build_client(
        Connection("openai", "https://api.example/v1", KEY), HTTP.MockTransport(fake.handle)
    )
    with pytest.raises(ForbiddenCallError):
        await client._client.request(method, f"https://api.example{path}")
    with pytest.raises(Exception, match=r".") as caught:
        await client.containers.retrieve("cntr_1")
    assert isinstance(caught.value.__cause__ or caught.value, ForbiddenCallError)
    assert fake.requests == []
    await client.close()


async def test_azures_path_is_kept(make: Make) -> None:
    """The v1 path of an Azure resource is used as given, key as bearer."""
    api, fake = make(page([]), provider="azure", base_url="https://r.openai.azure.com/openai/v1/")
    got = await api.read([Region()])
    assert got.failure is None
    assert fake.wire == {("GET", "/openai/v1/containers")}
    assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_a_token_provider_is_asked_and_closed(make: Make) -> None:
    """Entra tokens come from a callable, fresh for each call, and it is closed with the API."""

    class Tokens:
        asked = 0
        closed = False

        async def __call__(self) -> str:
            self.asked += 1
            return f"token-{self.asked}"

        async def aclose(self) -> None:
            self.closed = True

    tokens = Tokens()
    api, fake = make(page([]), provider="azure", api_key=tokens)
    await api.read([Region()])
    await api.read([Region()])
    assert [r.headers["authorization"] for r in fake.requests] == [
        "Bearer token-1",
        "Bearer token-2",
    ]
    await api.close()
    assert tokens.closed


async def test_a_token_that_cannot_be_had_is_a_named_fault(make: Make) -> None:
    """The identity service's failure is the target's, and nothing was sent."""

    async def token() -> str:
        raise RuntimeError(KEY)

    api, fake = make(page([]), api_key=token)
    got = await api.read([Region()])
    assert got.failure is not None
    assert got.failure.kind == ConditionKind.UNAUTHORIZED
    assert KEY not in got.failure.detail
    assert got.calls == 0
    assert (await api.delete("cntr_1")).outcome == DeleteOutcome.FAILED
    assert fake.requests == []


def test_a_connection_never_shows_its_secrets() -> None:
    """Neither the key nor a proxy's password is in the value's text."""
    connection = Connection(
        "openai", "https://api.example/v1", KEY, proxy=f"http://u:{KEY}@proxy.example:1"
    )
    assert KEY not in repr(connection)
    assert KEY not in str(connection)


@pytest.mark.parametrize(
    "fields",
    [
        {"base_url": "api.example/v1"},
        {"base_url": "ftp://api.example/v1"},
        {"base_url": f"https://user:{KEY}@api.example/v1"},
        {"base_url": "https://api.example/v1?x=1"},
        {"api_key": ""},
    ],
)
def test_a_connection_that_cannot_work_is_refused(fields: dict[str, Any]) -> None:
    """The message says what is wrong and repeats no secret."""
    with pytest.raises(SettingsError) as caught:
        Connection(
            **{"provider": "openai", "base_url": "https://a.example", "api_key": KEY, **fields}
        )
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "fields", [{"ca_file": "/nonexistent/ca.pem"}, {"proxy": f"gopher://u:{KEY}@proxy.example"}]
)
def test_a_client_that_cannot_be_built_is_refused(fields: dict[str, Any]) -> None:
    """A missing CA file and an odd proxy are errors of the settings."""
    connection = Connection("openai", "https://api.example/v1", KEY, **fields)
    with pytest.raises(SettingsError) as caught:
        build_client(connection)
    assert KEY not in str(caught.value)


async def test_many_deletes_at_once_are_each_sent_once(make: Make) -> None:
    """Concurrency neither loses nor doubles a call."""
    api, fake = make(reply(200, {"deleted": True}))
    ids = [f"cntr_{n}" for n in range(200)]
    answers = await asyncio.gather(*(api.delete(each) for each in ids))
    assert all(answer.outcome == DeleteOutcome.DELETED for answer in answers)
    assert sorted(r.url.path.rpartition("/")[2] for r in fake.requests) == sorted(ids)


async def test_the_key_never_reaches_the_logs(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Even at debug level, the SDK and its HTTP library write no key."""
    caplog.set_level(logging.DEBUG)
    api, _ = make(page([]), error(401, None, f"Incorrect API key provided: {KEY}"))
    await api.read([Region()])
    await api.read([Region()])
    await api.delete("cntr_1")
    assert KEY not in caplog.text


async def test_it_is_what_the_engine_asks_for(make: Make) -> None:
    """The type checker compares both ends of the port here."""
    api, _ = make(page([]))
    port: ContainersApi = api
    clock: ProviderClock = port.clock
    assert clock.offset is None
    assert port.affordable(10) > 0


@pytest.mark.parametrize(
    "answer", [error(503), error(429), reply(200, "<p>", content_type="text/html", date=DATE)]
)
async def test_a_fault_tells_nothing_of_the_time(make: Make, answer: Any) -> None:
    """What stands between may have answered, by a clock of its own."""
    clock = HeaderClock()
    api, _ = make(answer, page([]), clock=clock)
    assert (await api.read((Region(),))).failure is not None
    assert clock.offset is None
    assert (await api.read((Region(),))).failure is None
    assert clock.offset is not None
