"""Whatever happens to the event log: nothing is proven by what cannot be read."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from structlog.typing import EventDict
from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench, Running
from tests.integration.engine.test_api_faults import named_everywhere, over

from demurrage.decide.holds import resume
from demurrage.model.condition import ConditionKind
from demurrage.model.plan import Rail

LEAKED = 3
# Births up to so long after a person's answer for a restore stay beyond proof.
PAST_DELAYS = AT_ONCE.evidence.max_birth_delay + AT_ONCE.evidence.max_event_delay


@contextmanager
def unreadable_log(bench: Bench) -> Iterator[None]:
    """The log's table is not there for a while."""

    def rename(old: str, new: str) -> None:
        with closing(sqlite3.connect(bench.log_file, timeout=10)) as database:
            database.execute(f"ALTER TABLE {old} RENAME TO {new}")

    rename("event_log", "elsewhere")
    try:
        yield
    finally:
        rename("elsewhere", "event_log")


def answer(running: Running, rail: Rail) -> None:
    """A person resumes the hold of a rail, as the command does."""
    (hold,) = [each for each in running.store.holds("default") if each.rail is rail]
    now = time.time()
    running.store.save_hold(resume(hold, now=now, until=now + 60, by="me"))


async def test_an_unreadable_log_keeps_everything_until_it_can_be_read(
    bench: Bench, lines: list[EventDict]
) -> None:
    """No verdict, no delete; then the orphans go and what was used meanwhile stays."""
    bench.rules = AT_ONCE
    kind = ConditionKind.LOG_UNREADABLE
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        with unreadable_log(bench):
            await running.turn_until(lambda: named_everywhere(running, kind))
            conversation = await app.converse()
            await running.turn_for(1.5)
            assert DELETED not in bench.called()
            assert any(each.get("kind") == kind for each in lines)
        await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
        await running.turn_until(lambda: over(running, kind))
        await app.ask(use_tool=True, conversation=conversation)
    totals = bench.totals()
    assert (totals["harm"], totals["orphans_deleted"]) == (0, LEAKED)


async def test_a_gap_in_a_sequence_holds_everything_until_it_is_filled(bench: Bench) -> None:
    """What is missing may be a reference: the watermark waits for it."""
    bench.rules = AT_ONCE
    kind = ConditionKind.SEQUENCE_GAP
    async with bench.engine() as running, running.application() as app:
        held_back: list[Any] = []
        deliver = app.writer._send

        async def lose_the_next(batch: Any) -> None:
            lost = [each for each in batch if each["type"] == "demurrage.response.started"]
            held_back.extend(lost)
            app.writer._send = deliver
            await deliver([each for each in batch if each not in lost])

        await running.turn()
        await app.leak(LEAKED)
        app.writer._send = lose_the_next
        await app.ask()
        await running.turn_until(lambda: named_everywhere(running, kind))
        await running.turn_for(1.5)
        assert len(held_back) == 1
        assert DELETED not in bench.called()
        await deliver(held_back)
        await running.turn_until(lambda: over(running, kind))
        await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED + 1)
    assert bench.totals()["orphans_deleted"] == LEAKED + 1


async def test_an_older_log_makes_the_target_observe_until_a_person_resumes(bench: Bench) -> None:
    """What is born before the answer stays unproven; what comes after is swept again."""
    bench.rules = AT_ONCE
    kind = ConditionKind.LOG_RESTORED
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        await running.turn()
    older = bench.log_file.read_bytes()
    async with bench.engine() as running, running.application(source="app-2") as app:
        await app.leak(LEAKED)
        await app.ask(use_tool=True, conversation=conversation)
        await running.turn()
    bench.log_file.write_bytes(older)
    async with bench.engine() as running, running.application(source="app-3") as app:
        # It grows past the remembered position before the daemon looks at it.
        await app.ask()
        await running.turn_until(lambda: named_everywhere(running, kind))
        await running.turn_for(2.0)
        assert DELETED not in bench.called()
    # The hold outlives a restart, and is asked for once.
    async with bench.engine() as running, running.application(source="app-4") as app:
        await running.turn()
        assert running.shown(kind)
        # What the log has forgotten may still run, and make what another call could have made.
        await app.leak(LEAKED)
        answer(running, Rail.LOG_RESTORED)
        await running.turn_until(lambda: over_now(running, kind))
        await running.turn_for(2 * PAST_DELAYS)
        assert bench.totals()["deleted"] == 0
        await app.leak(LEAKED)
        await running.turn_until(lambda: bench.totals()["deleted"] >= LEAKED)
        await running.turn_for(0.5)
        assert running.store.totals("default", 3.0).all.swept == LEAKED
        await app.ask(use_tool=True, conversation=conversation)
    assert (bench.totals()["harm"], bench.totals()["deleted"]) == (0, LEAKED)


async def test_a_log_that_is_replaced_while_the_daemon_runs_is_noticed(bench: Bench) -> None:
    """Another log under the same name proves nothing about what was born under the first."""
    bench.rules = AT_ONCE
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        await running.turn()
        with closing(sqlite3.connect(bench.log_file, timeout=10)) as database, database:
            database.execute("DELETE FROM event_log")
            database.execute("UPDATE event_log_head SET generation = 'another', position = 0")
        await running.turn_until(lambda: named_everywhere(running, ConditionKind.LOG_RESTORED))
        await running.turn_for(1.5)
        assert DELETED not in bench.called()


def over_now(running: Running, kind: str) -> bool:
    """True when nothing names it any more."""
    return (
        kind not in running.open_kinds()
        and kind not in running.kept_open()
        and not running.bench.hooks.stands(kind)
    )
