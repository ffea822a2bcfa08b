"""What `check` finds out about sinks."""

import threading
from collections.abc import Callable, Iterator

import pytest
from tests.unit.alerts.taker import Taker, taking
from tests.unit.app.conftest import KEYED

from demurrage.app.preflight import sinks as module
from demurrage.app.preflight.check import Grade
from demurrage.app.preflight.sinks import sink_checks
from demurrage.app.settings import Settings

Load = Callable[..., Settings]
TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
def taker() -> Iterator[Taker]:
    """A server that takes everything."""
    with taking() as found:
        yield found


def toml(**sinks: str) -> str:
    """Settings with sinks that are Alertmanagers, or Apprise's where the URL is no web address."""
    tables = [
        f'[sinks.{name}]\ntype = "{"alertmanager" if url.startswith("http") else "apprise"}"\n'
        f'url = "{url}"\n'
        for name, url in sinks.items()
    ]
    return "[targets.default]\n" + "".join(tables)


def test_where_there_is_none_a_person_is_told(load: Load) -> None:
    """Who asks for a test means to be told of incidents."""
    settings = load("[targets.default]\n", KEYED)
    (found,) = sink_checks(settings, send=True)
    assert found.grade is Grade.WARN
    assert sink_checks(settings, send=False) == []


def test_each_sink_is_sent_a_test_and_its_end(load: Load) -> None:
    """Sentry too, by its DSN; one that refuses fails, and the others pass."""
    with taking() as good, taking() as bad:
        bad.status, bad.answer = 403, b"no entry"
        settings = load(
            toml(good=good.root, bad=bad.root, hook=good.root.replace("http", "json")),
            {**KEYED, "SENTRY_DSN": good.root.replace("//", "//public@") + "/1"},
        )
        found = {each.name: each for each in sink_checks(settings, send=True)}
        assert {name: each.grade for name, each in found.items()} == {
            "sink good": Grade.PASS,
            "sink bad": Grade.FAIL,
            "sink hook": Grade.PASS,
            "sink sentry": Grade.PASS,
        }
        assert "403: no entry" in found["sink bad"].finding
        assert len(good.taken) == 6
        summaries = [
            alert["annotations"]["summary"]
            for path, _, alerts in good.taken
            if path.endswith("/alerts")
            for alert in alerts
        ]
        assert summaries == ["[notice] test", "[over] test"]


def test_nothing_is_sent_unless_asked_for(load: Load, taker: Taker) -> None:
    """A sink that cannot be made is found all the same, and its address not shown."""
    found = sink_checks(load(toml(good=taker.root, bad=f"nosuch://{TOKEN}")), send=False)
    assert [each.grade for each in found] == [Grade.PASS, Grade.FAIL]
    assert taker.taken == []
    assert not [each for each in found if TOKEN in repr(each)]


def test_one_that_hangs_is_said_to(
    load: Load, taker: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person is not kept waiting for it."""
    monkeypatch.setattr(module, "_PATIENCE", 0.2)
    taker.gate.clear()
    (found,) = sink_checks(load(toml(stuck=taker.root)), send=True)
    assert found.grade is Grade.FAIL
    assert "does not answer" in found.finding
    taker.gate.set()
    for each in threading.enumerate():
        if each.name == "sink stuck":
            each.join(30)
