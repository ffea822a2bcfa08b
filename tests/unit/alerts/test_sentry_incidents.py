"""Incidents in Sentry: issues with causes and an end, and monitors that are checked in at."""

import gzip
import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sentry_sdk.envelope import Envelope
from tests.unit.alerts.build import COST, GAP, NOW, SCRIBE, begun, ended, notice
from tests.unit.alerts.kent import arrived
from tests.unit.alerts.taker import Taker

from demurrage.alerts.checkins import CheckIns, slug
from demurrage.alerts.notice import Scribe
from demurrage.alerts.sentry_client import SentryClient
from demurrage.alerts.sentry_issues import SentryIssues
from demurrage.alerts.sentry_sink import SentrySink, issue_key
from demurrage.alerts.sink import SinkFailedError
from demurrage.engine.hooks import CycleReport
from demurrage.model.error import SettingsError
from demurrage.observe.redact import Redactor

KEY = "sk-proj-S3cretS3cretS3cret"
KNOWN = "plain-known-secret"
OVER = SCRIBE.notice(ended(begun(COST, id_=7), NOW + 60))


def client(address: str) -> SentryClient:
    """One that sends to a local address."""
    root = address.removeprefix("http://")
    return SentryClient(f"http://public@{root}/1", "staging", "demurrage@1.2.3", Redactor([KNOWN]))


@pytest.mark.process
def test_an_incident_is_one_issue_from_start_to_end(kent: str) -> None:
    """Its events bear one fingerprint, say what it is and whose it is, and hold no secret."""
    sink = SentrySink(client(kent), None)
    leaky = Scribe(Redactor([KNOWN])).notice(
        begun(replace(COST, summary=f"the API said {KEY} and {KNOWN}"), id_=7)
    )
    sink.tell(leaky)
    sink.tell(OVER)
    sink.tell(notice(GAP))
    events = {(each["tags"]["kind"], each["tags"]["state"]): each for each in arrived(kent, 3)}
    start, end = events["orphan_cost", "open"], events["orphan_cost", "over"]
    other = events["sequence_gap", "open"]
    assert (
        start["fingerprint"]
        == end["fingerprint"]
        == ["demurrage", "orphan_cost", "t", "team=search"]
    )
    assert other["fingerprint"] != start["fingerprint"]
    assert (start["level"], end["level"], other["level"]) == ("error", "info", "warning")
    assert start["tags"]["target"] == "t"
    assert start["tags"]["severity"] == "page"
    assert start["contexts"]["causes"]["1. writer"] == "web-1: 9 orphans, 75%"
    assert start["contexts"]["incident"]["estimated_usd_per_hour"] == 12.5
    assert end["contexts"]["incident"]["resolved_at"] == NOW + 60
    for each in events.values():
        assert (each["environment"], each["release"]) == ("staging", "demurrage@1.2.3")
        assert KEY not in json.dumps(each)
        assert KNOWN not in json.dumps(each)


def test_what_did_not_arrive_is_a_failure(taker: Taker) -> None:
    """Unlike with the SDK's own way, which drops it in silence."""
    taker.status = 503
    with pytest.raises(SinkFailedError, match="503"):
        SentrySink(client(taker.root), None).tell(notice())
    with pytest.raises(SinkFailedError, match="reached"):
        SentrySink(client("127.0.0.1:9"), None).tell(notice())


def test_a_bad_dsn_is_not_repeated() -> None:
    """It names the setting."""
    with pytest.raises(SettingsError, match=r"sentry\.dsn_env") as caught:
        SentryClient(f"nonsense-{KEY}", "", "demurrage@1", Redactor())
    assert KEY not in str(caught.value)


def test_an_end_ends_the_issue_at_sentry(taker: Taker) -> None:
    """It is found by its tag, in its project."""
    taker.replies["GET /api/0/organizations/us/issues/"] = b'[{"id": "41"}, {"id": "42"}]'
    issues = SentryIssues(f"{taker.root}/api/0/organizations/us/", KEY, "9")
    SentrySink(client(taker.root), issues).tell(OVER)
    query = f"project=9&query=incident_key%3A{issue_key(OVER)}+is%3Aunresolved"
    root = "/api/0/organizations/us/issues/"
    assert taker.asked == [f"GET {root}?{query}", f"PUT {root}41/", f"PUT {root}42/"]
    assert taker.bodies[1:] == [{"status": "resolved"}] * 2
    assert {headers["authorization"] for _, headers, _ in taker.taken} == {f"Bearer {KEY}"}


