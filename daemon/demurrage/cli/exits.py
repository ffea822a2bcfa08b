"""What the commands' exit codes mean, and which trouble leads to which."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from demurrage.model.error import (
    AlreadyRunningError,
    DemurrageError,
    NoStoreError,
    SettingsError,
    StoreAwayError,
    StoreUnusableError,
)


class Code(IntEnum):
    """The exit codes; scripts rely on them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    RUNNING = 4
    CHANGED = 5


EXITS = """\b
Exit codes:
  0  done
  1  failed while running, or nothing of that name was found
  2  a setting or an argument is wrong; one line for each problem
  3  refused: the mode is not enforce, a rail holds, or the plan no longer holds
  4  a daemon already runs on this store
  5  the canary found an answer changed
"""


class UsageError(DemurrageError):
    """An argument or a file given to a command is wrong; the message names it."""


class FailedError(DemurrageError):
    """What was asked for cannot be done or found."""


class RefusedError(DemurrageError):
    """What was asked for is not allowed as things stand."""


_CODES: tuple[tuple[type[DemurrageError], Code], ...] = (
    (SettingsError, Code.USAGE),
    (NoStoreError, Code.FAILED),
    (StoreAwayError, Code.FAILED),
    # Any other: its message names `database_url`, which has to be changed.
    (StoreUnusableError, Code.USAGE),
    (UsageError, Code.USAGE),
    (RefusedError, Code.REFUSED),
    (AlreadyRunningError, Code.RUNNING),
)


@contextmanager
def named_exits() -> Iterator[None]:
    """Turn the project's own errors into a line for each problem and an exit code.

    Raises:
        typer.Exit: in place of every DemurrageError.
    """
    try:
        yield
    except DemurrageError as error:
        for line in str(error).splitlines():
            print(f"demurrage: {line}", file=sys.stderr)
        kinds = (code for kind, code in _CODES if isinstance(error, kind))
        raise typer.Exit(next(kinds, Code.FAILED)) from None
