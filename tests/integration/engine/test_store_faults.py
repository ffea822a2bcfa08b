"""Whatever happens to the store: no delete that is not written down, and no trust in the past."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from math import inf
from pathlib import Path
from shutil import copyfile

import pytest
from sqlalchemy import delete, event, update
from structlog.typing import EventDict
from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench, Running
from tests.integration.engine.falling import Fall, Falling
from tests.integration.engine.test_api_faults import named_everywhere
from tests.integration.engine.test_evidence_faults import PAST_DELAYS, over_now

from demurrage.engine.resuming import resume
from demurrage.model.condition import ConditionKind
from demurrage.model.error import StoreFailedError
from demurrage.model.plan import Rail
from demurrage.store import SqlStore, StoreLock
from demurrage.store.tables import hold_containers, holds, meta

LEAKED = 3


def limit_pages(running: Running, pages: int | None) -> None:
    """Let the store's file grow no further, or as it likes again."""
    engine = running.store._database.engine
    engine.dispose()  # the limit belongs to a connection

    with closing(sqlite3.connect(running.bench.store_file)) as database:
        (now,) = database.execute("PRAGMA page_count").fetchone()

    def limited(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages if pages is not None else now}")

    event.listen(engine, "connect", limited)


async def test_a_full_disk_deletes_nothing_is_told_and_heals(
    bench: Bench, lines: list[EventDict]
) -> None:
    """What cannot be written down is not done; with room again it goes on by itself."""
    bench.rules = AT_ONCE
    kind = ConditionKind.DISK_FULL
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        await app.leak(40)
        limit_pages(running, None)
        await running.turn_until(lambda: running.shown(kind))
        await running.turn_for_failing(2.0)
        assert running.shown(kind)
        assert any(each.get("kind") == kind for each in lines)
        written = {each.container_id for each in running.store.deletions("default")}
        assert {key for key, each in bench.cases().items() if each["deleted_at"]} <= written
        limit_pages(running, 1_000_000)
        await running.turn_until(lambda: bench.totals()["deleted"] == 40)
        await running.turn_until(lambda: over_now(running, kind))
        assert kind in bench.hooks.resolved
        await app.ask(use_tool=True, conversation=conversation)
        assert running.store.totals("default", 3.0).all.swept == 40
    assert (bench.totals()["harm"], bench.totals()["orphans_deleted"]) == (0, 40)


async def test_a_store_that_takes_nothing_is_told_without_it(bench: Bench) -> None:
    """Status, logs and metrics name what the store itself cannot keep, beside what stood."""
    bench.rules = AT_ONCE
    fall = Fall(10**9, after=False)
    bench.keeper = lambda store: Falling(store, fall)
    kind = ConditionKind.STORE_FAILED
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        assert running.shown(ConditionKind.NOBODY_LOGS)
        await app.leak(LEAKED)
        fall.at = 1
        before = running.engine.evidence.pulse.pauses
        await running.turn_until(lambda: running.shown(kind))
        # What the daemon cannot write, applications cannot append: the series begins anew.
        assert running.engine.evidence.pulse.pauses > before
        await running.turn_for_failing(1.5)
        assert running.shown(ConditionKind.NOBODY_LOGS)  # nobody has looked again
        assert bench.hooks.opened.count(kind) == 1
        assert DELETED not in bench.called()
        fall.at = 10**9
        await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
        await running.turn_until(lambda: over_now(running, kind))
        assert kind in bench.hooks.resolved


@pytest.mark.parametrize("by", ["copy", "backup"])
async def test_an_older_store_makes_the_target_observe_until_a_person_resumes(
    bench: Bench, by: str
) -> None:
    """A store put back knows nothing of what it did since: births are beyond proof until then."""
    # The conversation's container outlives the test, however busy the machine is.
    bench.rules = replace(AT_ONCE, billing=replace(AT_ONCE.billing, idle_expiry=120.0))
    bench.admin.settings(idle_expiry=12_000.0)
    kind = ConditionKind.STORE_RESTORED
    older = bench.folder / "older.db"
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        await running.turn()
        if by == "backup":
            running.store.backup(older)
    if by == "copy":
        copyfile(bench.store_file, older)
    async with bench.engine() as running, running.application(source="app-2") as app:
        await app.leak(1)
        await running.turn_until(lambda: bench.totals()["deleted"] == 1)
        await app.leak(LEAKED)
    put_back(bench, older)
    async with bench.engine() as running, running.application(source="app-3") as app:
        await running.turn_until(lambda: named_everywhere(running, kind))
        await running.turn_for(2.0)
        assert bench.called()[DELETED] == 1
    async with bench.engine() as running, running.application(source="app-4") as app:
        await running.turn()
        assert running.shown(kind)
        # What it has forgotten may still run, and make what another call could have made.
        await app.leak(LEAKED)
        answer(running)
        await running.turn_until(lambda: over_now(running, kind))
        await running.turn_for(2 * PAST_DELAYS)
        assert bench.totals()["deleted"] == 1
        await app.leak(LEAKED)
        await running.turn_until(lambda: bench.totals()["deleted"] == 1 + LEAKED)
        await running.turn_for(0.5)
        await app.ask(use_tool=True, conversation=conversation)
        assert not running.store.restored
    assert (bench.totals()["harm"], bench.totals()["deleted"]) == (0, 1 + LEAKED)


