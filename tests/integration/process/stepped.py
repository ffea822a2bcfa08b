"""The daemon on a wall clock that a test can set: SIGUSR1 an hour on, SIGUSR2 two hours back.

Everything asks Python for the time, so Python is what is told another one, before anything else
is imported. The clock that only ever goes on is left alone, as it is when a real one is set.
"""

import datetime as dt
import signal
import time
from typing import Self

_HOUR = 3600.0
_true = time.time
_ahead = 0.0


class Stepped(dt.datetime):
    """The moment now, by the clock that was set."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """By that clock."""
        return cls.fromtimestamp(time.time(), tz)


def _set(number: int, _frame: object) -> None:
    global _ahead  # noqa: PLW0603 - a clock is one for the process
    _ahead += _HOUR if number == signal.SIGUSR1 else -2 * _HOUR


def _told() -> float:
    return _true() + _ahead


if __name__ == "__main__":
    time.time = _told
    dt.datetime = Stepped  # type: ignore[misc]
    for each in (signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(each, _set)
    from demurrage.cli import main

    main()
