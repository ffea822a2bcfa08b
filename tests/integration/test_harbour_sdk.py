"""The real SDK against the harbour over real HTTP: it must not be able to tell."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from demurrage.simulator.calls import caller_of
from demurrage.simulator.delivery import CloudEvent
from demurrage.simulator.faults import FaultKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.plans import Habits
from demurrage.simulator.reproduction import reproduce
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer

AUTO: Any = {"type": "code_interpreter", "container": {"type": "auto"}}
SHELL: Any = {"type": "shell", "environment": {"type": "container_auto"}}
USE = "Compute. [[use_tool]] [[cite]] [[seconds=8]]"
TALK = "Say hello. [[seconds=8]]"


@pytest.fixture
def server() -> Iterator[HarbourServer]:
    """A harbour whose hour takes twelve seconds."""
    settings = HarbourSettings(scale=300, visibility_lag=(0, 0), delete_lag=(0, 0))
    with HarbourServer(Harbour(settings, seed=3)) as running:
        yield running


@pytest.fixture
def client(server: HarbourServer) -> Iterator[OpenAI]:
    """The SDK, without retries, so that each fault shows."""
    with OpenAI(base_url=server.base_url, api_key="key", max_retries=0) as made:
        yield made


def _cases(server: HarbourServer) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = server.admin.truth()["containers"]
    return cases


def test_the_reproduction_leaks_two_in_each_style(server: HarbourServer, client: OpenAI) -> None:
    """Six tool-less turns, six containers, each made by one of them and named by none."""
    made = reproduce(client)
    cases = _cases(server)
    assert {case["made_by"] for case in cases} == set(made.all)
    assert [case["orphan"] for case in cases] == [True] * 6


def test_a_third_turn_names_its_container(server: HarbourServer, client: OpenAI) -> None:
    """Three more containers, one for each style, are used and no orphans."""
    made = reproduce(client, third_turn=True)
    cases = _cases(server)
    assert (len(cases), sum(case["orphan"] for case in cases)) == (9, 6)
    used = {case["used_by"][0] for case in cases if case["used_by"]}
    assert used == {made.replayed[2], made.previous[2], made.conversation[2]}


def test_reproduction_tells_of_each_call(client: OpenAI) -> None:
    """Whoever logs hears of each request before and of each response after."""
    heard: list[str] = []

    def on_call(request: dict[str, Any]) -> Any:
        heard.append(request["model"])
        return lambda response: heard.append(response.id)

    made = reproduce(client, on_call=on_call)
    assert heard[0::2] == ["gpt-5"] * 6
    assert tuple(heard[1::2]) == made.all


def test_a_blocking_response_reads_as_a_real_one(server: HarbourServer, client: OpenAI) -> None:
    """The SDK's types hold the call, the citation and the text."""
    response = client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
    assert response.status == "completed"
    assert response.output_text
    call, message = response.output
    assert call.type == "code_interpreter_call"
    assert message.type == "message"
    (part,) = message.content
    assert part.type == "output_text"
    (citation,) = part.annotations
    assert citation.type == "container_file_citation"
    (case,) = _cases(server)
    assert call.container_id == citation.container_id == case["id"]
    assert response.created_at < response.completed_at  # type: ignore[operator] # both are given


def test_a_call_in_the_context_is_reused_in_each_style(
    server: HarbourServer, client: OpenAI
) -> None:
    """Replayed items, a previous response and a conversation lead to the same container."""
    first = client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
    replayed: Any = [item.model_dump(mode="json") for item in first.output]
    replayed.append({"role": "user", "content": TALK})
    client.responses.create(model="gpt-5", input=replayed, tools=[AUTO])
    client.responses.create(model="gpt-5", input=TALK, tools=[AUTO], previous_response_id=first.id)
    conversation = client.conversations.create().id
    for words in (USE, TALK):
        client.responses.create(model="gpt-5", input=words, tools=[AUTO], conversation=conversation)
    assert len(_cases(server)) == 2


