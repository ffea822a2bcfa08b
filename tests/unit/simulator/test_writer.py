"""The workload's writer: order, gaps, heartbeats, clocks."""

import asyncio
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any

import pytest

from demurrage.simulator.clock import ManualClock
from demurrage.simulator.delivery import CloudEvent, NotDelivered
from demurrage.simulator.references import named_containers
from demurrage.simulator.writer import Writer

pytestmark = pytest.mark.looptime


class Log:
    """Takes batches unless told to refuse."""

    def __init__(self) -> None:
        self.events: list[CloudEvent] = []
        self.down = False

    async def __call__(self, events: Sequence[CloudEvent]) -> None:
        """Take a batch."""
        if self.down:
            raise NotDelivered("down")
        self.events += events


async def test_events_wait_for_the_log_and_keep_their_order() -> None:
    """What was refused is offered again; sequences have no gap."""
    log = Log()
    log.down = True
    writer = Writer(log, source="w")
    for _ in range(450):
        writer.note("response.started", call_id="c")
    assert not await writer.flush()
    log.down = False
    assert await writer.flush()
    assert [event["sequence"] for event in log.events] == list(range(1, 451))
    assert (writer.unsent, writer.sent, writer.refusals) == (0, 450, 1)


async def test_an_event_is_a_cloud_event() -> None:
    """The envelope carries what the schema asks for; empty data is left out."""
    log = Log()
    writer = Writer(log, target="main", source="w", clock=ManualClock(0.0))
    writer.note("response.started", call_id="c", model=None)
    await writer.flush()
    assert log.events == [
        {
            "specversion": "1.0",
            "id": "w/1",
            "source": "w",
            "type": "demurrage.response.started",
            "time": "1970-01-01T00:00:00Z",
            "sequence": 1,
            "datacontenttype": "application/json",
            "data": {"target": "main", "call_id": "c"},
        }
    ]


async def test_a_writer_beats_while_it_lives_and_says_goodbye() -> None:
    """Heartbeats name the last sequence and what is in flight; the last one is final."""
    log, stop = Log(), asyncio.Event()
    writer = Writer(log, heartbeat=2.0)
    running = asyncio.create_task(writer.run(stop))
    writer.note("response.started", call_id="a")
    writer.note("response.started", call_id="b")
    writer.note("response.finished", call_id="a")
    await asyncio.sleep(7)
    stop.set()
    await running
    beats = [event for event in log.events if event["type"].endswith("heartbeat")]
    assert [event["sequence"] for event in log.events] == list(range(1, len(log.events) + 1))
    assert len(beats) >= 4
    assert [beat["data"]["final"] for beat in beats] == [False] * (len(beats) - 1) + [True]
    assert all(beat["data"]["last_sequence"] == beat["sequence"] - 1 for beat in beats)
    assert beats[-1]["data"]["in_flight"] == ["b"]


def test_the_clock_offset_narrows_with_every_date() -> None:
    """Dates cut to seconds pin the offset down; a step starts the measurement anew."""
    clock = ManualClock(1000.0)
    writer = Writer(Log(), clock=clock)
    assert writer.clock_offset is None
    for _ in range(40):
        clock.forward(0.325)
        writer.observe_date(formatdate(int(clock() - 30.2), usegmt=True))
    assert writer.clock_offset == pytest.approx(30.2, abs=0.05)
    writer.observe_date(formatdate(int(clock() - 300), usegmt=True))
    assert writer.clock_offset == pytest.approx(300, abs=1)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"output": [{"container_id": "cntr_b"}, {"container": "cntr_a"}]}, ["cntr_a", "cntr_b"]),
        ({"container": {"type": "auto"}, "text": "cntr_c"}, []),
        ({"container_id": "other"}, []),
    ],
)
def test_references_are_found_under_their_two_names(value: Any, named: list[str]) -> None:
    """Only `container_id` and `container` name a container."""
    assert named_containers(value) == named
