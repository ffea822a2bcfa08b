"""How grave a line is, said the way that systemd's journal reads it: `sd-daemon(3)`."""

import logging
import os
from collections.abc import Mapping
from typing import TextIO

# syslog's numbers.
_DEBUG, _INFO, _WARNING, _ERROR, _CRITICAL = 7, 6, 4, 3, 2


def leads_to_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True when what is written to the stream goes to the journal, which strips the prefixes.

    systemd names the stream in `JOURNAL_STREAM`; a redirected one is another.
    """
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):  # ValueError: it has no descriptor
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


class Prioritised(logging.Formatter):
    """Puts the priority before each line that another formatter makes."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its priority."""
        return f"<{_priority(record.levelno)}>{self._inner.format(record)}"


def _priority(level: int) -> int:
    if level >= logging.CRITICAL:
        return _CRITICAL
    if level >= logging.ERROR:
        return _ERROR
    if level >= logging.WARNING:
        return _WARNING
    return _INFO if level >= logging.INFO else _DEBUG
