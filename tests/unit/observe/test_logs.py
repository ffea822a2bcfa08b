"""One handler for all lines: format, levels, redaction, errors handed on."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from demurrage.observe.logs import set_up_logs
from demurrage.observe.redact import Redactor

SECRET = "sk-proj-S3cretS3cretS3cret"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Leave the process's logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The JSON lines that were written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _fail_with(message: str, local: str) -> None:
    kept_in_a_local = [local]
    raise ValueError(message * len(kept_in_a_local))


def test_line_is_json_in_utc() -> None:
    """A line is one JSON object with its event's name, level and a UTC moment."""
    stream = io.StringIO()
    set_up_logs("info", "json", stream=stream)
    structlog.get_logger().info("swept", target="default", count=3)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "swept", "level": "info", "target": "default", "count": 3}


def test_auto_is_json_off_a_terminal() -> None:
    """What is not a terminal gets JSON."""
    stream = io.StringIO()
    set_up_logs("info", "auto", stream=stream)
    structlog.get_logger().info("swept")
    assert lines(stream)


@pytest.mark.parametrize("form", ["auto", "console"])
def test_console_is_no_json(form: Any) -> None:
    """A terminal, or who asks for it, gets readable lines."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return bool(form == "auto")

    stream = Terminal()
    set_up_logs("info", form, stream=stream)
    structlog.get_logger().info("swept", count=3)
    assert "swept" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_level_applies_to_the_daemon() -> None:
    """Lines below the level are not written."""
    stream = io.StringIO()
    set_up_logs("warning", "json", stream=stream)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(stream)] == ["loud"]


@pytest.mark.parametrize(
    "name",
    ["openai._base_client", "httpx", "httpx2", "httpcore2.connection", "sqlalchemy.engine.Engine",
     "apscheduler.executors.default", "uvicorn.access", "uvicorn.error", "asyncio"],
)  # fmt: skip
def test_libraries_speak_from_warning_up(name: str) -> None:
    """At debug the SDK would write prompts; libraries are heard from warning up, our way."""
    stream = io.StringIO()
    library = logging.getLogger(name)
    library.setLevel(logging.DEBUG)
    library.addHandler(logging.NullHandler())
    library.propagate = False
    set_up_logs("debug", "json", stream=stream)
    library.debug("Request options: %s", {"json_data": "prompt text"})
    library.info("GET /")
    library.warning("slow %s", "down")
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["message"]) == ("library", name, "slow down")


def test_warnings_are_lines() -> None:
    """Python's own warnings do not bypass the handler."""
    stream = io.StringIO()
    set_up_logs("info", "json", stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old", UserWarning, stacklevel=1)
    (line,) = lines(stream)
    assert line["logger"] == "py.warnings"


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_never_reach_a_line(form: Any) -> None:
    """Not in the event, a field, a nested value, a library's text, an exception or its locals."""
    stream = io.StringIO()
    set_up_logs("debug", form, stream=stream, redactor=Redactor(["plain-known-secret"]))
    log = structlog.get_logger()
    keyed = f"key {SECRET}"
    log.info(keyed, a=SECRET, api_key="short", b={"c": ["plain-known-secret"]})
    logging.getLogger("other").warning("Authorization: Bearer %s", SECRET)
    local_only = SECRET.lower()
    try:
        _fail_with(SECRET, local_only)
    except ValueError:
        log.exception("failed")
        logging.getLogger("other").exception("failed %s", "too")
    log.error("failed", exc_info=ValueError(SECRET))
    text = stream.getvalue()
    assert "ValueError" in text
    for secret in (SECRET, local_only, "plain-known-secret", "short"):
        assert secret not in text


def test_errors_are_handed_on() -> None:
    """The exception of an error line, ours or a library's, is reported; a mere line is not."""
    seen: list[BaseException] = []
    set_up_logs("info", "json", stream=io.StringIO(), on_error=seen.append)
    log = structlog.get_logger()
    errors = [ValueError(str(n)) for n in range(4)]
    log.error("given", exc_info=errors[0])
    try:
        raise errors[1]
    except ValueError:
        log.exception("current")
    try:
        raise errors[2]
    except ValueError:
        logging.getLogger("apscheduler.executors.default").exception("Job raised")
    log.warning("no_error", exc_info=errors[3])
    log.error("without")
    assert seen == errors[:3]