@pytest.mark.parametrize("words", [USE, TALK])
@pytest.mark.parametrize("tool", [AUTO, SHELL])
def test_a_stream_has_the_real_events(client: OpenAI, tool: Any, words: str) -> None:
    """The SDK's own accumulator accepts the stream; names, order and numbers are right."""
    with client.responses.stream(model="gpt-5", input=words, tools=[tool]) as stream:
        events = list(stream)
        final = stream.get_final_response()
    names = [event.type for event in events]
    assert names[:2] == ["response.created", "response.in_progress"]
    assert names[-1] == "response.completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert final.output_text == "The answer is 42."
    assert "response.output_text.delta" in names
    used = words == USE
    assert ("response.output_text.annotation.added" in names) == used
    assert ("response.code_interpreter_call.interpreting" in names) == (used and tool is AUTO)
    if tool is SHELL:
        opening: Any = events[0]
        assert opening.response.tools[0].environment.container_id.startswith("cntr_")


def test_the_container_is_born_before_the_first_output_item(
    server: HarbourServer, client: OpenAI
) -> None:
    """When the first item streams in, the container is there already."""
    with client.responses.create(model="gpt-5", input=TALK, tools=[AUTO], stream=True) as stream:
        for event in stream:
            if event.type == "response.output_item.added":
                assert len(_cases(server)) == 1


def test_a_background_response_runs_on_its_own(server: HarbourServer, client: OpenAI) -> None:
    """It is queued, then in progress, then completed, and made one container."""
    server.admin.settings(scale=20, queue_delay=[2, 2])
    response = client.responses.create(model="gpt-5", input=TALK, tools=[AUTO], background=True)
    seen = [response.status]
    while seen[-1] != "completed":
        seen.append(client.responses.retrieve(response.id).status)
    assert list(dict.fromkeys(seen)) == ["queued", "in_progress", "completed"]
    assert len(_cases(server)) == 1


def test_a_background_response_can_be_cancelled(client: OpenAI) -> None:
    """Only a background response can."""
    response = client.responses.create(
        model="gpt-5", input="[[seconds=600]]", tools=[AUTO], background=True
    )
    assert client.responses.cancel(response.id).status == "cancelled"
    blocking = client.responses.create(model="gpt-5", input=TALK)
    with pytest.raises(openai.BadRequestError):
        client.responses.cancel(blocking.id)


def test_what_is_not_stored_cannot_be_fetched(client: OpenAI) -> None:
    """`store: false` is answered and then unknown; a deleted response too."""
    lost = client.responses.create(model="gpt-5", input=TALK, store=False)
    kept = client.responses.create(model="gpt-5", input=TALK)
    client.responses.delete(kept.id)
    for response_id in (lost.id, kept.id):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(response_id)


def test_input_items_show_what_was_replayed(client: OpenAI) -> None:
    """A reference that stands only in the input is found there, newest first, by pages."""
    first = client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
    replayed: Any = [item.model_dump(mode="json") for item in first.output]
    replayed += [{"role": "user", "content": TALK}]
    second = client.responses.create(model="gpt-5", input=replayed, tools=[AUTO])
    items = list(client.responses.input_items.list(second.id, limit=1))
    assert [item.type for item in items] == ["message", "message", "code_interpreter_call"]


def test_conversations_come_and_go(client: OpenAI) -> None:
    """Create, retrieve, update, items, delete."""
    made = client.conversations.create(
        metadata={"topic": "a"}, items=[{"type": "message", "role": "user", "content": "Hi"}]
    )
    client.responses.create(model="gpt-5", input=USE, tools=[AUTO], conversation=made.id)
    client.conversations.items.create(
        made.id, items=[{"type": "message", "role": "user", "content": "More"}]
    )
    items = list(client.conversations.items.list(made.id, order="asc"))
    assert [item.type for item in items] == [
        "message",
        "message",
        "code_interpreter_call",
        "message",
        "message",
    ]
    client.conversations.update(made.id, metadata={"topic": "b"})
    assert client.conversations.retrieve(made.id).metadata == {"topic": "b"}
    assert client.conversations.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.conversations.retrieve(made.id)


def test_explicit_containers_and_their_files(server: HarbourServer, client: OpenAI) -> None:
    """Create, use, put a file in, delete."""
    made = client.containers.create(
        name="mine", memory_limit="4g", network_policy={"type": "disabled"}
    )
    assert (made.name, made.memory_limit, made.status) == ("mine", "4g", "running")
    file = client.containers.files.create(made.id, file=b"0123456789")
    assert [one.id for one in client.containers.files.list(made.id)] == [file.id]
    assert client.containers.files.retrieve(file.id, container_id=made.id).bytes > 0
    assert client.containers.files.content.retrieve(file.id, container_id=made.id).read()
    client.containers.files.delete(file.id, container_id=made.id)
    tool: Any = {"type": "code_interpreter", "container": made.id}
    client.responses.create(model="gpt-5", input=USE, tools=[tool])
    client.containers.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model="gpt-5", input=USE, tools=[tool])
    (case,) = _cases(server)
    assert (case["explicit"], len(case["used_by"]), len(case["harm"])) == (True, 1, 1)


