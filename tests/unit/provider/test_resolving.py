"""Reading responses that are known by their id alone."""

import asyncio
import json
import logging
import time
from typing import Any

import pytest
from tests.unit.provider.conftest import Make
from tests.unit.provider.fake import BASE, error, reply

from demurrage.model.condition import ConditionKind
from demurrage.model.event import Ending, Slot, Tool
from demurrage.model.resolution import ResolveOutcome
from demurrage.provider.clock import HeaderClock

SECRET = "what a person wrote"
CI = {"type": "code_interpreter", "container": {"type": "auto"}}
CALL = {"type": "code_interpreter_call", "container_id": "cntr_made", "code": SECRET}


def response(**fields: Any) -> dict[str, Any]:
    """A response as the API shows it."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": float(BASE - 60),
        "completed_at": float(BASE - 30),
        "status": "completed",
        "background": True,
        "model": "gpt-5",
        "conversation": {"id": "conv_1"},
        "previous_response_id": "resp_0",
        "prompt": None,
        "tools": [CI],
        "output": [CALL],
        "instructions": SECRET,
        **fields,
    }


def items(*data: Any, more: Any = False, **fields: Any) -> Any:
    """A page of input items."""
    return reply(200, {"object": "list", "data": list(data), "has_more": more, **fields})


def message(number: int) -> dict[str, Any]:
    """An input item without a container."""
    return {"id": f"msg_{number}", "type": "message", "content": SECRET}


async def test_a_response_and_its_input_are_read(make: Make) -> None:
    """Its times, links, slots and all ids, of every page of its input."""
    api, fake = make(
        reply(200, response()),
        items(message(1), {**CALL, "id": "ci_1", "container_id": "cntr_old"}, more=True),
        items({"id": "sh_1", "environment": {"container_id": "cntr_older"}}),
    )
    got = await api.resolve("resp_1", items=True)
    assert got.outcome is ResolveOutcome.ENDED
    reading = got.reading
    assert reading is not None
    assert reading.ending is Ending.COMPLETED
    assert (reading.created_at, reading.completed_at) == (BASE - 60, BASE - 30)
    assert (reading.previous_response_id, reading.conversation) == ("resp_0", "conv_1")
    assert (reading.model, reading.background) == ("gpt-5", True)
    assert reading.slots == (Slot(Tool.CODE_INTERPRETER),)
    assert reading.named == {"cntr_made"}
    assert reading.carried == frozenset({"cntr_old", "cntr_older"})
    assert reading.asked_at <= reading.answered_at
    paths = [(each.url.path, dict(each.url.params).get("after")) for each in fake.requests]
    assert paths == [
        ("/v1/responses/resp_1", None),
        ("/v1/responses/resp_1/input_items", None),
        ("/v1/responses/resp_1/input_items", "ci_1"),
    ]
    assert {kind for kind, _ in fake.outcomes} == {"resolve"}


async def test_without_its_input_one_call_is_enough(make: Make) -> None:
    """To follow one that runs, its input need not be read again."""
    api, fake = make(reply(200, response(status="in_progress", completed_at=None, output=[])))
    got = await api.resolve("resp_1", items=False)
    assert got.outcome is ResolveOutcome.RUNNING
    assert got.reading is not None
    assert got.reading.ending is None
    assert got.reading.carried is None
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    ("fields", "slots"),
    [
        ({"tools": []}, ()),
        ({"tools": [{"type": "function"}, {"type": "mcp"}]}, ()),
        (
            {"tools": [{**CI, "container": {"type": "auto", "memory_limit": "4g"}}]},
            (Slot(Tool.CODE_INTERPRETER, "4g"),),
        ),
        (
            {"tools": [{**CI, "container": "cntr_given"}]},
            (Slot(Tool.CODE_INTERPRETER, None, "cntr_given"),),
        ),
        ({"tools": [{"type": "shell", "environment": {"type": "local"}}]}, ()),
        (
            {"tools": [{"type": "shell", "environment": {"type": "container_auto"}}]},
            (Slot(Tool.SHELL),),
        ),
        (
            {"tools": [{"type": "shell", "environment": {"container_id": "cntr_found"}}]},
            (Slot(Tool.SHELL),),
        ),
        ({"tools": [{"type": "of tomorrow"}]}, (Slot(Tool.UNKNOWN),)),
        ({"tools": ["odd"]}, (Slot(Tool.UNKNOWN),)),
        ({"tools": None}, (Slot(Tool.UNKNOWN),)),
        ({"prompt": {"id": "pmpt_1"}}, (Slot(Tool.UNKNOWN), Slot(Tool.CODE_INTERPRETER))),
        (
            {"tools": [{"type": "tool_search"}], "previous_response_id": "resp_0"},
            (Slot(Tool.UNKNOWN),),
        ),
        (
            {"tools": [{"type": "tool_search"}], "conversation": {"id": "conv_1"}},
            (Slot(Tool.UNKNOWN),),
        ),
        (
            {
                "tools": [{"type": "tool_search"}],
                "previous_response_id": None,
                "conversation": None,
            },
            (),
        ),
    ],
)
async def test_slots_are_as_wide_as_what_the_echo_leaves_open(
    make: Make, fields: dict[str, Any], slots: tuple[Slot, ...]
) -> None:
    """A prompt, an unknown tool, a loaded one, a shell that shows a container: all may make one."""
    api, _ = make(reply(200, response(**fields)))
    got = await api.resolve("resp_1", items=False)
    assert got.reading is not None
    assert got.reading.slots == slots


@pytest.mark.parametrize(
    ("item", "slots", "opaque"),
    [
        ({"type": "message", "role": "user"}, (), False),
        ({"role": "user", "content": SECRET}, (), False),
        ({"type": "item_reference", "id": "ci_1"}, (), True),
        ({"type": "compaction", "id": "cmp_1"}, (), True),
        ({"id": "ci_1"}, (), True),
        ({"type": "mcp_list_tools", "tools": [{"name": "f"}]}, (), False),
        (
            {"type": "additional_tools", "tools": [CI]},
            (Slot(Tool.UNKNOWN), Slot(Tool.CODE_INTERPRETER)),
            False,
        ),
        ({"type": "tool_search_output", "tools": []}, (Slot(Tool.UNKNOWN),), False),
        ({"type": [], "tools": [{"type": {}}]}, (Slot(Tool.UNKNOWN),), True),
        (
            {"type": "of tomorrow", "tools": [CI] * 200},
            (Slot(Tool.UNKNOWN), Slot(Tool.CODE_INTERPRETER)),
            False,
        ),
    ],
)
async def test_what_its_input_brings_along_is_read(
    make: Make, item: dict[str, Any], slots: tuple[Slot, ...], *, opaque: bool
) -> None:
    """Tools that no echo shows, and items that stand for others; on any page."""
    api, _ = make(reply(200, response(tools=[])), items(message(1), more=True), items(item))
    got = await api.resolve("resp_1", items=True)
    assert got.reading is not None
    assert (got.reading.slots, got.reading.opaque) == (slots, opaque)


async def test_a_tool_that_is_replayed_is_no_other_tool(make: Make) -> None:
    """However often it is in the input: each slot more would account for a stranger's container."""
    loaded = {"type": "additional_tools", "tools": [CI]}
    api, _ = make(
        reply(200, response(tools=[CI])), items(loaded, message(1), more=True), items(loaded)
    )
    got = await api.resolve("resp_1", items=True)
    assert got.reading is not None
    assert got.reading.slots == (Slot(Tool.UNKNOWN), Slot(Tool.CODE_INTERPRETER))


