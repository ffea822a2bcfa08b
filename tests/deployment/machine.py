"""A Debian that boots: systemd in a container of systemd-nspawn, driven from outside."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


class Machine:
    """One booted system on a root of its own.

    Args:
        root: its file system.
        shared: a folder that it sees as `/shared`.
    """

    def __init__(self, root: Path, shared: Path) -> None:
        self.root = root
        self._shared = shared
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0

    def boot(self, seconds: float = 120.0) -> None:
        """Start it, and wait until it is up."""
        with (self.root.parent / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [
                    "systemd-nspawn",
                    "--quiet",
                    f"--directory={self.root}",
                    f"--machine=demurrage-{os.getpid()}",
                    "--register=no",
                    "--keep-unit",
                    "--private-users=no",
                    f"--bind={self._shared}:/shared",
                    "--boot",
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            self._leader = self._leader or _child_of(self._process.pid)
            if self._leader and self._up():
                return
            time.sleep(0.2)
        raise AssertionError((self.root.parent / "console.log").read_text()[-4000:])

    def _up(self) -> bool:
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def run(
        self, *command: str, check: bool = True, seconds: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it, as its root."""
        done = subprocess.run(
            ["nsenter", f"--target={self._leader}", "--all", "--", *_CLEAN, *command],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.run("systemctl", "show", unit, f"--property={name}", "--value").stdout.strip()

    def journal(self, unit: str) -> str:
        """What a unit has said so far, whole."""
        return self.run("journalctl", "--no-pager", "--output=json", f"--unit={unit}").stdout

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        """Wait for a condition; what the service said is shown where it does not come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.2)
        said = self.run("journalctl", "--no-pager", "--lines=40", check=False).stdout
        raise AssertionError(f"{what} did not come:\n{said}")

    def power_off(self) -> None:
        """End it."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# Nothing of whoever runs the tests gets in.
_CLEAN: Sequence[str] = (
    "env",
    "-i",
    "--chdir=/",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
)


def missing() -> list[str]:
    """The programs that a machine needs and this host lacks."""
    return [
        each for each in ("debootstrap", "systemd-nspawn", "nsenter") if shutil.which(each) is None
    ]


def _child_of(pid: int) -> int:
    """The first process of the machine, 0 while there is none."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        found = children.read_text().split()
        if found:
            return int(found[0])
    return 0
