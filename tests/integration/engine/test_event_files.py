"""Applications that log to files in a shared folder, and what their death means."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.integration.engine.application import Application
from tests.integration.engine.conftest import APP_KEY, AT_ONCE, DELETED, Bench
from tests.integration.engine.test_api_faults import named_everywhere, over
from tests.unit.eventlog.files.conftest import Recorder, append

from demurrage.eventlog.files import deaths
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.model.condition import ConditionKind
from demurrage.simulator.delivery import CloudEvent

LEAKED = 3
SILENT = ConditionKind.SILENT_WRITER


@pytest.fixture
def shared(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bench's shared folder; locks prove what they prove on a local disk."""
    folder = tmp_path / "shared"
    folder.mkdir()
    monkeypatch.setattr(deaths, "lock_fault", lambda _: None)
    monkeypatch.setattr(deaths, "boot", lambda: "this")

    def feed(log: EventLog) -> FolderFeed:
        return FolderFeed(folder, log, targets=("default",), clock=time.time)

    bench.rules = AT_ONCE
    bench.feed = feed
    return folder


def moved(old: Path, new: Path) -> Path:
    """The folder under its new name."""
    return old.rename(new)


class Logging(Application):
    """An application that writes its events to a journal, and dies when it is told to."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.recorder = Recorder(folder)
        self.recorder.live()

        async def send(batch: Sequence[CloudEvent]) -> None:
            append(self.recorder.journal, *batch)

        super().__init__(bench.harbour.base_url, APP_KEY, send, source=self.recorder.source)


async def test_orphans_of_an_application_that_logs_to_files_are_swept(
    bench: Bench, shared: Path
) -> None:
    """What it uses stays; a folder that cannot be read keeps everything until it can."""
    app = Logging(bench, shared)
    async with bench.engine() as running:
        running.store.declare_coverage("default", at=time.time() - 3600)
        await running.turn()
        async with app.at_work():
            conversation = await app.converse()
            away = moved(shared, shared.parent / "away")
            await running.turn_until(
                lambda: named_everywhere(running, ConditionKind.LOG_UNREADABLE)
            )
            app.recorder.folder = away
            await app.leak(LEAKED)
            await running.turn_for(1.5)
            assert DELETED not in bench.called()
            app.recorder.folder = moved(away, shared)
            await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
            await running.turn_until(lambda: over(running, ConditionKind.LOG_UNREADABLE))
            await app.ask(use_tool=True, conversation=conversation)
    totals = bench.totals()
    assert (totals["harm"], totals["orphans_deleted"]) == (0, LEAKED)
    app.recorder.die()


async def test_a_proven_death_ends_the_waiting_and_unended_calls_still_block(
    bench: Bench, shared: Path
) -> None:
    """Killed in the middle of a call: its orphans go, what that call may have made stays."""
    killed, other = Logging(bench, shared), Logging(bench, shared)
    async with bench.engine() as running:
        running.store.declare_coverage("default", at=time.time() - 3600)
        await running.turn()
        async with other.at_work():
            stop = asyncio.Event()
            beating = asyncio.create_task(killed.writer.run(stop))
            await killed.leak(LEAKED)
            await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
            killed.writer.note(
                "response.started", call_id="cut-off", slots=[{"tool": "code_interpreter"}]
            )
            await killed.writer.flush()
            beating.cancel()
            killed.recorder.die()
            await running.turn_until(lambda: named_everywhere(running, SILENT))
            await running.turn_until(lambda: over(running, SILENT))
            acts = [each for each in running.store.acts() if each.what == "retire_writer"]
            assert [(each.by, each.about) for each in acts] == [
                ("its lock is gone", killed.recorder.source)
            ]
            await other.leak(LEAKED)
            await running.turn_for(2.0)
            assert bench.totals()["deleted"] == LEAKED
            assert (
                running.engine.evidence.ledger.book("default").responses["cut-off"].ended is False
            )
        await killed.client.close()
    other.recorder.die()


async def test_a_living_process_whose_lock_was_lost_is_not_retired(
    bench: Bench, shared: Path
) -> None:
    """Its heartbeats say that the proof is wrong."""
    app = Logging(bench, shared)
    async with bench.engine() as running:
        await running.turn()
        async with app.at_work():
            await app.ask()
            await running.turn_for(0.5)
            app.recorder.die()
            await running.turn_for(2.0)
            assert app.recorder.source in running.engine.evidence.dead
        assert not [each for each in running.store.acts() if each.what == "retire_writer"]
