from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest
from pydantic import SecretStr
from tests.unit.web.conftest import NOW, client_of

from demurrage.model.plan import Hold, Rail
from demurrage.store import SqlStore
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service

HOLD = Hold("hold-1", "default", Rail.DELETES_PER_HOUR, NOW - 60, "many", frozenset({"cntr_1"}))
PATH = "/v1/holds/hold-1/resume"


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the admin's token."""
    app = create_app(service, Doors(admin_token=SecretStr("admin-token")))
    async with client_of(app, headers={"Authorization": "Bearer admin-token"}) as opened:
        yield opened


async def test_resume(admin: httpx2.AsyncClient, store: SqlStore) -> None:
    """An admin's yes is stored with its end, and goes into the audit."""
    store.save_hold(HOLD)
    answer = await admin.post(PATH, json={"until": NOW + 600})
    assert answer.status_code == 200
    assert answer.json()["resumed_until"] == NOW + 600
    assert answer.json()["containers"] == 1
    held = store.hold("hold-1")
    assert held is not None
    assert (held.resumed_until, held.containers) == (NOW + 600, HOLD.containers)
    assert [(act.what, act.about) for act in store.acts()] == [("resume", "hold-1")]


async def test_a_yes_bears_the_provider_s_time(admin: httpx2.AsyncClient, store: SqlStore) -> None:
    """On a host that is an hour slow it would end distrust an hour too early."""
    store.save_hold(HOLD)
    store.save_status(HOLD.target, NOW, {"clock": {"offset": 3600.0, "jumped": False}})
    assert (await admin.post(PATH, json={"until": NOW + 600})).status_code == 409
    answer = await admin.post(PATH, json={"until": NOW + 4200})
    assert answer.status_code == 200
    held = store.hold("hold-1")
    assert held is not None
    assert held.resumed_at == NOW + 3600


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"until": NOW - 1}, 409, None),
        ({"until": NOW + 90_000}, 422, "/until"),
        ({"until": "soon"}, 422, "/until"),
        ({}, 422, "/until"),
        ({"until": NOW + 1, "force": True}, 422, "/force"),
        ([], 422, ""),
    ],
)
async def test_refused(
    admin: httpx2.AsyncClient, store: SqlStore, body: object, status: int, pointer: str | None
) -> None:
    """What is no clear and bounded yes changes nothing."""
    store.save_hold(HOLD)
    answer = await admin.post(PATH, json=body)
    assert answer.status_code == status
    assert answer.json().get("pointer") == pointer
    assert store.hold("hold-1") == HOLD


async def test_no_json(admin: httpx2.AsyncClient, store: SqlStore) -> None:
    """A form or broken JSON is no yes either."""
    store.save_hold(HOLD)
    form = await admin.post(PATH, data={"until": str(NOW + 1)})
    broken = await admin.post(PATH, content="{", headers={"Content-Type": "application/json"})
    assert form.status_code == broken.status_code == 422
    assert store.hold("hold-1") == HOLD


async def test_over(admin: httpx2.AsyncClient, store: SqlStore) -> None:
    """A hold that has ended, or never was, cannot be resumed."""
    store.save_hold(replace(HOLD, lapsed_at=NOW - 1))
    body = {"until": NOW + 60}
    assert (await admin.post(PATH, json=body)).status_code == 409
    assert (await admin.post("/v1/holds/none/resume", json=body)).status_code == 404


async def test_without_token(service: Service, store: SqlStore) -> None:
    """A wrong token is 401; where no token is set, nobody acts over HTTP at all."""
    store.save_hold(HOLD)
    body = {"until": NOW + 60}
    guarded = create_app(service, Doors(admin_token=SecretStr("admin-token")))
    async with client_of(guarded) as client:
        assert (await client.post(PATH, json=body)).status_code == 401
    async with client_of(create_app(service, Doors())) as client:
        answer = await client.post(PATH, json=body)
    assert answer.status_code == 403
    assert "demurrage resume" in answer.json()["detail"]
    assert store.hold("hold-1") == HOLD