@pytest.mark.parametrize("agents", [None, {"enabled": False}])
async def test_who_is_named_as_nobody_runs_not(make: Make, agents: Any) -> None:
    """A field that is there and empty says nothing."""
    silent = {"type": "message", "agent": None}
    api, _ = make(reply(200, response(multi_agent=agents, output=[silent])))
    got = await api.resolve("resp_1", items=False)
    assert got.reading is not None
    assert not got.reading.spreads


@pytest.mark.parametrize(
    "fields",
    [
        {"multi_agent": {"enabled": True}},
        {"output": [{"type": "multi_agent_call", "id": "mac_1"}]},
        {"output": [{"type": "message", "agent": {"agent_name": "root"}}]},
    ],
)
async def test_agents_that_run_in_it_make_what_they_like(
    make: Make, fields: dict[str, Any]
) -> None:
    """Each has a context of its own."""
    api, _ = make(reply(200, response(**fields)))
    got = await api.resolve("resp_1", items=False)
    assert got.reading is not None
    assert got.reading.spreads
    assert got.reading.slots[0] == Slot(Tool.UNKNOWN)


async def test_what_does_not_say_so_may_run_in_the_background(make: Make) -> None:
    """Only a plain false bounds the moment at which it can have begun."""
    for value, expected in ((None, True), (False, False), (True, True)):
        api, _ = make(reply(200, response(background=value)))
        got = await api.resolve("resp_1", items=False)
        assert got.reading is not None
        assert got.reading.background is expected


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        ("failed", Ending.FAILED),
        ("incomplete", Ending.INCOMPLETE),
        ("cancelled", Ending.CANCELLED),
    ],
)
async def test_only_a_completed_one_has_a_moment_of_its_end(
    make: Make, status: str, ending: Ending
) -> None:
    """Whatever stands in the field of any other is no end."""
    api, _ = make(reply(200, response(status=status)))
    got = await api.resolve("resp_1", items=False)
    assert got.reading is not None
    assert got.reading.ending is ending
    assert got.reading.completed_at is None


