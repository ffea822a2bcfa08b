"""Responses that are known by their id alone: the daemon reads them itself."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from structlog.typing import EventDict
from tests.integration.engine.application import Application
from tests.integration.engine.conftest import AT_ONCE, READ, Bench, Running

from demurrage.model.condition import ConditionKind
from demurrage.model.event import PERSON_PREFIX, RESOLVER, Entry
from demurrage.model.resolution import ResolveOutcome
from demurrage.model.verdict import VerdictKind

_TOOL = {"type": "code_interpreter", "container": {"type": "auto"}}


# An id comes in time and nothing expires by itself, however busy the machine is.
UNHURRIED = replace(
    AT_ONCE,
    evidence=replace(AT_ONCE.evidence, max_event_delay=4.0),
    billing=replace(AT_ONCE.billing, idle_expiry=120.0),
)


def unhurried(bench: Bench) -> None:
    """Give the machine time."""
    bench.rules = UNHURRIED
    bench.admin.settings(idle_expiry=12_000.0)


async def begin(app: Application, *, seconds: float = 60.0, use_tool: bool = False) -> str:
    """A background response that nobody logs; its id is all that is told of it."""
    await asyncio.sleep(1.0)  # births are whole seconds; coverage counts from the first look
    response = await app.client.responses.create(
        model="gpt-5",
        input="Well, what is the secret word?",
        tools=[_TOOL],  # type: ignore[list-item]
        background=True,
        metadata={
            "harbour_seconds": f"{seconds:.3f}",
            "harbour_use_tool": "true" if use_tool else "false",
        },
    )
    app.writer.note("response.known", response_id=response.id)
    await app.writer.flush()
    return response.id


def outcomes(bench: Bench) -> set[ResolveOutcome]:
    """What attempts came to so far."""
    return {each.outcome for each in bench.hooks.lookups}


def read_events(running: Running) -> list[str]:
    """The types of events that the daemon wrote down itself."""
    return [
        type(each.event.fact).__name__
        for each in running.log.read(0, 100_000).records
        if isinstance(each, Entry) and each.event.source == RESOLVER
    ]


def gone(bench: Bench) -> Callable[[], bool]:
    """True once every container was deleted."""
    return lambda: bench.totals()["deleted"] == len(bench.cases()) > 0


async def test_a_leak_of_a_known_response_goes_once_it_has_ended(bench: Bench) -> None:
    """It is followed while it runs, then its slot explains the container, which goes."""
    unhurried(bench)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            response_id = await begin(app)
            await running.read_until(lambda: ResolveOutcome.RUNNING in outcomes(bench))
            kinds = running.kinds(await running.turn())
            assert kinds in ({}, {VerdictKind.PENDING: 1})
            await running.read_until(gone(bench))
        totals = bench.totals()
        assert totals["harm"] == totals["named_deleted"] == 0
        (deletion, _) = bench.hooks.deletes[0]
        case = running.store.case(deletion.container_id)
        assert case is not None
        assert case.verdicts[-1].verdict.maker == response_id
        assert read_events(running)[0] == "Started"
        assert read_events(running)[-1] == "Finished"
        text = bench.hooks.metrics.exposition().decode()
        assert 'demurrage_resolves_total{outcome="ended",target="default"} 1.0' in text


async def test_what_a_known_response_names_is_kept(bench: Bench, lines: list[EventDict]) -> None:
    """Nobody but the API says that the container is used, and that is enough."""
    unhurried(bench)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            await begin(app, seconds=10.0, use_tool=True)
            await running.read_until(lambda: ResolveOutcome.ENDED in outcomes(bench))
            await app.leak(1)
            await running.read_until(lambda: bench.totals()["deleted"] == 1)
            kinds = running.kinds(await running.turn())
        assert kinds == {VerdictKind.REFERENCED: 1}
        totals = bench.totals()
        assert totals["harm"] == totals["named_deleted"] == 0
    assert "secret word" not in repr(lines)


async def test_one_that_cannot_be_read_blocks_and_is_named_until_a_person_settles_it(
    bench: Bench,
) -> None:
    """A response that was deleted may have made any container and may come to name it."""
    unhurried(bench)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            response_id = await begin(app, seconds=10.0)
            await app.client.responses.delete(response_id)
            await app.leak(2)
            kind = ConditionKind.UNRETRIEVABLE_RESPONSES
            await running.read_until(lambda: running.shown(kind))
            status = running.engine.statuses["default"]
            assert status["evidence"]["unretrievable_ids"] == [response_id]
            assert any(response_id in each["summary"] for each in status["conditions"])
            text = bench.hooks.metrics.exposition().decode()
            assert 'demurrage_unretrievable_responses{target="default"} 1.0' in text
            await running.turn_for(1.0)
            assert bench.totals()["deleted"] == 0
            _settle(running, response_id)
            # The two of whom all is logged can go; the one of whom nothing is known stays.
            await running.read_until(lambda: not running.shown(kind))
            assert bench.totals()["harm"] == 0


def _settle(running: Running, response_id: str) -> None:
    """A person's word, as `demurrage events append --finish` has it."""
    data = {"target": "default", "call_id": response_id, "response_id": response_id}
    event = {
        "specversion": "1.0",
        "id": "word",
        "source": f"{PERSON_PREFIX}ops",
        "type": "demurrage.response.finished",
        "time": "2026-11-24T00:00:00Z",
        "data": {**data, "status": "completed"},
    }
    running.log.append([event], appended_at=time.time())


