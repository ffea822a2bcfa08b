"""The daemon's own HTTP face before a real log, on a port or a unix socket, in a thread."""

import socket
import threading
import time
from pathlib import Path
from typing import Self

import uvicorn
from pydantic import SecretStr
from tests.unit.web.conftest import FakeEngine

from demurrage.eventlog.log import EventLog
from demurrage.model.plan import Mode
from demurrage.model.rules import Rules
from demurrage.provider.budget import BudgetSnapshot
from demurrage.store import open_store
from demurrage.web.app import create_app
from demurrage.web.doors import Doors
from demurrage.web.service import Service


class Door:
    """Takes events as the daemon does; use it as a context manager.

    Args:
        folder: where log and store lie; the same ones again for another door.
        path: a unix socket; None means a free port.
        token: what whoever appends must bear.
    """

    def __init__(self, folder: Path, path: Path | None = None, token: str | None = None) -> None:
        self._store = open_store(f"sqlite:///{folder}/store.sqlite", clock=time.time)
        self.log = EventLog.open(f"sqlite:///{folder}/log.sqlite", clock=time.time)
        if path is None:
            self._socket = socket.create_server(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        else:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(str(path))
            self.url = f"http+unix://{path}"
        service = Service(
            engine=FakeEngine(),
            store=self._store,
            log=self.log,
            rules={"default": Rules(), "second": Rules()},
            mode=Mode.OBSERVE,
            version="1.2.3",
            started_at=0.0,
            clock=time.time,
            budget=lambda _target: BudgetSnapshot(60, 60, 7, 0),
            exposition=lambda: b"",
            on_webhook=lambda _target, _outcome: None,
        )
        secret = None if token is None else SecretStr(token)
        app = create_app(service, Doors(events_token=secret))
        config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> Self:
        """Serve; connections wait until the loop turns."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop and close everything."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.log.close()
        self._store.close()
