"""What the log holds of each way to ask for a response, with the real SDK before a harbour."""

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

import demurrage_recorder as recorder
from demurrage.simulator.faults import FaultKind
from demurrage.simulator.serve import HarbourServer

from .conftest import AUTO, KEY, SHELL, TALK, USE, Log, told

POLLS = 600


def cases(server: HarbourServer) -> list[dict[str, Any]]:
    """The truth about every container, oldest first."""
    return list(server.admin.truth()["containers"])


def test_a_blocking_response(server: HarbourServer, client: OpenAI, log: Log) -> None:
    """A start with its slot before, an end with its id, times and container after."""
    response = client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
    assert log.kinds() == ["started", "finished completed"]
    (start,), (end,) = told(log, "response.started"), told(log, "response.finished")
    assert start["slots"] == [{"tool": "code_interpreter", "tier": "1g", "container": "auto"}]
    assert start["call_id"] == end["call_id"]
    assert (end["response_id"], end["created_at"]) == (response.id, response.created_at)
    assert end["completed_at"] == response.completed_at
    assert end["containers"] == [cases(server)[0]["id"]]
    assert end["request_id"].startswith("req_")


def test_the_start_is_written_before_the_request_leaves(client: OpenAI, log: Log) -> None:
    """When the server has the request, the folder has its start."""
    seen: list[list[str]] = []
    inner = client._client._transport.inner  # type: ignore[attr-defined] # the watching one's
    send = inner.handle_request

    def spy(request: Any) -> Any:
        seen.append(log.kinds())
        return send(request)

    inner.handle_request = spy
    client.responses.create(model="gpt-5", input=TALK, tools=[AUTO])
    assert seen == [["started"]]


@pytest.mark.parametrize(("tool", "name"), [(AUTO, "code_interpreter"), (SHELL, "shell")])
def test_a_streamed_response(
    server: HarbourServer, client: OpenAI, log: Log, tool: Any, name: str
) -> None:
    """Its id, its first output and its end are told as they pass, containers with them."""
    with client.responses.stream(model="gpt-5", input=USE, tools=[tool]) as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    assert log.kinds() == ["started", "created", "output", "finished completed"]
    (made,) = cases(server)
    (start,), (output,) = told(log, "response.started"), told(log, "response.output")
    (end,) = told(log, "response.finished")
    assert start["slots"][0]["tool"] == name
    assert output["containers"] == end["containers"] == [made["id"]]
    assert {output["response_id"], end["response_id"]} == {final.id}


def test_a_background_response_that_is_polled(client: OpenAI, log: Log) -> None:
    """It stays in flight until a poll shows its end; queued counts from when it was asked."""
    begun = time.time()
    response = client.responses.create(model="gpt-5", input=USE, tools=[AUTO], background=True)
    assert "finished completed" not in log.kinds()
    for _ in range(POLLS):
        if response.status == "completed":
            break
        time.sleep(0.02)
        response = client.responses.retrieve(response.id)
    client.responses.retrieve(response.id)
    kinds = log.kinds()
    assert (kinds[0], kinds[-1]) == ("started", "finished completed")
    assert set(kinds[1:-1]) == {"created"}
    assert told(log, "response.started")[0]["background"]
    first = told(log, "response.created")[0]
    assert first["status"] in {"queued", "in_progress"}
    assert first["created_at"] >= begun - 2
    assert len(told(log, "response.finished")[0]["containers"]) == 1


def test_a_background_response_that_is_cancelled(client: OpenAI, log: Log) -> None:
    """A stream that the application leaves is lost, until the cancellation tells its end."""
    stream = client.responses.create(
        model="gpt-5", input=USE, tools=[AUTO], background=True, stream=True,
        metadata={"harbour_seconds": "3000"},
    )  # fmt: skip
    first: Any = next(iter(stream))
    stream.close()
    assert log.kinds()[-1] == "finished lost"
    client.responses.cancel(first.response.id)
    assert log.kinds()[-1] == "finished cancelled"
    lost, cancelled = told(log, "response.finished")
    assert lost["call_id"] == cancelled["call_id"]


