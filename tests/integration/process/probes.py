"""Asks a daemon's probes all the while, as an orchestrator does."""

import json
import threading
import time
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Answers:
    """One look; a status of 0 is no answer. `reasons` are what `/readyz` gives for a 503."""

    at: float
    alive: int
    ready: int
    reasons: str


class Prober:
    """A thread that asks `/healthz` and `/readyz` several times a second.

    Args:
        port: of the daemon.
    """

    def __init__(self, port: int) -> None:
        self.seen: list[Answers] = []
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def wait_for(self, ready: int, seconds: float) -> Answers:
        """Wait until `/readyz` answers so from now on; returns the first such answer."""
        since = time.monotonic()
        while time.monotonic() < since + seconds:
            for each in self.seen[-20:]:
                if each.at >= since and each.ready == ready:
                    return each
            time.sleep(0.05)
        raise AssertionError(f"/readyz did not answer {ready} within {seconds} s: {self.seen[-3:]}")

    def _run(self) -> None:
        while not self._over.wait(0.1):
            at = time.monotonic()
            alive, _ = ask(self._port, "/healthz")
            ready, body = ask(self._port, "/readyz")
            self.seen.append(Answers(at, alive, ready, body))


def ask(port: int, path: str) -> tuple[int, str]:
    """Status and reasons of an answer; 0 for none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        told = answer.read()
    except (OSError, HTTPException):
        return 0, ""
    finally:
        connection.close()
    if answer.status != 503:
        return answer.status, ""
    return answer.status, "; ".join(json.loads(told).get("reasons", ()))
