"""Rules and dashboard on a real Prometheus, which scrapes the daemon of the demo."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import pytest
from tests.integration.process.daemon import free_port
from tests.unit.config.prometheus import RULES, TESTS, queries, rules

pytestmark = [pytest.mark.process, pytest.mark.timeout(600)]

# As fast as whole seconds allow; orphans fall due after a quarter of a minute.
_SPEED = 20
_PATIENCE = 240.0
_OPENER = build_opener(ProxyHandler({}))


def promtool(*arguments: str) -> str:
    """Run promtool in the folder of the rules; fails with its words."""
    ran = subprocess.run(
        ["promtool", *arguments],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_rules_are_rules() -> None:
    """Promtool finds nothing wrong with them."""
    assert f"{len(rules())} rules found" in promtool("check", "rules", RULES.name)


def test_each_alert_fires_and_stays_quiet() -> None:
    """As the tests beside the rules say."""
    assert "SUCCESS" in promtool("test", "rules", TESTS.name)


class Prometheus:
    """A running Prometheus, asked over HTTP."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> Any:
        """The data of an answer."""
        with _OPENER.open(f"{self._root}{path}", timeout=30) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        """The series that an instant query gives."""
        found: list[Any] = self.get(f"/api/v1/query?query={quote(expression)}")["result"]
        return found


def wait_until(
    what: str, condition: Callable[[], object], processes: tuple[subprocess.Popen[bytes], ...]
) -> None:
    """Wait for a condition; a process that ends meanwhile ends the waiting."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        assert all(each.poll() is None for each in processes), what
        time.sleep(0.2)


def answers(prometheus: Prometheus) -> bool:
    """True once Prometheus can be asked."""
    try:
        return prometheus.query("vector(1)") != []
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has scraped the demo's daemon until it had swept orphans, and has rules on it."""
    folder = tmp_path_factory.mktemp("prometheus")
    call = f"sys.exit(main(100_000, plain=True, speed={_SPEED}))"
    with (folder / "demo.txt").open("w") as said:
        demo = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import sys; from demurrage.simulator.demo import main; {call}",
            ],
            env={**os.environ, "TMPDIR": str(folder)},
            stdout=said,
            stderr=said,
        )
    server: subprocess.Popen[bytes] | None = None
    try:
        wait_until("the demo's settings", lambda: list(folder.rglob("*.toml")), (demo,))
        server, found = _start(folder, _daemon_at(folder))
        running = (demo, server)
        wait_until("an answer of Prometheus", lambda: answers(found), running)
        for what in (
            'sum(demurrage_deletes_total{outcome="deleted"}) >= 5',
            "sum(demurrage_wasted_estimated_usd_total) > 0",
            "min(sum by (target) (demurrage_orphans_total)) > 0",
            "count(count_over_time(demurrage_enforcing[5m]) > 20)",
        ):
            wait_until(what, partial(found.query, what), running)
        yield found
    finally:
        for process in (server, demo):
            if process is not None:
                process.terminate()
                process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def _daemon_at(folder: Path) -> str:
    """Where the demo's daemon answers."""
    (settings,) = folder.rglob("*.toml")
    address: str = tomllib.loads(settings.read_text())["http"]["bind"]
    return address


def _start(folder: Path, daemon: str) -> tuple[subprocess.Popen[bytes], Prometheus]:
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "demurrage", "static_configs": [{"targets": [daemon]}]}],
    }
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    port = free_port()
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, Prometheus(port)


def filled(query: str) -> str:
    """A dashboard's query as Grafana would send it: everything chosen, half a minute a step."""
    for variable, value in {"job": ".*", "target": ".*", "__rate_interval": "30s"}.items():
        query = query.replace(f"${variable}", value)
    assert "$" not in query
    return query


@pytest.mark.parametrize(("title", "query"), list(queries()))
def test_no_panel_is_empty(prometheus: Prometheus, title: str, query: str) -> None:
    """Each line of each panel has something to show."""
    assert prometheus.query(filled(query)), title


@pytest.mark.parametrize("name", [rule["record"] for rule in rules() if "record" in rule])
def test_what_is_recorded_is_there(prometheus: Prometheus, name: str) -> None:
    """But for what is usual, which a minute does not tell, every rule yields a series."""
    found = prometheus.query(name)
    assert bool(found) is not bool(re.search(r"usual", name)), name


def test_every_rule_is_evaluated_and_nobody_is_called(prometheus: Prometheus) -> None:
    """No rule fails on real data, and a demo in which all is well sets off no alert."""
    groups = prometheus.get("/api/v1/rules")["groups"]
    found = [rule for group in groups for rule in group["rules"]]
    assert len(found) == len(rules())
    assert {(rule["name"], rule.get("lastError", "")) for rule in found} == {
        (rule.get("alert") or rule["record"], "") for rule in rules()
    }
    assert {rule["health"] for rule in found} == {"ok"}
    assert not prometheus.query('ALERTS{alertstate="firing"}')
