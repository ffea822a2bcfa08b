from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.unit.eventlog.conftest import make
from tests.unit.store.build import container, intent, ruling, sighting
from tests.unit.web.conftest import NOW, FakeEngine

from demurrage.eventlog.log import EventLog
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.event import RESOLVER
from demurrage.model.incident import Incident
from demurrage.model.plan import Mode
from demurrage.model.record import Conclusion, Ruling
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind
from demurrage.store import SqlStore


def append(log: EventLog, *events: dict[str, Any]) -> None:
    """Put events into the log, each with an id of its own."""
    numbered = [{**each, "id": f"{each['type']}-{n}"} for n, each in enumerate(events)]
    log.append(numbered, appended_at=NOW)


def started(call: str, **data: Any) -> dict[str, Any]:
    """A request with one auto slot leaves."""
    slots = [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
    return make("response.started", data={"call_id": call, "slots": slots, **data})


def finished(call: str, response: str, *containers: str) -> dict[str, Any]:
    """Its response ends, naming containers."""
    data = {"call_id": call, "response_id": response, "status": "completed"}
    return make("response.finished", data={**data, "containers": list(containers)})


def made_by(call: str, id_: str, kind: VerdictKind = VerdictKind.ORPHAN) -> Ruling:
    """A verdict that calls the request the container's maker."""
    reasons = (Reason(Code.NO_REFERENCE, "No response names it."),)
    return Ruling(container(id_), Verdict(id_, kind, reasons, NOW, maker=call), NOW)


async def test_status(client: httpx2.AsyncClient, engine: FakeEngine, store: SqlStore) -> None:
    """Status merges what the engine says with totals, budget, log and the daemon itself."""
    store.save_sightings("default", [sighting("cntr_1"), sighting("cntr_2", tier="64g")])
    engine.turn(
        verdicts={VerdictKind.ORPHAN: 2},
        conditions=[{"kind": ConditionKind.RAIL_HELD, "severity": "page", "summary": "x"}],
        evidence={"watermark": float("inf")},
    )
    status = (await client.get("/v1/status")).json()
    assert (status["version"], status["mode"], status["at"]) == ("1.2.3", "observe", NOW)
    assert status["log"]["reachable"]
    assert status["store"]["reachable"]
    default, second = status["targets"]
    assert default["verdicts"] == {"orphan": 2}
    assert [each["kind"] for each in default["incidents"]] == ["rail_held"]
    assert "conditions" not in default
    assert default["evidence"] == {"watermark": None}
    assert default["totals"]["created"] == 2
    assert default["totals"]["by_tier"]["64g"]["created"] == 1
    assert default["totals"]["saved"] == {"low": 0.0, "high": 0.0, "text": "$0"}
    assert default["budget"]["used_last_minute"] == 7
    assert default["turned_ago"] >= 0
    assert (second["target"], second["cycle"], second["turned_ago"]) == ("second", None, None)


async def test_status_in_trouble(
    client: httpx2.AsyncClient, engine: FakeEngine, tmp_path: Path, store: SqlStore, log: EventLog
) -> None:
    """Status answers while log and store cannot be read, and says so."""
    engine.turn()
    store.close()
    log.close()
    for name in ("store", "log"):
        (tmp_path / f"{name}.sqlite").write_bytes(b"no database at all" * 100)
        for rest in ("-wal", "-shm"):
            (tmp_path / f"{name}.sqlite{rest}").unlink(missing_ok=True)
    answer = await client.get("/v1/status")
    assert answer.status_code == 200
    assert answer.json()["log"]["reachable"] is False
    assert answer.json()["store"]["reachable"] is False
    assert answer.json()["targets"][0]["totals"] is None
    for path in ("/v1/containers", "/v1/containers/cntr_1", "/v1/incidents", "/v1/responses/r"):
        refused = await client.get(path)
        assert refused.status_code == 503
        assert "retry-after" in refused.headers
        assert str(tmp_path) not in refused.text


async def test_pages(client: httpx2.AsyncClient, store: SqlStore) -> None:
    """Pages follow each other by `next`, newest birth first, each container once."""
    store.save_sightings("default", [sighting(f"cntr_{n}", born=NOW + n // 2) for n in range(5)])
    seen: list[str] = []
    after: str | None = None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        page = (await client.get("/v1/containers", params=query)).json()
        seen += [each["id"] for each in page["containers"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["cntr_4", "cntr_3", "cntr_2", "cntr_1", "cntr_0"]


async def test_filters(client: httpx2.AsyncClient, store: SqlStore) -> None:
    """Containers can be asked for by target, verdict and life."""
    store.save_sightings("default", [sighting("cntr_1"), sighting("cntr_2", gone_at=NOW)])
    store.save_sightings("second", [sighting("cntr_3")])
    store.record_verdicts("second", [ruling("cntr_3", VerdictKind.PENDING)])

    async def ids(**query: str) -> list[str]:
        answer = (await client.get("/v1/containers", params=query)).json()
        return [each["id"] for each in answer["containers"]]

    assert await ids(target="default") == ["cntr_2", "cntr_1"]
    assert await ids(target="default", alive="true") == ["cntr_1"]
    assert await ids(verdict="pending") == ["cntr_3"]
    assert await ids(verdict="orphan") == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 422),
        ("limit=501", 422),
        ("limit=many", 422),
        ("verdict=guilty", 422),
        ("alive=perhaps", 422),
        ("after=%00", 422),
        ("target=nowhere", 404),
    ],
)
async def test_bad_questions(client: httpx2.AsyncClient, query: str, status: int) -> None:
    """A parameter that does not fit is a problem, never an empty page, and is not repeated."""
    answer = await client.get(f"/v1/containers?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    for word in ("guilty", "perhaps", "many", "nowhere"):
        assert word not in answer.text


async def test_case(client: httpx2.AsyncClient, store: SqlStore, log: EventLog) -> None:
    """A case tells who made the container, why it was an orphan, when it went and its money."""
    append(log, started("call_1", model="gpt-x"), finished("call_1", "resp_1"))
    append(log, make("container.referenced", data={"container_id": "cntr_1"}))
    store.save_sightings("default", [sighting("cntr_1")])
    ids = store.record_verdicts("default", [made_by("call_1", "cntr_1")])
    (deletion,) = store.intend("default", [intent(ids["cntr_1"])], NOW + 270)
    done = Conclusion(deletion.id, DeleteOutcome.DELETED, NOW + 271, saved_usd=0.0225)
    store.conclude([done])
    case = (await client.get("/v1/containers/cntr_1")).json()
    assert case["container"]["tier"] == "1g"
    assert case["verdict"]["kind"] == "orphan"
    assert case["verdict"]["reasons"][0]["code"] == "no_reference"
    assert case["maker"]["response_id"] == "resp_1"
    assert case["maker"]["model"] == "gpt-x"
    assert [each["type"] for each in case["evidence"]["events"]] == [
        "demurrage.container.referenced"
    ]
    assert case["deletions"][0]["outcome"] == "deleted"
    assert case["money"]["cost"] == {"low": 0.0, "high": 0.0075, "text": "$0 to $0.0075"}
    assert case["money"]["saved"]["high"] == 0.0225
    assert case["money"]["estimated"]
    assert not case["money"]["reconciled"]


async def test_case_of_one_that_an_application_created(
    client: httpx2.AsyncClient, log: EventLog
) -> None:
    """No response made it, and the case says who did."""
    append(log, make("container.created", data={"container_id": "cntr_1"}))
    case = (await client.get("/v1/containers/cntr_1")).json()
    assert case["maker"] is None
    assert case["created_by"]["source"] == case["evidence"]["events"][0]["source"]


async def test_case_of_a_used_one(client: httpx2.AsyncClient, store: SqlStore) -> None:
    """What is known to be used is charged; its money is no range."""
    store.save_sightings("default", [sighting("cntr_1")])
    store.record_verdicts("default", [ruling("cntr_1", VerdictKind.REFERENCED)])
    money = (await client.get("/v1/containers/cntr_1")).json()["money"]
    assert money["used"]
    assert money["cost"]["low"] == money["cost"]["high"] == 0.0075
    assert money["cost_if_left"]["high"] == pytest.approx(0.03)


async def test_case_from_the_log_alone(client: httpx2.AsyncClient, log: EventLog) -> None:
    """A container that was named before it was listed has a case already."""
    append(log, finished("call_1", "resp_1", "cntr_9", "cntr_8"))
    case = (await client.get("/v1/containers/cntr_9")).json()
    assert (case["target"], case["container"], case["verdict"]) == ("default", None, None)
    (event,) = case["evidence"]["events"]
    assert event["response_id"] == "resp_1"
    assert event["other_containers"] == 1


async def test_case_of_a_busy_one(client: httpx2.AsyncClient, log: EventLog) -> None:
    """Of very many events the first and the last are shown, and how many there are."""
    append(log, *(finished(f"call_{n}", f"resp_{n}", "cntr_1") for n in range(300)))
    evidence = (await client.get("/v1/containers/cntr_1")).json()["evidence"]
    assert evidence["count"] == 300
    shown = [each["call_id"] for each in evidence["events"]]
    assert (len(shown), shown[0], shown[-1]) == (100, "call_0", "call_299")


async def test_case_without_log(
    client: httpx2.AsyncClient, store: SqlStore, log: EventLog, tmp_path: Path
) -> None:
    """While the log cannot be read, a case still tells what the store holds."""
    store.save_sightings("default", [sighting("cntr_1")])
    log.close()
    (tmp_path / "log.sqlite").write_bytes(b"no database at all" * 100)
    case = (await client.get("/v1/containers/cntr_1")).json()
    assert case["evidence"] == {"readable": False, "count": None, "events": []}
    assert case["container"]["id"] == "cntr_1"


@pytest.mark.parametrize("path", ["/v1/containers/cntr_none", "/v1/responses/resp_none"])
async def test_unknown_ids(client: httpx2.AsyncClient, path: str) -> None:
    """What nobody knows is a 404 that does not repeat the id."""
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "_none" not in answer.text


async def test_case_by_a_proxys_id(client: httpx2.AsyncClient, log: EventLog) -> None:
    """It stands for the provider's id inside it; one that hides none is refused by its name."""
    native = "cntr_" + "0a" * 24
    inside = f"litellm:custom_llm_provider:openai;model_id:m;container_id:{native}"
    proxys = f"cntr_{b64encode(inside.encode()).decode()}"
    append(log, finished("call_1", "resp_1", proxys))
    assert (await client.get(f"/v1/containers/{proxys}")).json()["id"] == native
    answer = await client.get(f"/v1/containers/{proxys[:40]}")
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("invalid-parameter")
    assert "parameter id" in answer.json()["detail"]
    assert proxys[:40] not in answer.text


async def test_case_of_another_target(client: httpx2.AsyncClient, store: SqlStore) -> None:
    """A container is not found under a target that does not have it."""
    store.save_sightings("default", [sighting("cntr_1")])
    answer = await client.get("/v1/containers/cntr_1", params={"target": "second"})
    assert answer.status_code == 404


async def test_response_matched(client: httpx2.AsyncClient, store: SqlStore, log: EventLog) -> None:
    """A container that nothing names is told as the likely work of its response, no more."""
    append(log, started("call_1"), finished("call_1", "resp_1"))
    store.save_sightings("default", [sighting("cntr_1"), sighting("cntr_2")])
    store.record_verdicts("default", [made_by("call_1", "cntr_1"), made_by("call_2", "cntr_2")])
    found = (await client.get("/v1/responses/resp_1")).json()
    (call,) = found["calls"]
    assert (call["call_id"], call["named"], call["status"]) == ("call_1", [], "completed")
    assert [(each["id"], each["basis"]) for each in call["made"]] == [("cntr_1", "matched")]
    assert "likely" in call["note"]


async def test_response_named(client: httpx2.AsyncClient, store: SqlStore, log: EventLog) -> None:
    """A container that its response names is told as such; one it only reuses is not its work."""
    append(
        log,
        started("call_1", containers=["cntr_old"]),
        finished("call_1", "resp_1", "cntr_1", "cntr_old"),
    )
    store.save_sightings("default", [sighting("cntr_1"), sighting("cntr_old")])
    store.record_verdicts("default", [made_by("call_1", "cntr_1", VerdictKind.REFERENCED)])
    (call,) = (await client.get("/v1/responses/resp_1")).json()["calls"]
    assert [(each["id"], each["basis"]) for each in call["made"]] == [("cntr_1", "named")]
    assert (call["named"], call["carried"]) == (["cntr_1", "cntr_old"], ["cntr_old"])


@pytest.mark.parametrize(
    ("events", "word"),
    [
        ([make("response.started", data={"call_id": "c"}), finished("c", "resp_1")], "no auto"),
        ([started("c"), make("response.created", data={"call_id": "c"})], "not known"),
        ([started("c"), finished("c", "resp_1")], "no listed"),
        ([finished("c", "resp_1")], "not logged"),
    ],
)
async def test_response_without_container(
    client: httpx2.AsyncClient, log: EventLog, events: list[dict[str, Any]], word: str
) -> None:
    """A response to which no container is attributed is told honestly: cannot, may, did not."""
    append(log, *events)
    (call,) = (await client.get("/v1/responses/resp_1")).json()["calls"]
    assert call["made"] == []
    assert word in call["note"]


async def test_response_known_only(client: httpx2.AsyncClient, log: EventLog) -> None:
    """Of a bare id nothing can be said, and that is said."""
    append(log, make("response.known"))
    found = (await client.get("/v1/responses/resp_1")).json()
    assert found["calls"] == []
    assert found["note"]


async def test_response_that_was_read(client: httpx2.AsyncClient, log: EventLog) -> None:
    """What the daemon has read itself is told, unless an application logged the same."""
    mine = {"source": RESOLVER, "sequence": None}
    append(
        log,
        {**started("resp_1"), **mine, "id": "1"},
        {**finished("resp_1", "resp_1"), **mine, "id": "2"},
    )
    (call,) = (await client.get("/v1/responses/resp_1")).json()["calls"]
    assert (call["call_id"], call["source"]) == ("resp_1", RESOLVER)
    append(log, started("call_1"), finished("call_1", "resp_1"))
    (call,) = (await client.get("/v1/responses/resp_1")).json()["calls"]
    assert call["call_id"] == "call_1"


async def test_response_of_another(client: httpx2.AsyncClient, log: EventLog) -> None:
    """A response that others only continue from was not logged itself."""
    append(log, started("call_2", previous_response_id="resp_1"))
    assert (await client.get("/v1/responses/resp_1")).status_code == 404


async def test_adopt(client: httpx2.AsyncClient) -> None:
    """Adoption is reserved, and says so."""
    answer = await client.post("/v1/responses/resp_1/adopt")
    assert answer.status_code == 501
    assert answer.headers["content-type"] == "application/problem+json"


async def test_incidents(client: httpx2.AsyncClient, store: SqlStore) -> None:
    """Incidents that stand come apart from those that are over; both by target."""
    late = Condition(ConditionKind.LATE_BIRTHS, "default", "late", Severity.NOTICE)
    held = Condition(ConditionKind.RAIL_HELD, "default", "held", Severity.PAGE)
    over = Incident(0, late, NOW, NOW + 1, NOW, revision=2, resolved_at=NOW + 1)
    store.save_incidents([over, Incident(0, held, NOW, NOW, NOW)])
    found = (await client.get("/v1/incidents")).json()
    assert [(each["kind"], each["severity"]) for each in found["open"]] == [("rail_held", "page")]
    assert [each["resolved_at"] for each in found["past"]] == [NOW + 1]
    other = (await client.get("/v1/incidents", params={"target": "second"})).json()
    assert other == {"open": [], "past": []}
    assert (await client.get("/v1/incidents?target=third")).status_code == 404


async def test_mode_of_target(client: httpx2.AsyncClient, engine: FakeEngine) -> None:
    """A target's own mode is shown, not the daemon's."""
    engine.turn(mode=Mode.ENFORCE)
    status = (await client.get("/v1/status")).json()
    assert [each["mode"] for each in status["targets"]] == ["enforce", "observe"]