async def test_a_response_that_is_not_there_is_gone(make: Make) -> None:
    """The API's own word; a 404 of anything else is a failure that may heal."""
    said = "Response with id 'resp_1' not found."
    api, _ = make(error(404, None, said))
    assert (await api.resolve("resp_1", items=True)).outcome is ResolveOutcome.GONE
    for other in (error(404, None, "Invalid URL (GET /v1/responses/resp_1)"), reply(404, "<html>")):
        api, _ = make(other)
        assert (await api.resolve("resp_1", items=True)).outcome is ResolveOutcome.FAILED


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ([error(429)], ConditionKind.RATE_LIMITED),
        ([error(500)], ConditionKind.SERVER_ERROR),
        ([error(401, None, "Missing scopes: api.responses.read")], ConditionKind.MISSING_SCOPE),
        ([reply(200, "<html>", content_type="text/html")], ConditionKind.NOT_JSON),
        ([reply(200, '{"id', content_type="application/json")], ConditionKind.MALFORMED_JSON),
        ([reply(200, None)], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(id="resp_2"))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(status="dancing"))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(status=None))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(created_at="yesterday"))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(created_at=True))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(created_at=1e300))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(created_at=float("nan")))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response(created_at=-1))], ConditionKind.UNEXPECTED_ANSWER),
        ([reply(200, response()), error(500)], ConditionKind.SERVER_ERROR),
        ([reply(200, response()), reply(200, {})], ConditionKind.MALFORMED_PAGE),
        ([reply(200, response()), items(more=None)], ConditionKind.MALFORMED_PAGE),
        (
            [reply(200, response()), items(message(1), more=True), items(message(1), more=True)],
            ConditionKind.REPEATED_CURSOR,
        ),
        ([reply(200, response()), items(more=True)], ConditionKind.REPEATED_CURSOR),
    ],
)
async def test_every_failure_has_a_name(
    make: Make, answers: list[Any], kind: ConditionKind, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a reading is none; and nothing that was written there is repeated anywhere."""
    caplog.set_level(logging.DEBUG)
    api, _ = make(*answers)
    got = await api.resolve("resp_1", items=True)
    assert got.outcome is ResolveOutcome.FAILED
    assert got.reading is None
    assert got.failure is not None
    assert got.failure.kind is kind
    assert SECRET not in got.failure.detail
    assert SECRET not in caplog.text


async def test_what_was_read_while_the_time_was_in_doubt_is_read_again(make: Make) -> None:
    """Its moment would stand in the log for good, and have a window close before the birth."""
    slept = 0.0
    ahead = BASE - time.monotonic()
    clock = HeaderClock(lambda: time.monotonic() + ahead + slept)
    api, _ = make(lambda _: reply(200, response(status="in_progress")), clock=clock)
    assert (await api.resolve("resp_1", items=False)).reading is not None
    slept = 600.0
    for _ in range(2):
        got = await api.resolve("resp_1", items=False)
        assert (got.outcome, got.reading) == (ResolveOutcome.FAILED, None)
        assert got.failure is not None
        assert got.failure.kind is ConditionKind.CLOCK_JUMP
    assert (await api.resolve("resp_1", items=False)).reading is not None


async def test_a_step_while_its_input_is_read_has_it_read_again(make: Make) -> None:
    """Whether the moment was told before or after it, nobody knows."""
    slept = 0.0
    ahead = BASE - time.monotonic()
    clock = HeaderClock(lambda: time.monotonic() + ahead + slept)

    def handle(request: Any) -> Any:
        nonlocal slept
        if request.url.path.endswith("input_items"):
            slept += 600.0
            return items(message(1))
        return reply(200, response())

    api, _ = make(handle, clock=clock)
    got = await api.resolve("resp_1", items=True)
    assert got.failure is not None
    assert got.failure.kind is ConditionKind.CLOCK_JUMP


async def test_what_was_read_before_the_time_was_told_is_read_again(make: Make) -> None:
    """Without a date the machine's own clock would bear its moment."""
    silent = reply(200, json.dumps(response()), content_type="application/json")
    api, _ = make(silent, reply(200, response()))
    got = await api.resolve("resp_1", items=False)
    assert got.failure is not None
    assert got.failure.kind is ConditionKind.CLOCK_UNKNOWN
    assert (await api.resolve("resp_1", items=False)).reading is not None


async def test_input_without_end_is_no_input(make: Make) -> None:
    """A server that always promises more is left after a fixed number of pages."""
    count = 0

    def handle(request: Any) -> Any:
        nonlocal count
        if not request.url.path.endswith("input_items"):
            return reply(200, response())
        count += 1
        return items(message(count), more=True)

    api, _ = make(handle)
    got = await api.resolve("resp_1", items=True)
    assert got.failure is not None
    assert got.failure.kind is ConditionKind.ENDLESS_LISTING
    assert count == 50


async def test_an_odd_id_is_never_sent(make: Make) -> None:
    """It could address something else than a response."""
    api, fake = make(reply(200, response()))
    for odd in ("", "..", "resp_1/cancel", "resp_1?x=1", "../containers/cntr_1", "resp 1"):
        assert (await api.resolve(odd, items=True)).outcome is ResolveOutcome.FAILED
    assert fake.requests == []


async def test_no_text_is_kept(make: Make) -> None:
    """Neither the value nor what is shown of it holds anything that was written or said."""
    api, _ = make(reply(200, response()), items(message(1)))
    got = await api.resolve("resp_1", items=True)
    assert SECRET not in repr(got)
    assert json.dumps(response()).count(SECRET) > 0


async def test_a_cancelled_reading_leaves_nothing_behind(make: Make) -> None:
    """The daemon may end while it waits for an answer."""

    async def never(_request: Any) -> Any:
        await asyncio.Event().wait()

    api, _ = make(never)
    task = asyncio.create_task(api.resolve("resp_1", items=True))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
