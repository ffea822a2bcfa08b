"""Sentry's cron monitors: one for each target, checked in at while its cycles are complete.

A daemon that hangs, or is gone, cannot say so; Sentry notices that nobody checks in.
"""

import re
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from demurrage.alerts.sentry_client import SentryClient
from demurrage.alerts.sink import SinkFailedError
from demurrage.engine.fan import Fan
from demurrage.engine.hooks import CycleReport

if TYPE_CHECKING:
    from sentry_sdk.types import Event, MonitorConfig

# Seconds between two check-ins of one monitor; Sentry knows no shorter schedule than a minute.
PACE = 60.0
# Seconds that the end of the daemon waits for one under way.
_PATIENCE = 1.0
# Minutes late, and failures in a row, before Sentry calls anybody: a restart is neither.
_CONFIG: "MonitorConfig" = {
    "schedule": {"type": "interval", "value": 1, "unit": "minute"},
    "checkin_margin": 5,
    "max_runtime": 5,
    "failure_issue_threshold": 5,
    "recovery_threshold": 1,
    "timezone": "UTC",
}


class CheckIns(Fan):
    """Checks in for each target, from a thread of its own.

    Args:
        client: sends to Sentry.
        pace: seconds between two check-ins of a target.
    """

    def __init__(self, client: SentryClient, pace: float = PACE) -> None:
        super().__init__()  # nothing else that the engine tells is told there
        self._client = client
        self._pace = pace
        self._log = structlog.get_logger("demurrage")
        # By target, whether its last cycle was complete; taken out when it is sent.
        self._turned: dict[str, bool] = {}
        self._guard = threading.Lock()
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="check-ins", daemon=True)
        self._failing = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; one that hangs is left behind."""
        self._stopped.set()
        self._awake.set()
        self._thread.join(_PATIENCE)

    def cycled(self, report: CycleReport) -> None:
        """A cycle ended."""
        self._note(report.target, complete=report.complete)

    def failed(self, target: str, error: Exception) -> None:
        """A cycle ended by an error."""
        del error
        self._note(target, complete=False)

    def _note(self, target: str, *, complete: bool) -> None:
        with self._guard:
            self._turned[target] = complete
        self._awake.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._awake.wait()
            self._awake.clear()
            with self._guard:
                turned, self._turned = self._turned, {}
            for target, complete in turned.items():
                if not self._stopped.is_set():
                    self._check_in(target, complete=complete)
            self._stopped.wait(self._pace)

    def _check_in(self, target: str, *, complete: bool) -> None:
        options = self._client.options
        event: Event = {
            "type": "check_in",
            "check_in_id": uuid4().hex,
            "monitor_slug": slug(target),
            "status": "ok" if complete else "error",
            "environment": options["environment"],
            "release": options["release"],
            "monitor_config": _CONFIG,
        }
        try:
            self._client.send(event)
        except SinkFailedError as error:
            if not self._failing:
                self._log.warning("check_in_failed", target=target, reason=str(error))
            self._failing = True
        except Exception as error:  # noqa: BLE001 - no fault may end the thread unnoticed
            self._log.error("check_in_broken", target=target, exc_info=error)
        else:
            self._failing = False


def slug(target: str) -> str:
    """The monitor's name: Sentry takes small letters, digits, `-` and `_`."""
    return re.sub(r"[^a-z0-9_-]", "-", f"demurrage-{target}".lower())
