"""Interrupted at every step of a sweeping cycle, the next process finishes the job."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.integration.engine.conftest import AT_ONCE, Bench, Running
from tests.integration.engine.falling import Fall, Falling

from demurrage.model.deletion import DeleteOutcome
from demurrage.simulator.serve import HarbourServer

LEAKED = 6
# Nine at a time may take long: no start may come too late for it, and nothing may expire before it
# is swept.
PATIENT = replace(
    AT_ONCE,
    evidence=replace(AT_ONCE.evidence, max_event_delay=2.0),
    billing=replace(AT_ONCE.billing, idle_expiry=120.0),
)


def unrecorded(bench: Bench) -> set[str]:
    """Containers that the harbour deleted without an intent and a verdict in the store."""
    with closing(sqlite3.connect(bench.store_file)) as store:
        written = {
            row[0]
            for row in store.execute(
                "SELECT d.container_id FROM deletions d JOIN verdicts v ON v.id = d.verdict_id "
                "WHERE v.container_id = d.container_id AND v.kind = d.verdict "
                "AND v.decided_at <= d.intended_at"
            )
        }
    deleted = {key for key, each in bench.cases().items() if each["deleted_at"] is not None}
    asked = {each["about"] for each in bench.admin.calls()["calls"] if each["method"] == "DELETE"}
    return (deleted | asked) - written


async def ripen(running: Running, bench: Bench) -> str:
    """Leave orphans that the next cycle of a fresh daemon will delete; returns a conversation."""
    async with running.application(source=f"app-{time.time()}") as app:
        await running.turn()
        conversation = await app.converse()
        await app.leak(LEAKED)
        await running.turn()  # seen, and too young to be proven
        await asyncio.sleep(1.0 + 0.6)
        # Proof asks for a log that has been watched for a while; this one is watched no more.
    assert bench.totals()["deleted"] == 0
    return conversation


async def finish(bench: Bench) -> None:
    """A new process on the same files sweeps what is left."""
    async with bench.engine() as running:
        await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
        await running.turn_until(lambda: settled(running))
        await running.turn_for(0.6)


def settled(running: Running) -> bool:
    """True once every delete that was meant has its outcome."""
    outcomes = {each.outcome for each in running.store.deletions("default")}
    tally = running.store.totals("default", 3.0).all
    return None not in outcomes and tally.swept == LEAKED


async def fall_at(bench: Bench, number: int, *, after: bool, once: bool = False) -> Fall:
    """Run one daemon until it falls over at the given call; then the next one to the end."""
    async with bench.engine() as running:
        await ripen(running, bench)
    fall = Fall(10**9, after, once)
    bench.keeper = lambda store: Falling(store, fall)
    bench.api = lambda api: Falling(api, fall)
    async with bench.engine() as running:
        await running.turn()
        await asyncio.sleep(PATIENT.evidence.max_event_delay + 0.1)
        while not fall.down and "intend" not in fall.calls:
            fall.calls.clear()
            fall.at = number
            await running.engine.turn("default")
            await asyncio.sleep(0.1)
        if once:
            # What was recorded while it failed is not counted twice by going on.
            await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
            await running.turn_until(lambda: settled(running))
            await running.turn_for_failing(0.6)
    bench.keeper, bench.api = lambda store: store, lambda api: api
    return fall


# The cycle makes so many calls; a few more, so that its whole length is covered.
STEPS, AT_A_TIME = 27, 10


@pytest.mark.parametrize("how", ["before", "after", "once"])
@pytest.mark.parametrize("first", range(1, STEPS + 1, AT_A_TIME))
async def test_a_fall_at_any_call_leaves_nothing_to_chance(
    harbours: Callable[[], HarbourServer], tmp_path: Path, first: int, how: str
) -> None:
    """No delete without a record written before it, none counted twice, no event lost.

    The process dies before or after the call, or the call fails once and the process goes on.
    """

    async def one(number: int) -> Fall:
        harbour = harbours()
        folder = tmp_path / str(number)
        folder.mkdir()
        bench = Bench(harbour, harbour.admin, folder, PATIENT)
        bench.admin.settings(idle_expiry=12_000.0)
        fall = await fall_at(bench, number, after=how != "before", once=how == "once")
        assert unrecorded(bench) == set(), fall.calls
        await finish(bench)
        assert unrecorded(bench) == set(), fall.calls
        check(bench)
        return fall

    falls = await asyncio.gather(*(one(number) for number in range(first, first + AT_A_TIME)))
    if how != "once":
        assert falls[0].down
        assert falls[-1].down == (first + AT_A_TIME - 1 <= STEPS), "STEPS is not the cycle's length"


def check(bench: Bench) -> None:
    """The audit after all: each container once, the totals once, the events all."""
    with closing(sqlite3.connect(bench.store_file)) as store:

        def column(query: str, *args: Any) -> list[Any]:
            return [row[0] for row in store.execute(query, args)]

        done = column(
            "SELECT container_id FROM deletions WHERE outcome IN (?, ?)",
            DeleteOutcome.DELETED,
            DeleteOutcome.ALREADY_GONE,
        )
        assert len(done) == len(set(done)) == LEAKED
        assert column("SELECT sum(orphans) FROM totals") == [LEAKED]
        assert column("SELECT sum(created) FROM totals") == [LEAKED + 1]
    totals = bench.totals()
    assert (totals["harm"], totals["named_deleted"]) == (0, 0)
    assert totals["orphans_deleted"] == LEAKED