def test_another_process_s_response(client: OpenAI, server: HarbourServer, log: Log) -> None:
    """A look at a response that others made hands its id to the daemon, once."""
    with OpenAI(base_url=server.base_url, api_key=KEY) as other:
        response = other.responses.create(model="gpt-5", input=TALK, tools=[AUTO])
    client.responses.retrieve(response.id)
    client.responses.retrieve(response.id)
    assert log.events() == [("response.known", {"target": "default", "response_id": response.id})]


def test_what_the_request_carries(client: OpenAI, log: Log) -> None:
    """Replayed containers, the response before, the conversation and the tool's own id."""
    first = client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
    used: Any = [item.model_dump(mode="json") for item in first.output]
    container = used[0]["container_id"]
    replayed: Any = [*used, {"role": "user", "content": TALK}]
    client.responses.create(model="gpt-5", input=replayed, tools=[AUTO])
    client.responses.create(model="gpt-5", input=TALK, previous_response_id=first.id)
    conversation = client.conversations.create().id
    client.responses.create(model="gpt-5", input=TALK, conversation=conversation)
    fixed: Any = {"type": "code_interpreter", "container": container}
    client.responses.create(model="gpt-5", input=TALK, tools=[fixed])
    starts = told(log, "response.started")
    assert starts[1]["containers"] == [container]
    assert starts[2]["previous_response_id"] == first.id
    assert starts[3]["conversation"] == conversation
    assert starts[4]["slots"] == [
        {"tool": "code_interpreter", "tier": None, "container": container}
    ] or starts[4]["slots"] == [{"tool": "code_interpreter", "container": container}]


def test_every_attempt_is_a_call(server: HarbourServer, log: Log) -> None:
    """The SDK's own retries are requests like any other, each with its end."""
    server.admin.fault(FaultKind.SERVER_ERROR, "POST /v1/responses", count=1)
    with OpenAI(base_url=server.base_url, api_key=KEY, max_retries=2) as client:
        recorder.instrument(client, url=log.url)
        client.responses.create(model="gpt-5", input=TALK, tools=[AUTO])
    assert log.kinds() == ["started", "finished lost", "started", "finished completed"]
    assert len({data["call_id"] for _, data in log.events()}) == 2
    assert told(log, "response.finished")[0]["http_status"] == 500


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (FaultKind.RATE_LIMITED, "refused"),
        (FaultKind.BAD_KEY, "refused"),
        (FaultKind.OVERLOADED, "lost"),
        (FaultKind.HTML, "lost"),
        (FaultKind.LOST_ANSWER, "lost"),
        (FaultKind.TRUNCATED_JSON, "lost"),
    ],
)
def test_answers_that_bring_nothing(
    server: HarbourServer, client: OpenAI, log: Log, kind: FaultKind, end: str
) -> None:
    """Refused only where nothing can have run; whatever else goes wrong is lost."""
    server.admin.fault(kind, "POST /v1/responses")
    # The harbour's streams always end as they should.
    ways = [False] if kind in {FaultKind.LOST_ANSWER, FaultKind.TRUNCATED_JSON} else [False, True]
    for number, streamed in enumerate(ways, 1):
        with pytest.raises(Exception):  # noqa: B017, PT011 - the SDK has its word for each
            _asked(client, streamed=streamed)
        assert log.kinds() == ["started", f"finished {end}"] * number


def _asked(client: OpenAI, *, streamed: bool) -> str:
    if streamed:
        with client.responses.stream(model="gpt-5", input=TALK, tools=[AUTO]) as stream:
            return stream.get_final_response().id
    return client.responses.create(model="gpt-5", input=TALK, tools=[AUTO]).output[0].id or ""


def test_a_timeout(server: HarbourServer, client: OpenAI, log: Log) -> None:
    """An answer that does not come is lost, and the SDK's error is its own."""
    server.admin.fault(FaultKind.HANG, "POST /v1/responses", count=1, seconds=60)
    with pytest.raises(openai.APITimeoutError):
        client.responses.create(model="gpt-5", input=TALK, tools=[AUTO], timeout=0.2)
    assert log.kinds() == ["started", "finished lost"]


