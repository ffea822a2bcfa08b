"""Whether each sink can be told; where a person asks for it, by telling it."""

import threading
import time

from demurrage.alerts.notice import Scribe, trial_notice
from demurrage.alerts.sink import Sink, SinkFailedError
from demurrage.app.assembly import redactor
from demurrage.app.preflight.check import Check, Grade
from demurrage.app.settings import Settings
from demurrage.app.sinks import sink, sink_names
from demurrage.observe.redact import Redactor

# Seconds that a person waits for the slowest; each call of a sink has an end of its own before.
_PATIENCE = 45.0
_HANGS = "it does not answer, and does not break off either"
_ADVICE = "mend its address or secret; see docs/alerts.md"


def sink_checks(settings: Settings, *, send: bool) -> list[Check]:
    """A check for each sink.

    Args:
        settings: with their secrets.
        send: send each a test and the test's end; else only see that it can be made.
    """
    if send and not sink_names(settings):
        advice = "set [sinks.NAME] or Sentry, as docs/alerts.md says"
        return [Check("sinks", Grade.WARN, "none is set: nobody is told of incidents", advice)]
    hidden = redactor(settings)
    trials = [_Trial(name, sink(settings, name, hidden), hidden) for name in sink_names(settings)]
    if not send:
        return [each.untried() for each in trials]
    for each in trials:
        each.start()
    deadline = time.monotonic() + _PATIENCE
    return [each.tried(deadline) for each in trials]


class _Trial:
    """One sink, tried in a thread of its own: one that hangs keeps nobody from an answer."""

    def __init__(self, name: str, tried: Sink, hidden: Redactor) -> None:
        self._name = f"sink {name}"
        self._sink = tried
        self._scribe = Scribe(hidden)
        self._came_of_it = _HANGS
        self._thread = threading.Thread(target=self._send, name=self._name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def untried(self) -> Check:
        """What is known of it without telling it anything."""
        if self._sink.fault:
            return self._failed(self._sink.fault)
        advice = "demurrage check --send-test sends it a test"
        return Check(self._name, Grade.PASS, "is set up; nothing was sent to it", advice)

    def tried(self, deadline: float) -> Check:
        """What became of the test, by the monotonic clock's `deadline` at the latest."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._came_of_it:
            return self._failed(self._came_of_it)
        return Check(self._name, Grade.PASS, "has taken a test, and the test's end")

    def _send(self) -> None:
        try:
            for ended in (False, True):
                self._sink.tell(trial_notice(time.time(), ended=ended))
        except SinkFailedError as error:
            self._came_of_it = self._scribe.text(str(error))
        except Exception as error:  # noqa: BLE001 - what it says could be anything, and name a key
            self._came_of_it = f"its code failed: {type(error).__name__}"
        else:
            self._came_of_it = ""

    def _failed(self, why: str) -> Check:
        return Check(self._name, Grade.FAIL, f"cannot be told: {why}", _ADVICE)
