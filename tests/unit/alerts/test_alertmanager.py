"""What Alertmanager is sent."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.unit.alerts.build import COST, NOW, SCRIBE, begun, ended, notice
from tests.unit.alerts.taker import Taker

from demurrage.alerts import post
from demurrage.alerts.alertmanager import PACE, Alertmanager
from demurrage.alerts.sink import SinkFailedError


def moment(text: str) -> float:
    """Epoch seconds of a moment as it is written there."""
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def test_what_stands_has_an_end_that_lies_ahead(taker: Taker) -> None:
    """Labels tell it apart, annotations say the rest, and it outlives several reminders."""
    sink = Alertmanager(f"{taker.root}/am/", clock=lambda: NOW + 5)
    sink.tell(notice())
    sink.remind([notice(), notice()])
    assert [path for path, _, _ in taker.taken] == ["/am/api/v2/alerts"] * 2
    (alert,), (again, _) = taker.bodies
    assert alert == again
    assert alert["labels"] == {
        "alertname": "DemurrageIncident",
        "kind": "orphan_cost",
        "target": "t",
        "scope": "team=search",
        "severity": "page",
    }
    assert alert["annotations"]["causes"] == "writer web-1 75%, label team=search 25%"
    assert alert["annotations"]["estimated_usd_per_hour"] == "12.50"
    assert alert["annotations"]["incident"] == "7"
    assert moment(alert["startsAt"]) == NOW
    assert moment(alert["endsAt"]) >= NOW + 5 + 3 * PACE


def test_an_end_is_no_later_than_its_own_clock(taker: Taker) -> None:
    """The provider's clock may be ahead; an end that is still to come would let it fire on."""
    over = SCRIBE.notice(ended(begun(COST), NOW + 60))
    Alertmanager(taker.root, clock=lambda: NOW + 30).tell(over)
    first, *lower = taker.bodies[0]
    assert moment(first["endsAt"]) == NOW + 30
    assert [each["labels"]["severity"] for each in lower] == ["notice", "warning"]
    assert {moment(each["endsAt"]) for each in lower} == {NOW + 30}


def test_what_rises_ends_at_its_lower_severities(taker: Taker) -> None:
    """The severity is a label, so a graver one is another alert."""
    Alertmanager(taker.root, clock=lambda: NOW).tell(replace(notice(), revision=2))
    ends = {each["labels"]["severity"]: moment(each["endsAt"]) for each in taker.bodies[0]}
    assert ends == {"page": NOW + 4 * PACE, "notice": NOW, "warning": NOW}


def test_nothing_is_said_of_nothing(taker: Taker) -> None:
    """No reminder without anything that stands."""
    Alertmanager(taker.root).remind([])
    assert taker.taken == []


def test_user_and_password_go_into_a_header(taker: Taker) -> None:
    """They come in the address."""
    _, _, host = taker.root.partition("://")
    Alertmanager(f"http://ann:p%40ss@{host}").tell(notice())
    ((_, headers, _),) = taker.taken
    assert headers["authorization"] == f"Basic {base64.b64encode(b'ann:p@ss').decode()}"


def test_a_refusal_says_what_was_answered(taker: Taker) -> None:
    """The status and the words, and not the address."""
    taker.status, taker.answer = 400, b'{"message": "bad labels"}'
    with pytest.raises(SinkFailedError, match=r"400.*bad labels") as caught:
        Alertmanager(taker.root).tell(notice())
    assert "127.0.0.1" not in str(caught.value)


def test_who_does_not_answer_is_not_waited_for(
    taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call has an end."""
    monkeypatch.setattr(post, "READ", 0.1)
    taker.gate.clear()
    with pytest.raises(SinkFailedError, match="in time"):
        Alertmanager(taker.root).tell(notice())


def test_who_is_not_there_is_said_to_be_away() -> None:
    """Without its address, of which a part may be a secret."""
    with pytest.raises(SinkFailedError) as caught:
        Alertmanager("http://ann:hidden-word@127.0.0.1:9").tell(notice())
    assert "hidden-word" not in str(caught.value)
    assert "reached" in str(caught.value)
