"""Logging: JSON in service, readable on a terminal, one event name for each kind of line.

Everything in the process, the libraries included, leaves through one handler and is redacted
there. Moments are UTC.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Literal, TextIO

import structlog
from structlog.dev import ConsoleRenderer, plain_traceback
from structlog.processors import ExceptionRenderer, JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ProcessorFormatter
from structlog.tracebacks import ExceptionDictTransformer
from structlog.types import EventDict, Processor, WrappedLogger

from demurrage.observe.journal import Prioritised, leads_to_journal
from demurrage.observe.redact import Redactor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]
OnError = Callable[[BaseException], None]

# Below a warning these tell of every request, query or tick, and at debug the SDK writes whole
# request bodies, prompts included: so they stay at warning whatever the level.
_QUIET = (
    "alembic",
    "apprise",
    "apscheduler",
    "asyncio",
    "azure",
    "httpcore",
    "httpcore2",
    "httpx",
    "httpx2",
    "openai",
    "sqlalchemy",
    "urllib3",
    "uvicorn",
)


def set_up_logs(
    level: Level = "info",
    form: Format = "auto",
    *,
    redactor: Redactor | None = None,
    on_error: OnError | None = None,
    stream: TextIO | None = None,
) -> None:
    """Route every log line of the process through one redacting handler.

    Args:
        level: the daemon's own; libraries never go below warning.
        form: auto means console on a terminal, else JSON.
        redactor: knows the secrets that the daemon holds.
        on_error: is handed the exception of every line at error or above that has one.
        stream: where lines go; standard error if not given.
    """
    stream = stream or sys.stderr
    console = form == "console" or (form == "auto" and stream.isatty())
    hooks: list[Processor] = [_Hand(on_error)] if on_error else []
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        TimeStamper(fmt="iso", utc=True),
        *hooks,
    ]
    handler = logging.StreamHandler(stream)
    formatter: logging.Formatter = ProcessorFormatter(
        foreign_pre_chain=[*common, _foreign],
        processors=_rendering(redactor or Redactor(), console=console, stream=stream),
    )
    if leads_to_journal(stream, os.environ):
        formatter = Prioritised(formatter)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _QUIET:
        _quieten(name)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *common,
            ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _rendering(redactor: Redactor, *, console: bool, stream: TextIO) -> Sequence[Processor]:
    # Exceptions become data before redaction, never after it, and without local variables.
    if console:
        return (
            ProcessorFormatter.remove_processors_meta,
            format_exc_info,
            _Redaction(redactor),
            ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain_traceback),
        )
    return (
        ProcessorFormatter.remove_processors_meta,
        ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
        _Redaction(redactor),
        JSONRenderer(),
    )


def _quieten(name: str) -> None:
    """Let a library speak from warning up, through our handler alone."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    for known in [name, *logging.root.manager.loggerDict]:
        if known == name or known.startswith(f"{name}."):
            child = logging.getLogger(known)
            child.handlers.clear()
            child.propagate = True
            if child.level < logging.WARNING and known != name:
                child.setLevel(logging.NOTSET)


def _foreign(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """A library's line: one event name for all, its text beside it."""
    del logger, method
    record: logging.LogRecord = line["_record"]
    line["message"], line["event"], line["logger"] = line["event"], "library", record.name
    return line


class _Redaction:
    """The processor that masks secrets in every field."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
        """Mask."""
        del logger, method
        return {name: self._redactor.field(name, value) for name, value in line.items()}


class _Hand:
    """The processor that hands the exceptions of error lines on."""

    def __init__(self, on_error: OnError) -> None:
        self._on_error = on_error

    def __call__(self, logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
        """Hand on; the line itself stays as it is."""
        del logger, method
        if line.get("level") in ("error", "critical"):
            error = _exception(line.get("exc_info"))
            if error is not None:
                self._on_error(error)
        return line


def _exception(exc_info: Any) -> BaseException | None:
    """The exception that a line's `exc_info` means, in any of the forms that logging allows."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None
