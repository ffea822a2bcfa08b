"""The end of the process, whatever hangs."""

import os
import threading

import structlog

# Seconds; less than the unit's TimeoutStopSec. A delete under way is waited for, and takes its
# target's `timeout` at most; a database that has gone silent may never answer.
PATIENCE = 50.0


def end_within(seconds: float) -> None:
    """End the process in so many seconds if it has not ended by itself.

    A kill is safe at any moment: what was about to be deleted is written down before.
    """

    def cut_off() -> None:
        structlog.get_logger("demurrage").error("stop_cut_off", seconds=seconds)
        os._exit(1)

    timer = threading.Timer(seconds, cut_off)
    timer.daemon = True
    timer.start()
