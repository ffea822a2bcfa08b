"""The canary beside others: what it did not make by name stays, and the daemon knows its hand."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from openai import AsyncOpenAI
from tests.integration.canary.conftest import KEY, PACE, Lab, wait_until

from demurrage.app.canary.bench import Bench
from demurrage.app.canary.catalogue import EXPERIMENTS, QUESTIONS
from demurrage.app.canary.run import Canary
from demurrage.model.condition import ConditionKind
from demurrage.model.error import LogUnreadableError
from demurrage.model.event import Batch, Entry, Finished, Heartbeat, Started
from demurrage.model.finding import Answer
from demurrage.model.listing import Failure
from demurrage.provider.budget import CallBudget
from demurrage.provider.calls import Reply
from demurrage.provider.connection import Connection
from demurrage.provider.experiments import Experimenter
from demurrage.provider.guard import ForbiddenCallError, experiment_gate

_TOOL: Any = {"type": "code_interpreter", "container": {"type": "auto"}}


async def others_at_work(lab: Lab, stop: asyncio.Event) -> None:
    """Another application: leaks, uses, and makes containers by name, never logging any of it."""
    async with AsyncOpenAI(base_url=lab.server.base_url, api_key="other", max_retries=0) as client:
        while not stop.is_set():
            await client.containers.create(name="demurrage-canary")
            for use in ("", "[[use_tool]]"):
                await client.responses.create(
                    model="gpt-5", input=f"Hello. {use} [[seconds=2]]", tools=[_TOOL]
                )


async def test_nothing_of_others_is_touched(lab: Lab) -> None:
    """With others at work, even under its own names, it deletes what its own POST returned."""
    stop = asyncio.Event()
    working = asyncio.create_task(others_at_work(lab, stop))
    lab.pace = replace(PACE, patience=0.3)
    found = await lab.ask("leak-code-interpreter", "delete-removes", "in-flight-fails")
    stop.set()
    await working
    # Others' births look like the leak's, so that one is no yes.
    assert found["leak-code-interpreter"].answer is not Answer.NO
    own = {
        each.event.fact.container_id
        for each in entries(lab)
        if hasattr(each.event.fact, "container_id")
    }
    deleted = {case["id"] for case in lab.cases() if case["deleted_at"] is not None}
    assert deleted <= own
    assert len(own) == 2
    assert len([case for case in lab.cases() if case["explicit"]]) > 2
    assert all(case["gone_at"] is None for case in lab.cases() if case["id"] not in own)


async def test_births_of_others_make_no_yes(lab: Lab) -> None:
    """Where the leak is mended and somebody else makes containers all the time, none is claimed."""
    lab.turn(lazy_code_interpreter=True)
    stop = asyncio.Event()

    async def others() -> None:
        async with AsyncOpenAI(base_url=lab.server.base_url, api_key="other") as client:
            while not stop.is_set():
                await client.containers.create(name="busy")
                await asyncio.sleep(0.02)

    working = asyncio.create_task(others())
    lab.pace = replace(PACE, control=5.0)
    found = (await lab.ask("leak-code-interpreter"))["leak-code-interpreter"]
    stop.set()
    await working
    assert found.answer is Answer.UNCLEAR


@pytest.mark.parametrize(
    ("method", "path", "passes"),
    [
        ("DELETE", "/v1/containers/cntr_own", True),
        ("DELETE", "/v1/containers/cntr_other", False),
        ("DELETE", "/v1/containers/", False),
        ("DELETE", "/v1/containers/cntr_own/files/f", False),
        ("DELETE", "/elsewhere/containers/cntr_own", False),
        ("GET", "/v1/containers/cntr_own", False),
        ("GET", "/v1/containers", True),
        ("GET", "/v1/responses/resp_1", False),
        ("POST", "/v1/responses", True),
        ("POST", "/v1/containers/cntr_own/files", False),
    ],
)
async def test_the_gate(method: str, path: str, passes: bool) -> None:  # noqa: FBT001
    """At the wire, only listing, making, and deleting what was made pass."""

    class Request:
        class url:  # noqa: N801 - as the HTTP library names it
            raw_path = f"{path}?limit=1".encode()

    Request.method = method  # type: ignore[attr-defined]
    check = experiment_gate("http://127.0.0.1/v1", {"cntr_own"})
    if passes:
        await check(Request)
    else:
        with pytest.raises(ForbiddenCallError):
            await check(Request)


def entries(lab: Lab) -> list[Entry]:
    """What the canary has logged."""
    batch: Batch = lab.log.read(0, 10_000)
    assert all(isinstance(each, Entry) for each in batch.records)
    return [each for each in batch.records if isinstance(each, Entry)]


def assert_whole(lab: Lab) -> None:
    """One gapless source that said goodbye with nothing in flight; each call logged before."""
    events = [each.event for each in entries(lab)]
    assert len({each.source for each in events}) == 1
    assert [each.sequence for each in events] == list(range(1, len(events) + 1))
    last = events[-1].fact
    assert isinstance(last, Heartbeat)
    assert (last.final, last.in_flight, last.dropped) == (True, frozenset(), 0)
    assert last.clock_offset is not None
    started = [each.fact.call_id for each in events if isinstance(each.fact, Started)]
    finished = [each.fact.call_id for each in events if isinstance(each.fact, Finished)]
    assert sorted(started) == sorted(finished)


async def test_every_call_is_logged(lab: Lab) -> None:
    """The log holds a start and an end for each request, by one writer without gaps."""
    lab.pace = replace(PACE, quiet=0.1)
    await lab.ask(*(name for name in QUESTIONS if name != "listing-refreshes"))
    assert_whole(lab)
    calls = [each for each in entries(lab) if isinstance(each.event.fact, Started)]
    assert len(calls) == lab.called()["POST /v1/responses"] == 14
    text = str(lab.log.recent(1000)).lower()
    assert "hello" not in text
    assert "compute" not in text


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (400, "refused"),
        (429, "refused"),
        (408, "lost"),
        (409, "lost"),
        (499, "lost"),
        (500, "lost"),
    ],
)
async def test_what_may_have_begun_is_no_refusal(status: int, ending: str) -> None:
    """Somebody in between gives up with a 4xx too, and what runs behind him runs on."""
    told: list[Any] = []

    class Api:
        async def respond(self, *_: object) -> Reply[Any]:
            return Reply(
                None,
                Failure(ConditionKind.SERVER_ERROR, "", status),
                sent=True,
                answered=True,
                sent_at=0.0,
            )

    class Book:
        async def note(self, kind: str, **data: Any) -> None:
            told.append(data)

    await Bench(cast("Any", Api()), cast("Any", Book()), "m", PACE).respond(_TOOL)
    assert told[-1]["status"] == ending


async def test_a_run_that_is_broken_off(lab: Lab) -> None:
    """Cancelled in the middle of a call, it says so in the log and deletes its own container."""
    lab.turn(default_seconds=[600.0, 600.0])
    lab.pace = replace(PACE, head_start=30.0)
    run = asyncio.create_task(lab.ask("in-flight-fails"))
    await wait_until(lambda: any(isinstance(each.event.fact, Started) for each in entries(lab)))
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run
    assert_whole(lab)
    (ended,) = [each.event.fact for each in entries(lab) if isinstance(each.event.fact, Finished)]
    assert ended.status == "lost"
    assert [case["gone_by"] for case in lab.cases()] == ["delete"]


async def test_what_cannot_be_logged_is_not_sent(lab: Lab) -> None:
    """Without the log, no request leaves and no container is made."""
    api = Experimenter(Connection("openai", lab.server.base_url, KEY), CallBudget(100_000))

    class Broken:
        def append(self, raws: object, *, appended_at: float) -> object:
            raise LogUnreadableError("the log is away")

    with pytest.raises(LogUnreadableError):
        await Canary("default", api, Broken(), "gpt-5-mini", pace=PACE).run(
            EXPERIMENTS, lambda _: None
        )
    await api.close()
    assert set(lab.called()) == {"GET /v1/containers"}
