"""A leak in the demo, seen in a real Sentry-compatible server and a real Alertmanager."""

import json
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest
from tests.deployment.bugsink import Bugsink, running
from tests.integration.process.daemon import free_port
from tests.leak import HASTY, SPIKES, staged, usual_known, wait_until
from tests.unit.alerts.taker import Taker, taking

from demurrage.model.condition import ConditionKind
from demurrage.simulator.demo_stage import Stage

pytestmark = [pytest.mark.process, pytest.mark.timeout(1800)]

_PATIENCE = 600.0
_OPENER = build_opener(ProxyHandler({}))
_TOKEN = "BUGSINK_TOKEN"


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One that runs; `receiver` gets what it sends on."""

    root: str
    receiver: Taker

    def alerts(self) -> list[dict[str, Any]]:
        """What fires."""
        with _OPENER.open(f"{self.root}/api/v2/alerts", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)
            return found

    def told(self, status: str) -> list[dict[str, Any]]:
        """The alerts that were sent on, as firing or as resolved."""
        return [
            each
            for message in self.receiver.bodies
            for each in message["alerts"]
            if each["status"] == status
        ]


@contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """A new one that sends all on at once."""
    port = free_port()
    root = f"http://127.0.0.1:{port}"
    with taking() as receiver:
        route = {"receiver": "here", "group_by": ["..."], "group_wait": "0s"}
        config = {
            "route": {**route, "group_interval": "1s", "repeat_interval": "4h"},
            "receivers": [
                {"name": "here", "webhook_configs": [{"url": receiver.root, "send_resolved": True}]}
            ],
        }
        # JSON is YAML.
        (folder / "alertmanager.yml").write_text(json.dumps(config))
        process = subprocess.Popen(
            [
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        found = Alertmanager(root, receiver)
        try:
            wait_until("Alertmanager", lambda: _answers(found), 60)
            yield found
        finally:
            process.terminate()
            process.wait(60)


def _answers(found: Alertmanager) -> bool:
    try:
        found.alerts()
    except (URLError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class Scene:
    """The demo's stage, before a daemon that tells both."""

    stage: Stage
    bugsink: Bugsink
    manager: Alertmanager

    def told(self, status: str, kinds: Collection[str]) -> list[dict[str, Any]]:
        """What Alertmanager has sent on of some kinds."""
        return [each for each in self.manager.told(status) if each["labels"]["kind"] in kinds]

    def issues(self, kinds: Collection[str]) -> list[dict[str, Any]]:
        """The issues of some kinds."""
        found = self.bugsink.issues()
        return [each for each in found if each["event"]["tags"].get("kind") in kinds]

    def seen(self, kinds: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Wait until one of some kinds is in both; returns the alert and the issue."""
        wait_until("an alert", lambda: self.told("firing", kinds), _PATIENCE)
        wait_until("an issue", lambda: self.issues(kinds), _PATIENCE)
        (issue, *_) = self.issues(kinds)
        assert not issue["is_resolved"]
        return self.told("firing", kinds)[0], issue

    def over(self, kinds: Collection[str]) -> None:
        """Wait until all of some kinds has ended in both."""
        wait_until("the alert's end", lambda: self.told("resolved", kinds), _PATIENCE)
        wait_until("the issue's end", lambda: self._resolved(kinds), _PATIENCE)
        assert not [each for each in self.manager.alerts() if each["labels"]["kind"] in kinds]

    def _resolved(self, kinds: Collection[str]) -> bool:
        return all(each["is_resolved"] for each in self.issues(kinds))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """All of it, running."""
    folders = [tmp_path_factory.mktemp(name) for name in ("bugsink", "alertmanager", "demo")]
    with running(folders[0]) as bugsink, alertmanager(folders[1]) as manager:
        environ = {"SENTRY_DSN": bugsink.dsn, _TOKEN: bugsink.token, **HASTY}
        with staged(folders[2], _settings(bugsink, manager), environ) as stage:
            yield Scene(stage, bugsink, manager)


def test_a_leak_is_seen_with_its_causes_and_is_over_when_it_ends(scene: Scene) -> None:
    """In Bugsink as an issue that is resolved, in Alertmanager as an alert that fires and ends."""
    wait_until("what is usual", lambda: usual_known(scene.stage), _PATIENCE)
    assert not scene.issues(SPIKES)
    scene.stage.turn()
    alert, issue = scene.seen(SPIKES)
    assert "writer" in alert["annotations"]["causes"]
    assert float(alert["annotations"]["estimated_usd_per_hour"]) > 0
    causes = issue["event"]["contexts"]["causes"]
    assert {name.partition(". ")[2] for name in causes} >= {"writer", "label", "model"}
    scene.stage.turn()
    scene.over(SPIKES)


def test_an_api_that_breaks_is_seen_and_is_over_when_it_works_again(scene: Scene) -> None:
    """Nobody is told of it twice, and nothing of it stays open."""
    kinds = {ConditionKind.NOT_JSON}
    admin = scene.stage.harbours["default"].admin
    admin.fault("html", "GET /v1/containers")
    alert, issue = scene.seen(kinds)
    assert alert["labels"]["target"] == issue["event"]["tags"]["target"] == "default"
    assert issue["event"]["environment"] == "demo"
    admin.clear_faults()
    scene.over(kinds)


def _settings(bugsink: Bugsink, manager: Alertmanager) -> str:
    return f"""
[sentry]
api_url = "{bugsink.api}"
api_token_env = "{_TOKEN}"
environment = "demo"
[sinks.oncall]
type = "alertmanager"
url = "{manager.root}"
"""
