"""A real daemon process for tests, on a settings file of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

KEY = "sk-daemon-under-test"
_TOKEN_VARIABLE = "EVENTS_TOKEN"

# The shipped times fifty times faster, but for those that whole seconds bound.
SETTINGS = """
mode = "enforce"
database_url = "sqlite:///{folder}/demurrage.db"
[targets.default]
base_url = "{base_url}"
requests_per_minute = 60000
timeout = "2s"
[http]
bind = "127.0.0.1:{port}"
events_token_env = "{token_variable}"
[watch]
interval = "0.3s"
overlap = "4s"
reconcile_interval = "2s"
[evidence]
coverage = "complete"
max_birth_delay = "1.5s"
max_event_delay = "1s"
clock_skew = "0.5s"
writer_timeout = "30s"
activity_tolerance = "0s"
[policy]
idle_after = "2s"
sweep_lead = "1s"
[billing]
minimum = "6s"
tick = "1.2s"
idle_expiry = "24s"
"""
SCALE = 50.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Daemon:
    """`demurrage run`, started and ended as often as a test likes, on one store.

    `token` is what it asks of applications; without one they can end nothing. `environ` is added
    to its environment. `module` is what is run; `before` runs in the child before that.
    """

    folder: Path
    base_url: str
    token: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    module: str = "demurrage"
    before: Callable[[], None] | None = None
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        """Write the settings file."""
        text = SETTINGS.format(
            folder=self.folder,
            base_url=self.base_url,
            port=self.port,
            token_variable=_TOKEN_VARIABLE if self.token else "",
        )
        self.settings.write_text(text)

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "demurrage.toml"

    @property
    def url(self) -> str:
        """Its HTTP API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        """The file that its store and log are in."""
        return self.folder / "demurrage.db"

    @property
    def database_url(self) -> str:
        """Its store and log."""
        return f"sqlite:///{self.database}"

    def change(self, **values: str) -> None:
        """Give settings other values; each name is there already, and only once."""
        text = self.settings.read_text()
        for name, value in values.items():
            text, found = re.subn(
                rf'^{name} = ".*"$', f'{name} = "{value}"', text, flags=re.MULTILINE
            )
            assert found == 1, name
        self.settings.write_text(text)

    def start(self) -> None:
        """Start the process; what it says is appended to one file."""
        with (self.folder / "daemon.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.module, "run", "--config", str(self.settings)],
                env={
                    **os.environ,
                    "OPENAI_API_KEY": KEY,
                    _TOKEN_VARIABLE: self.token,
                    **self.environ,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self.before,  # noqa: PLW1509 (system calls alone)
            )

    def wait_until_ready(self, seconds: float = 90.0) -> None:
        """Wait for the first complete cycle."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            if self._ready():
                return
            time.sleep(0.1)
        raise AssertionError(f"not ready in time: {self.said()}")

    def _ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 20.0) -> int:
        """End it in good order; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def said(self) -> str:
        """The end of what it logged."""
        return (self.folder / "daemon.log").read_text()[-4000:]
