"""Slack, PagerDuty and others, reached through Apprise at local addresses."""

import importlib
import json
from dataclasses import replace

import pytest
from tests.unit.alerts.build import COST, NOW, SCRIBE, begun, ended, notice
from tests.unit.alerts.taker import Taker

from demurrage.alerts.apprise import AppriseSink
from demurrage.alerts.sink import SinkFailedError
from demurrage.model.error import SettingsError

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
PAGERDUTY = "pagerduty://integration-key-0123456789@api-key-0123456789"
OVER = SCRIBE.notice(ended(begun(COST, id_=7), NOW + 60))


@pytest.fixture
def here(taker: Taker, monkeypatch: pytest.MonkeyPatch) -> Taker:
    """A server in the place of Slack and PagerDuty, which are at fixed addresses."""
    slack = importlib.import_module("apprise.plugins.slack")
    pagerduty = importlib.import_module("apprise.plugins.pagerduty")
    monkeypatch.setattr(slack.NotifySlack, "webhook_url", f"{taker.root}/slack")
    monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, "us", f"{taker.root}/pagerduty")
    # Slack answers with a word.
    taker.answer = b"ok"
    return taker


def test_slack_is_told_of_the_start_and_the_end(here: Taker) -> None:
    """A person in the channel reads what it is, what it costs, whose it is, and what to do."""
    sink = AppriseSink(SLACK)
    sink.tell(notice())
    sink.tell(OVER)
    assert all(path.startswith("/slack/T1JJ3T3L2/A1BRTD4JD/") for path, _, _ in here.taken)
    start, end = (json.dumps(body) for body in here.bodies)
    for part in ("orphan_cost", "five times as much", "web-1 75%", "$12.50", "incidents show 7"):
        assert part in start, part
    assert "[over]" in end


def test_pagerduty_resolves_what_it_triggered(here: Taker) -> None:
    """Start, escalation and end bear one key, and another incident bears another."""
    here.status = 202
    sink = AppriseSink(PAGERDUTY)
    sink.tell(notice())
    sink.tell(replace(notice(), revision=2))
    sink.tell(OVER)
    sink.tell(notice(replace(COST, scope="team=other")))
    one, two, three, other = here.bodies
    assert [each["event_action"] for each in here.bodies] == [
        "trigger",
        "trigger",
        "resolve",
        "trigger",
    ]
    assert one["dedup_key"] == two["dedup_key"] == three["dedup_key"] != other["dedup_key"]
    assert one["routing_key"] == "integration-key-0123456789"
    assert one["payload"]["severity"] == "critical"
    assert "web-1 75%" in one["payload"]["summary"]


def test_an_own_key_is_left_alone(here: Taker) -> None:
    """Who sets a deduplication key in the address means it."""
    here.status = 202
    AppriseSink(f"{PAGERDUTY}?dedup=mine").tell(notice())
    (body,) = here.bodies
    assert body["dedup_key"] == "mine"


def test_a_plain_webhook(taker: Taker) -> None:
    """The severity becomes Apprise's type."""
    sink = AppriseSink(taker.root.replace("http://", "json://"))
    sink.tell(notice())
    sink.tell(OVER)
    assert [each["type"] for each in taker.bodies] == ["failure", "success"]
    assert taker.bodies[0]["title"] == notice().title


def test_a_refusal_is_a_failure_with_a_reason(here: Taker) -> None:
    """The address is no part of it."""
    here.status = 403
    with pytest.raises(SinkFailedError, match=r"403|Slack|unauthori") as caught:
        AppriseSink(SLACK).tell(notice())
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in str(caught.value)


@pytest.mark.parametrize("url", ["nosuchservice://abc", "slack://", "not an address"])
def test_an_address_that_apprise_does_not_know(url: str) -> None:
    """Is said to be one, and not repeated."""
    with pytest.raises(SettingsError, match="does not understand the address") as caught:
        AppriseSink(url)
    assert url not in str(caught.value)