@pytest.mark.parametrize("what", [Rail.STORE_RESTORED, Rail.LOG_RESTORED])
async def test_a_target_out_of_the_settings_answers_for_a_restore_when_it_comes_back(
    bench: Bench, what: Rail
) -> None:
    """What was lost may be its own; that another target was resumed meanwhile tells nothing."""
    older = bench.folder / "older.db"
    async with bench.engine() as running:
        running.store.note_listed_whole("elsewhere")
        await running.turn()
    if what is Rail.STORE_RESTORED:
        copyfile(bench.store_file, older)
    async with bench.engine() as running, running.application():
        await running.turn()
    if what is Rail.STORE_RESTORED:
        put_back(bench, older)
    else:
        bench.log_file.unlink()
    async with bench.engine() as running:
        await running.turn()
        answer(running, what)
        await running.turn()
    # Nothing but its hold would tell any more.
    async with bench.engine() as running:
        await running.turn()
        assert running.store.holds("default") == ()
        assert [each.rail for each in running.store.holds("elsewhere")] == [what]
        assert running.store.facts("elsewhere", 0.0).distrust_before == inf


class Returning(StoreLock):
    """A lock whose connection is lost and taken again when a test says so."""

    lost = False

    @property
    def held(self) -> bool:
        """Nobody else wants it."""
        return True

    def prove(self) -> bool:
        """True after a loss, once."""
        lost, self.lost = self.lost, False
        return lost


async def test_a_restore_that_somebody_else_came_upon_holds_all_the_same(bench: Bench) -> None:
    """Whoever writes first after the server was away, between two cycles, takes the error."""
    lock = Returning(bench.store_url)
    async with bench.engine(lock=lock) as running, running.application() as app:
        await app.leak(1)
        await running.turn()
        forget_the_present(running.store)
        lock.lost = True
        with pytest.raises(StoreFailedError):
            running.store.keep()
        # Before anybody is asked, and while they are.
        assert running.store.facts("default", 0.0).distrust_before == inf
        await running.turn()
        assert [each.rail for each in running.store.holds("default")] == [Rail.STORE_RESTORED]
        assert running.store.facts("default", 0.0).distrust_before == inf
        await running.turn_for(2 * PAST_DELAYS)
        assert bench.totals()["deleted"] == 0


async def test_a_question_that_a_restore_has_forgotten_is_asked_again(bench: Bench) -> None:
    """That a delete did harm is told by the log, and nobody has answered for it."""
    bench.rules = AT_ONCE
    lock = Returning(bench.store_url)
    async with bench.engine(lock=lock) as running, running.application() as app:
        await running.turn()
        await app.leak(1)
        await running.turn_until(lambda: bench.totals()["deleted"] == 1)
        (deletion,) = running.store.deletions("default")
        app.writer.note("container.referenced", container_id=deletion.container_id)

        def asked() -> set[Rail]:
            return {each.rail for each in running.store.holds("default")}

        await running.turn_until(lambda: asked() == {Rail.REFERENCED_DELETED})
        with running.store._database.engine.begin() as connection:
            connection.execute(delete(hold_containers))
            connection.execute(delete(holds))
        forget_the_present(running.store)
        lock.lost = True
        with pytest.raises(StoreFailedError):
            running.store.keep()
        both = {Rail.STORE_RESTORED, Rail.REFERENCED_DELETED}
        await running.turn_until(lambda: asked() == both)


def forget_the_present(store: SqlStore) -> None:
    """Have the store be an older copy than its daemon remembers."""
    with store._database.engine.begin() as connection:
        connection.execute(update(meta).values(tick=0))


def put_back(bench: Bench, older: Path) -> None:
    """Put a copy where the store was, as an operator would while the daemon is stopped."""
    for leftover in ("-wal", "-shm"):
        bench.store_file.with_name(bench.store_file.name + leftover).unlink(missing_ok=True)
    copyfile(older, bench.store_file)


def answer(running: Running, rail: Rail = Rail.STORE_RESTORED) -> None:
    """A person resumes the hold of the restore, as the command does."""
    (hold,) = [each for each in running.store.holds("default") if each.rail is rail]
    now = time.time()
    resume(running.store, hold, now=now, until=now + 60, by="me")
