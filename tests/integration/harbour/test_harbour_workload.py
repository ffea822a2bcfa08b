"""The reproduction and the workload, against the truth."""

import asyncio
from collections.abc import Sequence

from openai import OpenAI

from demurrage.simulator.delivery import CloudEvent
from demurrage.simulator.plans import Habits
from demurrage.simulator.reproduction import logging_to, reproduce
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.workload import Application, Workload
from demurrage.simulator.writer import Writer

from .conftest import cases


def test_the_reproduction_leaks_two_in_each_style(server: HarbourServer, client: OpenAI) -> None:
    """Six tool-less turns, six containers, each made by one of them and named by none."""
    made = reproduce(client)
    told = cases(server)
    assert {case["made_by"] for case in told} == set(made.all)
    assert [case["orphan"] for case in told] == [True] * 6


def test_a_third_turn_names_its_container(server: HarbourServer, client: OpenAI) -> None:
    """Three more containers, one for each style, are used and no orphans."""
    made = reproduce(client, third_turn=True)
    told = cases(server)
    assert (len(told), sum(case["orphan"] for case in told)) == (9, 6)
    used = {case["used_by"][0] for case in told if case["used_by"]}
    assert used == {made.replayed[2], made.previous[2], made.conversation[2]}


async def test_the_reproduction_can_be_logged(client: OpenAI) -> None:
    """Each request is in the log before its response, with the slot that leaked."""
    events: list[CloudEvent] = []

    async def send(batch: Sequence[CloudEvent]) -> None:
        events.extend(batch)

    writer = Writer(send)
    made = reproduce(client, on_call=logging_to(writer))
    await writer.flush()
    starts, ends = events[0::2], events[1::2]
    assert [start["data"]["slots"][0]["container"] for start in starts] == ["auto"] * 6
    assert [end["data"]["response_id"] for end in ends] == list(made.all)
    assert [end["data"]["call_id"] for end in ends] == [
        start["data"]["call_id"] for start in starts
    ]


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
    told = cases(server)
    made = {case["made_by"] for case in told if case["metadata"].get("application") == "loud"}
    finished = [event for event in events if event["type"] == "demurrage.response.finished"]
    assert made <= {event["data"].get("response_id") for event in finished}
    named = {name for event in finished for name in event["data"].get("containers", ())}
    truly = {case["id"] for case in told for by in case["named_by"] if by in made}
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
