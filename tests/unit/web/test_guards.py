from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
from pydantic import SecretStr
from tests.unit.eventlog.conftest import make
from tests.unit.web.conftest import FakeEngine, client_of

from demurrage.web.app import create_app, create_ops_app
from demurrage.web.doors import LOOPBACK_NAMES, Doors, host_names
from demurrage.web.service import Service

EVENTS, ADMIN = "events-token-1", "admin-token-22"
READING = (
    "/v1/status",
    "/v1/containers",
    "/v1/containers/cntr_1",
    "/v1/responses/resp_1",
    "/v1/incidents",
    "/openapi.json",
    "/v1/nowhere",
)


@pytest.fixture
async def guarded(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a daemon with both tokens; it sends none by itself."""
    doors = Doors(events_token=SecretStr(EVENTS), admin_token=SecretStr(ADMIN))
    async with client_of(create_app(service, doors)) as opened:
        yield opened


def bearer(token: str) -> dict[str, str]:
    """The header that bears a token."""
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "LOCALHOST:9470", "[::1]:9470"])
async def test_own_names(client: httpx2.AsyncClient, host: str) -> None:
    """A daemon on loopback answers to the names of loopback, at any port."""
    answer = await client.get("/v1/status", headers={"Host": host})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/v1/status", "/healthz", "/metrics", "/page.js", "/openapi.json", "/nowhere"]
)
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:9470", "localhost."])
async def test_rebinding(client: httpx2.AsyncClient, path: str, host: str) -> None:
    """A page that points its own name at this machine gets nothing, on any path."""
    answer = await client.get(path, headers={"Host": host})
    assert answer.status_code == 421
    assert answer.json()["type"].endswith(":wrong-host")
    assert "evil" not in answer.text


async def test_rebinding_append(client: httpx2.AsyncClient) -> None:
    """Nor can it append."""
    answer = await client.post("/v1/events", json=make(), headers={"Host": "evil.example"})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["", "a b", "user@localhost", "localhost:port", "local/host"])
async def test_no_host(client: httpx2.AsyncClient, host: str) -> None:
    """What is no host at all is a bad request."""
    answer = await client.get("/healthz", headers={"Host": host})
    assert answer.status_code == 400


async def test_two_hosts(client: httpx2.AsyncClient) -> None:
    """Two hosts are a bad request, whichever of them is ours."""
    headers = [("Host", "127.0.0.1"), ("Host", "evil.example")]
    answer = await client.get("/v1/status", headers=headers)
    assert answer.status_code == 400


def test_host_names() -> None:
    """The names follow from the bound address; one bound to all is reached under any."""
    assert host_names("127.0.0.1") == LOOPBACK_NAMES
    assert host_names("::1") == LOOPBACK_NAMES
    assert host_names("10.0.0.5") == LOOPBACK_NAMES | {"10.0.0.5"}
    assert host_names("fd00::5") == LOOPBACK_NAMES | {"[fd00::5]"}
    assert host_names("Reaper.example") == LOOPBACK_NAMES | {"reaper.example"}
    assert Doors(allowed_hosts=host_names("0.0.0.0")).addressed("anything.example")
    assert Doors(allowed_hosts=host_names("::")).addressed("anything.example")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:3000"},
        {"Origin": "http://localhost:9470"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/v1/events", "/v1/responses/resp_1/adopt", "/v1/holds/hold-1/resume"]
)
async def test_foreign_site(client: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> None:
    """Pages of other sites, other ports of this machine included, change nothing."""
    answer = await client.post(path, json=make(), headers=headers)
    assert answer.status_code == 403
    assert answer.json()["type"].endswith(":foreign-site")


async def test_own_site(client: httpx2.AsyncClient) -> None:
    """The daemon's own page may."""
    headers = {"Origin": "http://127.0.0.1:9470", "Sec-Fetch-Site": "same-origin"}
    answer = await client.post("/v1/events", json=make(), headers=headers)
    assert answer.status_code == 202


async def test_no_cors(client: httpx2.AsyncClient) -> None:
    """A browser that asks on behalf of another site never hears yes."""
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    for method, path in (("OPTIONS", "/v1/events"), ("GET", "/v1/status")):
        answer = await client.request(method, path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", READING)
async def test_reading_needs_admin(guarded: httpx2.AsyncClient, path: str) -> None:
    """With an admin token set, nothing is read without it; not even what exists is told."""
    wrong: tuple[dict[str, str], ...] = (
        {},
        bearer(EVENTS),
        bearer(""),
        {"Authorization": f"Basic {ADMIN}"},
        {"Authorization": ADMIN},
    )
    for headers in wrong:
        answer = await guarded.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert (await guarded.get(path, headers=bearer(ADMIN))).status_code != 401


async def test_appending_needs_its_token(guarded: httpx2.AsyncClient) -> None:
    """Only the events token appends; the admin's is another key to another door."""
    for given in ("", ADMIN, f"Bearer {ADMIN}", f"Bearer {EVENTS}x", f"Basic {EVENTS}", "Bearer ü"):
        headers = httpx2.Headers([(b"authorization", given.encode())])
        answer = await guarded.post("/v1/events", json=make(), headers=headers)
        assert answer.status_code == 401
    answer = await guarded.post("/v1/events", json=make(), headers=bearer(EVENTS))
    assert answer.status_code == 202


async def test_page_signs_in(guarded: httpx2.AsyncClient) -> None:
    """Without the token the page is 401 and still shows where to sign in."""
    refused, known = await guarded.get("/"), await guarded.get("/", headers=bearer(ADMIN))
    assert (refused.status_code, known.status_code) == (401, 200)
    assert 'id="sign-in"' in refused.text


async def test_open_paths(guarded: httpx2.AsyncClient, engine: FakeEngine) -> None:
    """Probes, metrics and the page's own files bring no token."""
    engine.turn("default")
    engine.turn("second")
    for path in ("/healthz", "/readyz", "/metrics", "/page.css", "/page.js"):
        assert (await guarded.get(path)).status_code == 200


async def test_ops_app(service: Service) -> None:
    """The second address has probes and metrics and nothing else, and checks the Host as well."""
    async with client_of(create_ops_app(service, Doors())) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/metrics")).text == "demurrage_up 1\n"
        for path in ("/", "/v1/status", "/openapi.json", "/page.js"):
            assert (await client.get(path)).status_code == 404
        assert (await client.post("/v1/events", json=make())).status_code == 404
        assert (await client.get("/metrics", headers={"Host": "evil.example"})).status_code == 421


async def test_headers(client: httpx2.AsyncClient) -> None:
    """Every answer, refusals included, forbids guessing types, storing and framing."""
    for path, headers in (("/v1/status", {}), ("/nowhere", {}), ("/", {"Host": "evil.example"})):
        answer = await client.get(path, headers=headers)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_unexpected_failure(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """A bug is answered by an id that the log tells more about, and by nothing else."""

    def fail() -> bytes:
        raise RuntimeError("sk-secret in /home/someone")

    async with client_of(create_app(replace(service, exposition=fail), Doors())) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["id"] in capsys.readouterr().out
    assert "secret" not in answer.text
    assert "/home" not in answer.text


def test_tokens_stay_inside() -> None:
    """No repr shows a token, and an empty one is a mistake."""
    doors = Doors(events_token=SecretStr(EVENTS), admin_token=SecretStr(ADMIN))
    assert EVENTS not in repr(doors)
    assert ADMIN not in repr(doors)
    with pytest.raises(ValueError, match="empty"):
        Doors(admin_token=SecretStr(""))