def test_nobody_there(log: Log) -> None:
    """A connection that is refused is lost, and the SDK's error is its own."""
    with OpenAI(base_url="http://127.0.0.1:9/v1", api_key=KEY, max_retries=0) as client:
        recorder.instrument(client, url=log.url)
        with pytest.raises(openai.APIConnectionError):
            client.responses.create(model="gpt-5", input=TALK, tools=[AUTO])
    assert log.kinds() == ["started", "finished lost"]


def test_a_container_of_its_own(client: OpenAI, log: Log) -> None:
    """What the application creates itself is told; what it reads or deletes is not."""
    made = client.containers.create(name="mine")
    client.containers.delete(made.id)
    assert log.events() == [
        ("container.requested", {"target": "default"}),
        ("container.created", {"target": "default", "container_id": made.id}),
    ]


def test_a_container_of_its_own_whose_id_never_came(log: Log) -> None:
    """That there may be one was told before the request left."""
    with OpenAI(base_url="http://127.0.0.1:9/v1", api_key=KEY, max_retries=0) as client:
        recorder.instrument(client, url=log.url)
        with pytest.raises(openai.APIConnectionError):
            client.containers.create(name="mine")
    assert log.events() == [("container.requested", {"target": "default"})]


async def test_the_asynchronous_client(make_async: Callable[[], AsyncOpenAI], log: Log) -> None:
    """Blocking, streamed and background, as with the other."""
    async with make_async() as client:
        await client.responses.create(model="gpt-5", input=USE, tools=[AUTO])
        async with client.responses.stream(model="gpt-5", input=USE, tools=[AUTO]) as stream:
            async for _ in stream:
                pass
        made = await client.responses.create(
            model="gpt-5", input=USE, tools=[AUTO], background=True
        )
        for _ in range(POLLS):
            if made.status == "completed":
                break
            await asyncio.sleep(0.02)
            made = await client.responses.retrieve(made.id)
    ends = told(log, "response.finished")
    assert [end["status"] for end in ends] == ["completed"] * 3
    assert all(len(end["containers"]) == 1 for end in ends)


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_cancelled_task(
    make_async: Callable[[], AsyncOpenAI], log: Log, streamed: Any
) -> None:
    """A task that is cancelled while it waits, or while it reads, leaves a lost call."""
    arrived = asyncio.Event()

    async def ask(client: AsyncOpenAI) -> None:
        slow = {"harbour_seconds": "30000"}
        if not streamed:
            arrived.set()
            await client.responses.create(model="gpt-5", input=TALK, tools=[AUTO], metadata=slow)
            return
        stream = await client.responses.create(
            model="gpt-5", input=TALK, tools=[AUTO], metadata=slow, stream=True
        )
        async for _ in stream:
            arrived.set()

    async with make_async() as client:
        task = asyncio.create_task(ask(client))
        await arrived.wait()
        for _ in range(POLLS):
            if "started" in log.kinds():
                break
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert log.kinds()[-1] == "finished lost"


def test_a_stream_that_nobody_reads_on(client: OpenAI, log: Log) -> None:
    """Closed, or forgotten, before its last event: lost."""
    for forget in (False, True):
        stream = client.responses.create(model="gpt-5", input=USE, tools=[AUTO], stream=True)
        next(iter(stream))
        if not forget:
            stream.close()
        del stream
        gc.collect()
    assert [end["status"] for end in told(log, "response.finished")] == ["lost"] * 2


def test_no_prose_and_no_key(client: OpenAI, log: Log) -> None:
    """Neither the prompt, nor the output, nor the key is anywhere in what is written."""
    client.responses.create(model="gpt-5", input=USE, tools=[AUTO], instructions="Be secretive.")
    with client.responses.stream(model="gpt-5", input=USE, tools=[AUTO]) as stream:
        said = stream.get_final_response().output_text
    text = log.text()
    for prose in ("secret", said, KEY, "Bearer", "print", "import"):
        assert prose not in text


def test_names_and_labels(server: HarbourServer, log: Log) -> None:
    """Target and labels are as told; a second instrument changes nothing."""
    with OpenAI(base_url=server.base_url, api_key=KEY) as client:
        for target in ("eu", "us"):
            recorder.instrument(client, url=log.url, target=target, labels={"app": "chat"})
        client.responses.create(model="gpt-5", input=TALK)
    (start,) = told(log, "response.started")
    assert (start["target"], start["labels"]) == ("eu", {"app": "chat"})
