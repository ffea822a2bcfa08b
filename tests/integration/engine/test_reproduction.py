"""The classic reproduction, watched by the engine."""

import asyncio
from dataclasses import replace

import pytest
from tests.integration.engine.conftest import RULES, Bench, Running
from tests.postgres import BACKENDS

from demurrage.model.plan import Mode
from demurrage.model.verdict import Code, VerdictKind
from demurrage.simulator.reproduction import Reproduced, logging_to, reproduce


@pytest.fixture(params=BACKENDS)
def bench(bench: Bench, request: pytest.FixtureRequest) -> Bench:
    """The bench, with store and log on each database in turn."""
    if request.param != "sqlite":
        bench.server = request.getfixturevalue("database")
    return bench


async def _reproduce(running: Running, seconds: float) -> Reproduced:
    """Hold the three conversations, logged, and turn the engine beside a beating writer."""
    await running.turn()
    await asyncio.sleep(1.0)  # births are whole seconds; these must be after the first look
    writer = running.bench.writer(running.log)
    turns = await asyncio.to_thread(
        reproduce, running.bench.client, on_call=logging_to(writer), third_turn=True
    )
    await writer.flush()  # before the next look, or the starts would come late
    stop = asyncio.Event()
    beating = asyncio.create_task(writer.run(stop))
    await running.turn_for(seconds)
    stop.set()
    await beating
    return turns


async def test_six_leaked_containers_go_before_the_floor_and_nothing_else(bench: Bench) -> None:
    """Two tool-less turns in three styles leak six; the daemon deletes these six alone."""
    async with bench.engine() as running:
        await _reproduce(running, 4.0)
        totals = bench.admin.truth()["totals"]
        assert totals["orphans"] == totals["deleted"] == totals["orphans_deleted"] == 6
        assert totals["orphans_deleted_before_floor"] == 6
        assert totals["harm"] == totals["named_deleted"] == 0
        tally = running.store.totals("default", RULES.billing.minimum).all
        # The daemon knows births by the second only, and counts against itself.
        assert (tally.orphans, tally.swept) == (6, 6)
        assert 0 < tally.swept_before_floor <= 6


async def test_each_deleted_container_has_its_case_told(bench: Bench) -> None:
    """The store tells for each delete the maker, the reasons, the due time and the saving."""
    async with bench.engine() as running:
        turns = await _reproduce(running, 4.0)
        made = {
            each["id"]: each["made_by"]
            for each in bench.admin.truth()["containers"]
            if each["orphan"]
        }
        makers = set()
        for deletion, _ in bench.hooks.deletes:
            case = running.store.case(deletion.container_id)
            assert case is not None
            verdict = case.verdicts[-1].verdict
            assert verdict.kind is VerdictKind.ORPHAN
            assert Code.CANDIDATES_DONE in verdict.codes
            response = running.engine.evidence.ledger.book("default").responses[verdict.maker or ""]
            makers.add(response.response_id)
            assert case.deletions[0].saved_usd > 0
        # Births are told to the second, in which here all turns are taken: each container has
        # a maker of its own, and the makers are the turns that leaked.
        assert makers == set(made.values()) <= set(turns.all)


async def test_shipped_defaults_delete_nothing_and_keep_score(bench: Bench) -> None:
    """Partial coverage in observe mode sends no DELETE and scores what it would have said."""
    bench.mode = Mode.OBSERVE
    bench.rules = replace(RULES, evidence=replace(RULES.evidence, coverage="partial"))
    async with bench.engine() as running:
        await _reproduce(running, 4.0)
        tally = running.store.totals("default", RULES.billing.minimum).all
        assert tally.predicted == 6
        assert tally.refuted == tally.observed == tally.swept == 0
    assert "DELETE /v1/containers/{id}" not in bench.admin.truth()["counts"]


async def test_partial_coverage_proves_nothing_even_when_enforcing(bench: Bench) -> None:
    """Enforce mode under partial coverage keeps everything."""
    bench.rules = replace(RULES, evidence=replace(RULES.evidence, coverage="partial"))
    async with bench.engine() as running:
        await _reproduce(running, 4.0)
    assert bench.admin.truth()["totals"]["deleted"] == 0


async def test_observe_mode_counts_what_it_would_delete(bench: Bench) -> None:
    """Observe mode under complete coverage notes six deletes and makes none."""
    bench.mode = Mode.OBSERVE
    async with bench.engine() as running:
        await _reproduce(running, 4.0)
        tally = running.store.totals("default", RULES.billing.minimum).all
        assert (tally.observed, tally.swept) == (6, 0)
    assert bench.admin.truth()["totals"]["deleted"] == 0
