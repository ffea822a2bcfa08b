"""A store and a log that are closed while a thread still reads leave nothing open behind."""

import threading
from pathlib import Path
from typing import Any

import pytest

from demurrage.eventlog.log import EventLog
from demurrage.store import open_store


@pytest.mark.parametrize("kind", ["store", "log"])
def test_a_connection_that_comes_back_late_is_closed(tmp_path: Path, kind: str) -> None:
    """Nobody looks into the pool any more, so it would stay open until it is collected."""
    url = f"sqlite:///{tmp_path}/one.db"
    store, log = open_store(url), EventLog.open(f"sqlite:///{tmp_path}/two.db", clock=lambda: 0.0)
    engine = store._database.engine if kind == "store" else log._engine
    close = store.close if kind == "store" else log.close
    busy, closed = threading.Event(), threading.Event()
    held: list[Any] = []

    def read() -> None:
        with engine.connect() as connection:
            held.append(connection.connection.driver_connection)
            busy.set()
            closed.wait(30)

    reader = threading.Thread(target=read)
    reader.start()
    busy.wait(30)
    close()
    closed.set()
    reader.join()
    with pytest.raises(Exception, match="closed"):
        held[0].execute("SELECT 1")
    store.close()
    log.close()
