import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event
from tests.unit.store.build import NOW, ruling, sighting

from demurrage.model.error import StoreFailedError
from demurrage.model.record import BirthTally
from demurrage.store import SqlStore, open_store

WRITER = """
import sys
from demurrage.store import open_store
sys.path.insert(0, sys.argv[2])
from tests.unit.store.build import ruling
store = open_store(sys.argv[1])
number = 0
while True:
    number += 1
    store.record_verdicts("t", [ruling(f"{number}-{part}") for part in range(50)])
    store.touch(float(number))
    print(number, flush=True)
"""
ROOT = Path(__file__).parents[3]


@pytest.mark.usefixtures("path")
def test_a_full_disk_is_told_apart_and_undoes_the_whole_call(url: str) -> None:
    """SQLite out of pages: the error says so, nothing half is kept, and reading goes on."""
    with open_store(url) as store:
        store.save_sightings("t", [sighting("x")])
        pages = 40

        @event.listens_for(store._database.engine, "checkout")
        def _limit(connection: sqlite3.Connection, *_: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}").close()

        many = [ruling(f"c{number}") for number in range(5000)]
        with pytest.raises(StoreFailedError) as caught:
            store.record_verdicts("t", many)
        assert caught.value.disk_full
        assert "c1" not in str(caught.value)
        assert store.current_verdicts("t") == {}
        pages = 1_000_000
        assert len(store.record_verdicts("t", many)) == len(many)


def test_other_failures_are_not_a_full_disk(store: SqlStore) -> None:
    """A table torn out from under the store is a failure by name, without `disk_full`."""
    with store._database.write() as connection:
        connection.exec_driver_sql("DROP TABLE statuses")
    with pytest.raises(StoreFailedError) as caught:
        store.statuses()
    assert not caught.value.disk_full


def test_threads_may_write_at_the_same_time(store: SqlStore) -> None:
    """Nothing is lost and nothing fails when several threads write and read at once."""

    def work(number: int) -> None:
        for turn in range(10):
            store.tally("t", [BirthTally(int(NOW // 3600), births=1)])
            store.save_sightings("t", [sighting(f"{number}-{turn}")])
            store.record_verdicts("t", [ruling(f"{number}-{turn}")])
            store.current_verdicts("t")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(store.current_verdicts("t")) == 40
    assert sum(each.births for each in store.history("t", NOW).hours.values()) == 40
    assert store.totals("t", 300).all.created == 40


def test_two_processes_may_write_at_the_same_time(url: str, store: SqlStore) -> None:
    """A command that writes beside the daemon waits for its turn."""

    def work(opened: SqlStore) -> None:
        for _ in range(15):
            opened.tally("t", [BirthTally(int(NOW // 3600), births=1)])

    with open_store(url) as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [store, other]))
    assert store.history("t", NOW).hours[int(NOW // 3600)].births == 30


@pytest.mark.usefixtures("path")
def test_a_backup_is_consistent_while_others_write(store: SqlStore, tmp_path: Path) -> None:
    """Every copy taken under load holds whole transactions only."""
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(
            lambda: [
                store.record_verdicts("t", [ruling(f"{turn}-{part}") for part in range(20)])
                for turn in range(30)
            ]
        )
        copies: list[Path] = []
        while not busy.done():
            copies.append(tmp_path / f"copy{len(copies)}.db")
            store.backup(copies[-1])
        busy.result()
    for copy in copies:
        with open_store(f"sqlite:///{copy}", read_only=True) as restored:
            assert len(restored.current_verdicts("t")) % 20 == 0


@pytest.mark.process
def test_kill_nine_loses_nothing_that_was_committed(url: str) -> None:
    """After a kill the store opens, holds whole transactions, and is not taken for restored."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(ROOT)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(20)]
        writer.kill()
    with open_store(url, read_only=True) as reader:
        assert not reader.restored
        assert len(reader.current_verdicts("t")) >= 50 * told[-1]
    with open_store(url) as store:
        assert not store.restored
        held = len(store.current_verdicts("t"))
        assert held >= 50 * told[-1]
        assert held % 50 == 0