async def test_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    """What was read is in the log; what was not is read then. No start is written twice."""
    unhurried(bench)
    async with bench.engine() as running:
        await running.turn()
        async with running.application(source="app-1") as app:
            await begin(app, seconds=300.0)
            await running.read_until(lambda: "Started" in read_events(running))
    async with bench.engine() as running:
        async with running.application(source="app-2"):
            await running.read_until(gone(bench))
        assert read_events(running).count("Started") == 1
        assert bench.totals()["harm"] == 0


@pytest.mark.parametrize("kind", ["server_error", "html", "rate_limited", "truncated_json"])
async def test_a_fault_is_waited_out(bench: Bench, kind: str) -> None:
    """No failure of reading is taken for an end, nor stops the cycle."""
    unhurried(bench)
    bench.admin.fault(kind, "GET /v1/responses/*", count=2)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            await begin(app, seconds=10.0)
            await running.read_until(lambda: ResolveOutcome.FAILED in outcomes(bench))
            await running.read_until(gone(bench))
        assert not bench.hooks.failures
        assert bench.totals()["harm"] == 0


async def test_a_response_that_its_application_logs_is_left_to_it(bench: Bench) -> None:
    """A webhook tells of every background response; most need no call of ours."""
    unhurried(bench)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            await asyncio.sleep(1.0)  # as above
            response = await app.ask()
            app.writer.note("response.known", response_id=response["id"])
            await app.writer.flush()
            await running.read_until(gone(bench))
    assert not set(bench.called()) & READ


async def test_reading_stops_with_the_daemon(bench: Bench) -> None:
    """An answer that does not come keeps nobody from ending."""
    bench.timeout = 60.0
    bench.admin.fault("hang", "GET /v1/responses/*", seconds=30.0)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            await begin(app)
            await running.turn()
            reading = asyncio.create_task(running.engine.resolve("default"))
            await asyncio.sleep(0.5)
            async with asyncio.timeout(15):
                await running.engine.drain()
                await reading


async def test_ids_that_keep_coming_keep_nothing_that_is_older(bench: Bench) -> None:
    """Each is read before anything is judged by it: else there would be a new one in each look."""
    unhurried(bench)
    async with bench.engine() as running:
        await running.turn()
        async with running.application() as app:
            await asyncio.sleep(
                1.0
            )  # births are whole seconds; coverage counts from the first look
            await app.leak(1)
            (oldest,) = bench.cases()
            await asyncio.sleep(1.0)
            end = time.monotonic() + 40.0
            while bench.cases()[oldest]["gone_by"] is None:
                assert time.monotonic() < end
                await begin(app)
                await running.turn()
        assert bench.cases()[oldest]["gone_by"] == "delete"
        assert bench.totals()["harm"] == 0
