"""The real SDK against the harbour over real HTTP: it must not be able to tell."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from email.utils import parsedate_to_datetime
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from demurrage.simulator.admin import HarbourAdmin
from demurrage.simulator.calls import caller_of
from demurrage.simulator.serve import HarbourServer

from .conftest import AUTO, SHELL, TALK, USE, cases


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
    (case,) = cases(server)
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
    assert len(cases(server)) == 2


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
                assert len(cases(server)) == 1


def test_a_background_response_runs_on_its_own(server: HarbourServer, client: OpenAI) -> None:
    """It is queued, then in progress, then completed, and made one container."""
    server.admin.settings(scale=20, queue_delay=[2, 2])
    response = client.responses.create(model="gpt-5", input=TALK, tools=[AUTO], background=True)
    seen = [response.status]
    while seen[-1] != "completed":
        seen.append(client.responses.retrieve(response.id).status)
    assert list(dict.fromkeys(seen)) == ["queued", "in_progress", "completed"]
    assert len(cases(server)) == 1


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
    (case,) = cases(server)
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
    assert cases(server)[0]["gone_by"] is None
    client.containers.delete(made.id, extra_headers={"OpenAI-Beta": "containers=v1"})
    assert cases(server)[0]["gone_by"] == "delete"


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


@pytest.mark.process
def test_the_harbour_runs_as_a_process() -> None:
    """`python -m demurrage.simulator.serve` serves at the given scale and ends on a signal."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "demurrage.simulator.serve", f"--port={port}", "--scale=60"]
    process = subprocess.Popen(command)
    try:
        admin = HarbourAdmin(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(ConnectionError):
                assert admin.truth()["totals"]["scale"] == 60
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        process.terminate()
    assert process.wait(10) in (0, -signal.SIGTERM)