def test_using_an_expired_container_is_refused(server: HarbourServer, client: OpenAI) -> None:
    """400 "Container is expired.", and nobody harmed it."""
    server.admin.settings(idle_expiry=120)
    first = client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
    deadline = time.monotonic() + 20
    while client.containers.list().data[0].status != "expired":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with pytest.raises(openai.BadRequestError, match=r"Container is expired\."):
        client.responses.create(
            model="gpt-5", input=TALK, tools=[AUTO], previous_response_id=first.id
        )
    assert server.admin.truth()["totals"]["harm"] == 0


def test_looking_at_a_container_keeps_it_alive(server: HarbourServer, client: OpenAI) -> None:
    """Retrieve refreshes activity; listing does only when told to."""
    server.admin.settings(scale=1)
    made = client.containers.create(name="mine")

    def active() -> int:
        return client.containers.list().data[0].last_active_at or 0

    server.admin.settings(clock_offset=100)
    assert active() == made.last_active_at
    client.containers.retrieve(made.id)
    assert active() == pytest.approx((made.last_active_at or 0) + 100, abs=2)
    server.admin.settings(clock_offset=500, list_refreshes_activity=True)
    assert active() == pytest.approx((made.last_active_at or 0) + 500, abs=2)
    calls = server.admin.calls()
    assert calls["counts"]["GET /v1/containers/{id}"] == 1
    assert calls["by_caller"][caller_of("key")]["GET /v1/containers"] == 3


def test_delete_may_need_the_beta_header(server: HarbourServer, client: OpenAI) -> None:
    """Without the header a yes means nothing."""
    server.admin.settings(delete_needs_beta=True)
    made = client.containers.create(name="mine")
    client.containers.delete(made.id)
    assert _cases(server)[0]["gone_by"] is None
    client.containers.delete(made.id, extra_headers={"OpenAI-Beta": "containers=v1"})
    assert _cases(server)[0]["gone_by"] == "delete"


def test_three_thousand_rows_are_paged_through(server: HarbourServer, client: OpenAI) -> None:
    """The SDK's own pager walks 3,200 rows in 32 calls."""
    server.admin.settings(scale=1)
    server.admin.seed(expired=3000, live=200, used_share=0.3, tiers={"1g": 5, "64g": 1})
    rows = list(client.containers.list(limit=100, order="desc"))
    assert len({row.id for row in rows}) == 3200
    assert sum(row.status == "expired" for row in rows) == 3000
    assert server.admin.calls()["counts"] == {"GET /v1/containers": 32}
    page = client.containers.list(limit=2, order="asc", name="auto")
    assert [row.id for row in page.data] == [row.id for row in reversed(rows[-2:])]
    with pytest.raises(openai.BadRequestError):
        client.containers.list(limit=101)


def test_dates_and_request_ids_are_the_harbours(server: HarbourServer, client: OpenAI) -> None:
    """A stepped clock shows on errors too."""
    server.admin.settings(clock_offset=7200)
    raw = client.containers.with_raw_response.list()
    assert raw.headers["x-request-id"].startswith("req_")
    with pytest.raises(openai.NotFoundError) as missing:
        client.containers.retrieve("cntr_none")
    for headers in (raw.headers, missing.value.response.headers):
        shown = parsedate_to_datetime(headers["date"]).timestamp()
        assert shown == pytest.approx(time.time() + 7200, abs=5)


def test_azure_has_its_own_paths_and_errors(server: HarbourServer) -> None:
    """`/openai/v1/` with an api-key header; error bodies lack `type`."""
    with OpenAI(
        base_url=server.azure_base_url,
        api_key="unused",
        default_headers={"api-key": "azure"},
        max_retries=0,
    ) as azure:
        made = azure.containers.create(name="mine")
        assert azure.containers.list().data[0].id == made.id
        with pytest.raises(openai.NotFoundError) as missing:
            azure.containers.delete("cntr_none")
    assert set(missing.value.body or ()) == {"code", "message"}  # type: ignore[call-overload] # a dict
    assert caller_of("azure") in server.admin.calls()["by_caller"]


