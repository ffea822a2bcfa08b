"""The daemon's errors in Sentry: scrubbed, and nothing at all without a DSN."""

import json
import os
import subprocess
import sys

import pytest
from tests.unit.alerts.kent import arrived

from demurrage.alerts.sentry import start_sentry
from demurrage.model.error import SettingsError

SECRET = "sk-proj-S3cretS3cretS3cret"

DAEMON = """
import os, sys
from demurrage.alerts.sentry import start_sentry
from demurrage.observe.redact import Redactor

report = start_sentry(
    os.environ["DSN"], "staging", "demurrage@1.2.3", redactor=Redactor([os.environ["KNOWN"]])
)
assert report is not None

def fail():
    key_in_a_local = os.environ["KEY"]
    headers = {"authorization": key_in_a_local, "note": os.environ["KNOWN"]}
    raise RuntimeError("call failed with " + key_in_a_local + " and " + headers["note"])

try:
    fail()
except RuntimeError as error:
    report(error)
raise ValueError("unhandled " + os.environ["KEY"])
"""


@pytest.mark.process
def test_errors_arrive_scrubbed(kent: str) -> None:
    """A reported and an unhandled error arrive, with no secret, local variable or argument."""
    known = "plain-known-secret"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", DAEMON, f"--token={SECRET}"],
        env=os.environ | {"DSN": f"http://public@{kent}/1", "KEY": SECRET, "KNOWN": known},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    events = arrived(kent, 2)
    raised = {event["exception"]["values"][-1]["type"]: event for event in events}
    assert set(raised) == {"RuntimeError", "ValueError"}
    for event in events:
        text = json.dumps(event)
        assert SECRET not in text
        assert known not in text
        assert '"vars"' not in text
        assert "request" not in event
        assert "extra" not in event
        assert event["environment"] == "staging"
        assert event["release"] == "demurrage@1.2.3"
    frames = raised["RuntimeError"]["exception"]["values"][-1]["stacktrace"]["frames"]
    assert [frame["function"] for frame in frames] == ["<module>", "fail"]


def test_nothing_without_a_dsn() -> None:
    """Without a DSN there is no reporter."""
    assert start_sentry(None, "", "demurrage@1") is None
    assert start_sentry("", "", "demurrage@1") is None


@pytest.mark.process
def test_nothing_is_imported_without_a_dsn() -> None:
    """The settings, logs and the Sentry room itself load nothing of the SDK."""
    script = (
        "import sys\n"
        "import demurrage.app.settings, demurrage.observe.logs, demurrage.observe.metrics\n"
        "from demurrage.alerts.sentry import start_sentry\n"
        "start_sentry('', '', 'demurrage@1')\n"
        "sys.exit('sentry_sdk' in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], stdin=subprocess.DEVNULL, timeout=60, check=False
    )
    assert ran.returncode == 0


def test_bad_dsn_is_a_settings_error() -> None:
    """What is no DSN is said in one line that names the setting and does not repeat it."""
    with pytest.raises(SettingsError) as caught:
        start_sentry(f"nonsense-{SECRET}", "", "demurrage@1")
    assert str(caught.value).startswith("sentry.dsn_env: ")
    assert SECRET not in str(caught.value)
