"""Runs an image as a container runtime would: read-only, as its user, as process 1."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a runtime does between clone() and exec(): a read-only view of the root, with the volume
# and what is handed in bound over it.
_ENTER = """
set -e
root=$1 volume=$2 handed=$3 user=$4
shift 4
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$volume" "$root/var/lib/demurrage"
mount --bind "$handed" "$root/mnt"
mount -o remount,bind,ro "$root/mnt"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
exec setpriv --no-new-privs chroot --groups= --userspec="$user" "$root" "$@"
"""


@dataclass
class Contained:
    """One container.

    Args:
        root: its file system.
        config: the image's.
        volume: where its state lives.
        handed: a folder that it sees, read-only, as `/mnt`.
        environ: variables beyond the image's.
    """

    root: Path
    config: Mapping[str, Any]
    volume: Path
    handed: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    _runtime: subprocess.Popen[bytes] | None = None
    pid: int = 0

    @property
    def log(self) -> Path:
        """What it has said so far."""
        return self.volume.parent / f"{self.volume.name}.log"

    def start(self, seconds: float = 30.0) -> None:
        """Start what the image runs."""
        command = (*self.config["Entrypoint"], *self.config["Cmd"])
        with self.log.open("ab") as log:
            self._runtime = subprocess.Popen(
                [
                    *("unshare", "--mount", "--pid", "--ipc", "--uts", "--kill-child"),
                    *("sh", "-c", _ENTER, "sh", self.root, self.volume, self.handed),
                    *(self.config["User"], *self._environment(), *command),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        children = Path(f"/proc/{self._runtime.pid}/task/{self._runtime.pid}/children")
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.pid:
            assert self._runtime.poll() is None, self.said()
            child = next(iter(map(int, children.read_text().split())), 0)
            if child and self._entered(child):
                self.pid = child
            time.sleep(0.05)
        assert self.pid, self.said()

    def run(self, *command: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command in it as its user, as `docker exec` does."""
        uid, gid = self.config["User"].split(":")
        return subprocess.run(
            [
                *("nsenter", f"--target={self.pid}", "--mount", "--pid", "--ipc", "--uts"),
                *("--root", "--wd", f"--setuid={uid}", f"--setgid={gid}"),
                *(*self._environment(), *command),
            ],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def healthy(self) -> subprocess.CompletedProcess[str]:
        """Run the image's own health check."""
        kind, *command = self.config["Healthcheck"]["Test"]
        return self.run(*(("/bin/sh", "-c") if kind == "CMD-SHELL" else ()), *command)

    def signal(self, number: signal.Signals) -> None:
        """Send process 1 a signal from outside."""
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Wait for its end; returns the exit code."""
        assert self._runtime is not None
        code = self._runtime.wait(seconds)
        self.pid = 0
        return code

    def kill(self) -> None:
        """End it, however it is.

        Once it has changed its user, it does not die with the runtime any more.
        """
        if self._runtime is not None and self._runtime.poll() is None:
            if self.pid:
                os.kill(self.pid, signal.SIGKILL)
            self._runtime.kill()
            self._runtime.wait()

    def said(self) -> str:
        """The end of what it said."""
        return self.log.read_text()[-4000:]

    def _entered(self, pid: int) -> bool:
        """True once a process is the image's user: that is the last step of going in."""
        status = Path(f"/proc/{pid}/status").read_text()
        return f"\nUid:\t{self.config['User'].partition(':')[0]}\t" in status

    def _environment(self) -> Sequence[str]:
        """The image's variables and the caller's, and none of the host's."""
        given = (f"{name}={value}" for name, value in self.environ.items())
        return ("env", "-i", *self.config["Env"], *given)