STATUSES = {
    FaultKind.RATE_LIMITED: (429, "rate_limit_exceeded"),
    FaultKind.RATE_LIMITED_RETRY_AFTER: (429, "rate_limit_exceeded"),
    FaultKind.SPEND_LIMIT: (429, "insufficient_quota"),
    FaultKind.SLOW_DOWN: (429, "slow_down"),
    FaultKind.OVERLOADED: (503, "server_is_overloaded"),
    FaultKind.MISSING_SCOPE: (401, None),
    FaultKind.BAD_KEY: (401, "invalid_api_key"),
    FaultKind.SERVER_ERROR: (500, None),
    FaultKind.DELETE_NOT_FOUND: (404, None),
    FaultKind.LOST_ANSWER: (504, None),
}


@pytest.mark.parametrize(("kind", "expected"), STATUSES.items())
def test_faults_with_a_status(
    server: HarbourServer, client: OpenAI, kind: FaultKind, expected: tuple[int, str | None]
) -> None:
    """Each fault has its status and code, strikes as often as told, then all is well."""
    made = client.containers.create(name="mine")
    server.admin.fault(kind, "DELETE /v1/containers/*", count=1, seconds=7)
    with pytest.raises(openai.APIStatusError) as failed:
        client.containers.delete(made.id)
    assert (failed.value.status_code, failed.value.code) == expected
    retry_after = failed.value.response.headers.get("retry-after")
    assert retry_after == ("7" if kind == FaultKind.RATE_LIMITED_RETRY_AFTER else None)
    assert [fault["hits"] for fault in server.admin.faults()] == [1]
    assert (_cases(server)[0]["gone_by"] is None) == (kind != FaultKind.LOST_ANSWER)
    client.containers.list()


BODIES: dict[FaultKind, Callable[[str], bool]] = {
    FaultKind.HTML: lambda text: text.startswith("<!DOCTYPE html>"),
    FaultKind.TRUNCATED_JSON: lambda text: text.startswith("{") and not text.endswith("}"),
    FaultKind.NO_DATA: lambda text: '"data"' not in text,
    FaultKind.EMPTY_LIST: lambda text: '"data": []' in text,
    FaultKind.UNKNOWN_STATUS: lambda text: '"hibernating"' in text,
    FaultKind.NULL_ACTIVITY: lambda text: '"last_active_at": null' in text,
}


@pytest.mark.parametrize("kind", BODIES)
def test_faults_inside_a_good_status(
    server: HarbourServer, client: OpenAI, kind: FaultKind
) -> None:
    """A 200 whose body is not what it should be."""
    client.containers.create(name="mine")
    server.admin.fault(kind, "GET /v1/containers")
    raw = client.containers.with_raw_response.list()
    assert raw.status_code == 200
    assert BODIES[kind](raw.text)
    server.admin.clear_faults()
    assert len(client.containers.list().data) == 1


@pytest.mark.parametrize("kind", [FaultKind.ENDLESS_PAGES, FaultKind.REPEATED_CURSOR])
def test_listings_that_never_end(server: HarbourServer, client: OpenAI, kind: FaultKind) -> None:
    """The SDK's own pager goes round and round."""
    server.admin.seed(live=150)
    server.admin.fault(kind, "GET /v1/containers")
    rows = client.containers.list(limit=100)
    seen = [row.id for row, _ in zip(rows, range(130), strict=False)]
    assert (len(seen), len(set(seen))) == (130, 100)


def test_a_refused_delete_deletes_nothing(server: HarbourServer, client: OpenAI) -> None:
    """`deleted: false` shows in the raw body alone."""
    made = client.containers.create(name="mine")
    server.admin.fault(FaultKind.DELETE_REFUSED, "DELETE *")
    answer = client.containers.with_raw_response.delete(made.id)
    assert '"deleted":false' in answer.text
    assert _cases(server)[0]["gone_by"] is None


def test_a_deleted_container_can_stay_listed(server: HarbourServer, client: OpenAI) -> None:
    """With the fault the row stays for ever."""
    made = client.containers.create(name="mine")
    server.admin.fault(FaultKind.DELETED_STILL_LISTED, "DELETE *")
    client.containers.delete(made.id)
    assert [row.id for row in client.containers.list()] == [made.id]
    assert _cases(server)[0]["gone_by"] == "delete"