def test_an_end_ends_the_issue_at_bugsink(taker: Taker) -> None:
    """Whose API differs."""
    taker.replies["GET /api/canonical/0/issues/"] = b'{"results": [{"id": "a-b"}]}'
    issues = SentryIssues(f"{taker.root}/api/canonical/0", KEY, "9")
    SentrySink(client(taker.root), issues).tell(OVER)
    query = f"project=9&q=incident_key%3A{issue_key(OVER)}&state=unresolved"
    root = "/api/canonical/0/issues/"
    assert taker.asked == [f"GET {root}?{query}", f"POST {root}a-b/resolve/"]


def test_an_end_that_a_person_was_quicker_with(taker: Taker) -> None:
    """Nothing is open, and nothing is left to do."""
    taker.replies["GET "] = b"[]"
    SentrySink(client(taker.root), SentryIssues(f"{taker.root}/api/0", KEY, "9")).tell(OVER)
    assert len(taker.asked) == 1


@pytest.mark.parametrize("answer", [b"<html>", b'{"detail": "x"}', b"[7]"])
def test_an_api_that_is_none(taker: Taker, answer: bytes) -> None:
    """A wrong address is a failure, not a crash, and the token is not told."""
    taker.answer = answer
    with pytest.raises(SinkFailedError) as caught:
        SentrySink(client(taker.root), SentryIssues(f"{taker.root}/api/0", KEY, "9")).tell(OVER)
    assert KEY not in str(caught.value)


def report(target: str = "Team.One", *, complete: bool = True) -> CycleReport:
    """A cycle that has ended."""
    return CycleReport(target, NOW, 0.1, complete, 0, {}, None, 0)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for another thread."""
    waiting = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it never came to that")


def check_in(body: bytes) -> dict[str, object]:
    """What an envelope holds."""
    (item,) = Envelope.deserialize(gzip.decompress(body)).items
    assert item.type == "check_in"
    found: dict[str, object] = json.loads(item.get_bytes())
    return found


def test_each_target_is_checked_in_for_at_most_once_a_minute(taker: Taker) -> None:
    """The first at once, however many cycles follow; a cycle that failed is an error."""
    checking = CheckIns(client(taker.root))
    checking.failed("Team.One", ValueError())
    checking.cycled(report("other"))
    checking.start()
    wait_until(lambda: len(taker.taken) == 2)
    for _ in range(50):
        checking.cycled(report())
    checking.stop()
    first, second = map(check_in, taker.bodies)
    assert (first["monitor_slug"], first["status"]) == ("demurrage-team-one", "error")
    assert (second["monitor_slug"], second["status"]) == ("demurrage-other", "ok")
    assert first["monitor_config"]["schedule"] == {  # type: ignore[index]
        "type": "interval",
        "value": 1,
        "unit": "minute",
    }
    assert (first["environment"], first["release"]) == ("staging", "demurrage@1.2.3")


def test_who_hangs_is_not_waited_for(taker: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the cycles nor by the end."""
    monkeypatch.setattr("demurrage.alerts.checkins._PATIENCE", 0.05)
    taker.gate.clear()
    checking = CheckIns(client(taker.root), pace=0.0)
    checking.start()
    checking.cycled(report())
    wait_until(lambda: taker.taken)
    checking.cycled(report())
    checking.stop()
    assert len(taker.taken) == 1


def test_a_failed_check_in_ends_nothing(taker: Taker) -> None:
    """The next one is tried."""
    taker.status = 500
    checking = CheckIns(client(taker.root), pace=0.0)
    checking.start()
    checking.cycled(report())
    wait_until(lambda: len(taker.taken) == 1)
    checking.cycled(report(complete=False))
    wait_until(lambda: len(taker.taken) == 2)
    checking.stop()


def test_a_slug_is_one() -> None:
    """Of small letters, digits, - and _."""
    assert slug("A.b-c_9") == "demurrage-a-b-c_9"
