"""Bugsink, a real server that takes what is sent to Sentry, from an environment of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from tests.integration.process.daemon import free_port
from tests.leak import wait_until

# Where its commands are; make alerts says so.
PROGRAMS = Path(os.environ.get("BUGSINK", "/nowhere"))
_OPENER = build_opener(ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Bugsink:
    """One that runs, with a project."""

    root: str
    token: str
    dsn: str = ""

    @property
    def api(self) -> str:
        """Its API, as the daemon's settings want it."""
        return f"{self.root}/api/canonical/0"

    def ask(self, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        """What the API answers."""
        url = f"{self.api}/{path}/{'?' + urlencode(query) if query else ''}"
        request = Request(  # noqa: S310 - a loopback address of our own making
            url,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with _OPENER.open(request, timeout=60) as answer:
            return json.load(answer)

    def issues(self) -> list[dict[str, Any]]:
        """All issues, each with its newest event whole, as `event`."""
        return [
            {**each, "event": self._newest(each["id"])} for each in self.ask("issues")["results"]
        ]

    def _newest(self, issue: str) -> dict[str, Any]:
        listed = self.ask("events", issue=issue)["results"]
        found: dict[str, Any] = self.ask(f"events/{listed[0]['id']}")["data"]
        return found


@contextmanager
def running(folder: Path) -> Iterator[Bugsink]:
    """A new one, its databases in a folder."""
    port = free_port()
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "bugsink_conf", "PYTHONPATH": str(folder)}

    def manage(program: str, *arguments: str) -> str:
        done = subprocess.run(
            [PROGRAMS / program, *arguments],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    address = f"127.0.0.1:{port}"
    manage("bugsink-create-conf", "--template=local", "--host=127.0.0.1", f"--port={port}")
    manage("bugsink-manage", "migrate")
    manage("bugsink-manage", "migrate", "--database=snappea")
    token = manage("bugsink-manage", "create_auth_token").split()[-1]
    with (folder / "bugsink.log").open("wb") as log:
        server = subprocess.Popen(
            [PROGRAMS / "bugsink-manage", "runserver", "--noreload", address],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            made = Bugsink(f"http://{address}", token)
            wait_until("Bugsink", lambda: _answers(made), 120)
            team = made.ask("teams", {"name": "operators"})["id"]
            project = made.ask("projects", {"name": "demurrage", "team": team})["id"]
            yield Bugsink(made.root, token, made.ask(f"projects/{project}")["dsn"])
        finally:
            server.terminate()
            server.wait(60)


def _answers(bugsink: Bugsink) -> bool:
    try:
        bugsink.ask("teams")
    except OSError:
        return False
    return True
