"""The canary and the daemon on one log and one store."""

import asyncio
import time
from pathlib import Path

from tests.integration.canary.conftest import PACE, wait_until
from tests.integration.engine.conftest import (
    AT_ONCE,
    Bench,
    bench,
    exact_clock,
    harbour,
    harbours,
)

from demurrage.app.canary.catalogue import chosen
from demurrage.app.canary.job import CanaryJobs
from demurrage.app.canary.run import Canary
from demurrage.app.schedule import Schedule
from demurrage.model.condition import ConditionKind
from demurrage.model.finding import Answer, Finding
from demurrage.provider.budget import CallBudget
from demurrage.provider.connection import Connection
from demurrage.provider.experiments import Experimenter
from demurrage.simulator.serve import HarbourServer

__all__ = ["bench", "harbour", "harbours"]  # fixtures

YES = Finding("delete-removes", Answer.YES, "without a header")
NO = Finding("delete-removes", Answer.NO, "")


async def test_the_daemon_knows_what_the_canary_made(
    harbour: HarbourServer, tmp_path: Path
) -> None:
    """Its leaks are proven and swept like anybody's; nothing is foreign, no coverage is lost."""
    bench = Bench(harbour, harbour.admin, tmp_path, rules=AT_ONCE)
    async with bench.engine() as running:
        await asyncio.to_thread(running.store.declare_coverage, "default", at=time.time() - 3600)
        api = Experimenter(
            Connection("openai", harbour.base_url, "canary"),
            CallBudget(100_000),
            clock=exact_clock(),
        )
        canary = Canary("default", api, running.log, "gpt-5-mini", pace=PACE)
        await running.turn()
        try:
            for questions in (("leak-code-interpreter", "delete-removes"), ("in-flight-fails",)):
                run = asyncio.create_task(canary.run(chosen(questions), lambda _: None))
                await running.turn_until(run.done)
                assert {each.answer for each in await run} == {Answer.YES}
                bench.admin.settings(default_seconds=[200.0, 200.0])
        finally:
            await api.close()
        # That so many went at once is not believed at first; nothing else may stand.
        await running.turn_until(lambda: not alive(bench) and not running.open_kinds())
    leaked = [case for case in bench.cases().values() if not case["explicit"]]
    assert len(leaked) == 6
    assert {case["gone_by"] for case in leaked} == {"delete"}


def alive(bench: Bench) -> list[str]:
    """Containers that live."""
    return [key for key, case in bench.cases().items() if case["gone_at"] is None]


async def test_a_changed_answer_is_a_condition(bench: Bench) -> None:
    """It stands in status from the next cycle on, and goes when a run confirms it."""
    kind = ConditionKind.ANSWER_CHANGED
    async with bench.engine() as running:
        for finding, stands in ((YES, False), (NO, True), (NO, False), (YES, True)):
            running.store.record_finding("default", finding)
            await running.turn()
            assert (kind in running.open_kinds()) is stands
            assert bench.hooks.stands(kind) is stands
        running.store.acknowledge_findings("default", time.time(), "ann")
        await running.turn()
        assert kind not in running.open_kinds()


async def test_the_schedule_makes_a_run_and_keeps_its_answers(bench: Bench) -> None:
    """A job at work is broken off by a stop, and what fails is told and no more."""
    bench.admin.settings(default_seconds=[3000.0, 3000.0])
    async with bench.engine() as running:

        def make(name: str) -> Canary:
            api = Experimenter(
                Connection("openai", bench.harbour.base_url, "canary"), CallBudget(100_000)
            )
            return Canary(name, api, running.log, "gpt-5-mini", pace=PACE)

        jobs = CanaryJobs({"default": 3600.0}, running.store, make)
        bench.admin.fault("missing_scope", "GET *")
        await jobs.run("default")
        kept = running.store.findings("default")
        assert {each.finding.answer for each in kept.values()} == {Answer.UNCLEAR}
        bench.admin.clear_faults()
        schedule = Schedule(on_missed=lambda _: None, on_skipped=lambda _: None)
        await jobs.put_on(schedule)
        (job,) = schedule._scheduler.get_jobs()
        due = job.next_run_time.timestamp()
        assert 3500 < due - kept["auto-name"].finding.at < 3700
        work = asyncio.create_task(jobs.run("default"))
        await wait_until(lambda: bool(running.log.read(0, 10).records))
        await jobs.stop()
        await asyncio.wait_for(work, 20)