def test_a_hang_outlasts_the_client(server: HarbourServer) -> None:
    """The client times out; other calls go on, and the harbour still stops."""
    server.admin.fault(FaultKind.HANG, "GET /v1/containers", count=1, seconds=60)
    with OpenAI(base_url=server.base_url, api_key="key", max_retries=0, timeout=0.2) as impatient:
        with pytest.raises(openai.APITimeoutError):
            impatient.containers.list()
        impatient.containers.list()


def test_a_probability_spares_some(server: HarbourServer, client: OpenAI) -> None:
    """Half of forty, more or less."""
    server.admin.fault(FaultKind.SERVER_ERROR, "* *", probability=0.5)
    for _ in range(40):
        with contextlib.suppress(openai.InternalServerError):
            client.containers.list()
    assert 8 < server.admin.faults()[0]["hits"] < 32


def test_wrong_orders_to_the_harbour_are_refused(server: HarbourServer) -> None:
    """Unknown faults and knobs are errors."""
    for order in (lambda: server.admin.fault("gremlins"), lambda: server.admin.settings(speed=2)):
        with pytest.raises(ValueError, match=r"gremlins|speed"):
            order()


async def test_the_async_client_sees_the_same(server: HarbourServer) -> None:
    """Ten at once: ten containers; the list shows them newest first."""
    async with AsyncOpenAI(base_url=server.base_url, api_key="key", max_retries=0) as client:
        responses = await asyncio.gather(
            *(client.responses.create(model="gpt-5", input=TALK, tools=[AUTO]) for _ in range(10))
        )
        rows = [row async for row in client.containers.list(limit=3)]
    assert len({response.id for response in responses}) == len(rows) == 10
    births = [row.created_at for row in rows]
    assert births == sorted(births, reverse=True)


async def test_a_workload_logs_all_that_it_does(server: HarbourServer) -> None:
    """Every logged call starts before it ends, in a gapless log; the silent one logs nothing."""
    events: list[CloudEvent] = []

    async def send(batch: Sequence[CloudEvent]) -> None:
        events.extend(batch)

    applications = (Application("loud", Writer(send, heartbeat=0.2)), Application("mute", None))
    workload = Workload(
        server.base_url,
        applications,
        seed=1,
        scale=2000,
        requests_per_minute=6000,
        habits=Habits(tool_use_rate=0.4),
    )
    await workload.run(asyncio.Event(), talks=40)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["data"]["final"]
    started = _calls(events, "started")
    assert started == _calls(events, "finished")
    assert 0 < len(started) < workload.counters["requests"]
    cases = _cases(server)
    made = {case["made_by"] for case in cases if case["metadata"].get("application") == "loud"}
    finished = [event for event in events if event["type"] == "demurrage.response.finished"]
    assert made <= {event["data"].get("response_id") for event in finished}
    named = {name for event in finished for name in event["data"].get("containers", ())}
    truly = {case["id"] for case in cases for by in case["named_by"] if by in made}
    assert truly <= named
    totals = server.admin.truth()["totals"]
    assert (totals["harm"], totals["orphans"] > 0, totals["used"] > 0) == (0, True, True)


def _calls(events: Sequence[CloudEvent], what: str) -> set[str]:
    kind = f"demurrage.response.{what}"
    return {event["data"]["call_id"] for event in events if event["type"] == kind}


async def test_a_workload_stops_when_told(server: HarbourServer) -> None:
    """A stop cuts off what is under way, logs it as lost, and says goodbye."""
    events: list[CloudEvent] = []

    async def send(batch: Sequence[CloudEvent]) -> None:
        events.extend(batch)
        if len(_calls(events, "started")) > 5:
            busy.set()

    server.admin.settings(scale=1)
    stop, busy = asyncio.Event(), asyncio.Event()
    workload = Workload(
        server.base_url,
        [Application("loud", Writer(send))],
        requests_per_minute=6000,
        habits=Habits(explicit_share=0),
    )
    running = asyncio.create_task(workload.run(stop))
    await asyncio.wait_for(busy.wait(), 10)
    stop.set()
    await asyncio.wait_for(running, 5)
    lost = [event["data"] for event in events if event["data"].get("status") == "lost"]
    assert len(lost) == workload.counters["requests"] - workload.counters["completed"]
    assert (events[-1]["data"]["final"], events[-1]["data"]["in_flight"]) == (True, [])
