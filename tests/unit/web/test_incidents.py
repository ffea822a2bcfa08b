from collections.abc import AsyncIterator

import httpx2
import pytest
from pydantic import SecretStr
from tests.unit.web.conftest import NOW, FakeEngine, client_of

from demurrage.model.condition import Cause, Condition, ConditionKind, Severity
from demurrage.model.incident import Incident
from demurrage.store import SqlStore
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service

COST = Condition(
    ConditionKind.ORPHAN_COST,
    "default",
    "Dear.",
    Severity.PAGE,
    scope="team=search",
    causes=(Cause("writer", "web-1", 9, 0.75),),
    usd_per_hour=12.5,
)


@pytest.fixture
async def admin(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with the admin's token."""
    app = create_app(service, Doors(admin_token=SecretStr("admin-token")))
    async with client_of(app, headers={"Authorization": "Bearer admin-token"}) as opened:
        yield opened


@pytest.fixture
def path(store: SqlStore) -> str:
    """Where an open incident is."""
    (one,) = store.save_incidents([Incident(0, COST, NOW - 60, NOW - 60, NOW)])
    return f"/v1/incidents/{one.id}"


async def test_all_that_a_person_needs_is_in_one_answer(
    client: httpx2.AsyncClient, store: SqlStore, path: str
) -> None:
    """Scope, causes, money, the next step, the runbook, and which sinks were told."""
    number = int(path.rpartition("/")[2])
    store.note_delivered("pager", number, 1, NOW)
    found = (await client.get(path)).json()
    assert (found["kind"], found["scope"], found["severity"]) == (
        "orphan_cost",
        "team=search",
        "page",
    )
    assert found["causes"] == [
        {"dimension": "writer", "value": "web-1", "orphans": 9, "share": 0.75}
    ]
    assert found["estimated_usd_per_hour"] == 12.5
    assert found["next_step"]
    assert found["runbook"].endswith("orphan_cost.md")
    assert [(each["sink"], each["revision"]) for each in found["deliveries"]] == [("pager", 1)]
    (listed,) = (await client.get("/v1/incidents")).json()["open"]
    assert listed == {name: item for name, item in found.items() if name != "deliveries"}


async def test_status_has_what_is_open_and_what_broods(
    client: httpx2.AsyncClient, engine: FakeEngine, path: str
) -> None:
    """An incident bears its id; a condition that has opened none bears none."""
    seen = [
        {"kind": kind, "scope": scope, "severity": "page", "summary": "So it is."}
        for kind, scope in (("orphan_cost", "team=search"), ("timeout", ""))
    ]
    engine.turn(conditions=seen)
    targets = (await client.get("/v1/status")).json()["targets"]
    shown = [(each["id"], each["kind"]) for each in targets[0]["incidents"]]
    assert shown == [(int(path.rpartition("/")[2]), "orphan_cost"), (None, "timeout")]


async def test_acts(admin: httpx2.AsyncClient, store: SqlStore, path: str) -> None:
    """An admin acknowledges and silences, and takes the silence back; all is written down."""
    said = (await admin.post(f"{path}/acknowledge")).json()
    assert (said["acknowledged_at"], said["acknowledged_by"]) == (NOW, "http:admin")
    said = (await admin.post(f"{path}/silence", json={"until": NOW + 600})).json()
    assert said["silenced_until"] == NOW + 600
    said = (await admin.post(f"{path}/silence", json={"for": 60})).json()
    assert said["silenced_until"] == NOW + 60
    said = (await admin.delete(f"{path}/silence")).json()
    assert said["silenced_until"] is None
    assert [act.what for act in store.acts()] == [
        "unsilence_incident",
        "silence_incident",
        "silence_incident",
        "acknowledge_incident",
    ]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"until": NOW - 1}, "/until"),
        ({"until": NOW + 40 * 86_400}, "/until"),
        ({"until": "soon"}, "/until"),
        ({"for": 40 * 86_400}, "/for"),
        ({"for": -1}, "/for"),
        ({"for": 60, "until": NOW + 60}, ""),
        ({}, ""),
        ({"for": 60, "whatever": 1}, "/whatever"),
    ],
)
async def test_refused_silence(
    admin: httpx2.AsyncClient, store: SqlStore, path: str, body: object, pointer: str
) -> None:
    """What is no clear and bounded silence changes nothing, and the field is named."""
    answer = await admin.post(f"{path}/silence", json=body)
    assert (answer.status_code, answer.json().get("pointer")) == (422, pointer)
    assert store.acts() == ()


@pytest.mark.parametrize("act", ["acknowledge", "silence", "unsilence"])
async def test_over_or_unknown(admin: httpx2.AsyncClient, store: SqlStore, act: str) -> None:
    """Of what is over, or never was, nothing can be said."""
    over = Incident(0, COST, NOW, NOW, NOW, revision=2, resolved_at=NOW)
    (one,) = store.save_incidents([over])
    for number, status in ((one.id, 409), (one.id + 1, 404)):
        path = f"/v1/incidents/{number}/{act.removeprefix('un')}"
        if act == "unsilence":
            answer = await admin.delete(path)
        else:
            answer = await admin.post(path, json={"for": 60} if act == "silence" else None)
        assert answer.status_code == status


async def test_acts_need_a_token(client: httpx2.AsyncClient, path: str) -> None:
    """On a daemon without an admin token nobody acts over HTTP."""
    answer = await client.post(f"{path}/acknowledge")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (403, "acts-closed")
    assert (await client.post(f"{path}/silence", json={"for": 60})).status_code == 403
    assert (await client.delete(f"{path}/silence")).status_code == 403
