"""What a service manager is told: systemd's notification protocol, `sd_notify(3)`.

A datagram to the socket that `NOTIFY_SOCKET` names; without it nobody asked, and nothing is said.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

# Beats for each stretch after which the manager takes the service for dead.
_BEATS = 3
_LONGEST_STATUS = 500


class Manager:
    """Whoever started the daemon, as far as it wants to be told.

    Args:
        environ: the process's environment; `NOTIFY_SOCKET` and `WATCHDOG_USEC` are read.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        self._said = ""
        self.beat_every = _beat_every(environ)

    @property
    def listens(self) -> bool:
        """True when there is one."""
        return bool(self._address)

    def ready(self) -> None:
        """The daemon has started, or is through with what it said it does."""
        self._tell("READY=1")

    def status(self, words: str) -> None:
        """How it goes, in one line for people; said when it changes."""
        line = " ".join(words.split())[:_LONGEST_STATUS]
        if line != self._said:
            self._said = line
            self._tell(f"STATUS={line}")

    def beat(self) -> None:
        """The daemon makes progress."""
        self._tell("WATCHDOG=1")

    def extend(self, seconds: float) -> None:
        """What is under way, a start or an end, takes so long yet."""
        self._tell(f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def reloading(self) -> None:
        """The settings are read again; `ready` ends it."""
        now = time.clock_gettime(time.CLOCK_MONOTONIC)
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1_000_000)}")

    def stopping(self) -> None:
        """The daemon ends."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # A manager that cannot be reached is no reason to stop.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state.encode(), self._address)


def _beat_every(environ: Mapping[str, str]) -> float | None:
    """Seconds between two beats; None where nobody waits for any from this process."""
    meant_for = environ.get("WATCHDOG_PID", "")
    if meant_for and meant_for != str(os.getpid()):
        return None
    try:
        patience = int(environ.get("WATCHDOG_USEC", "")) / 1_000_000
    except ValueError:
        return None
    return patience / _BEATS if patience > 0 else None
