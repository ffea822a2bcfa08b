"""The image: small, without root, on a read-only file system, healthy, and quick to stop."""

import json
import os
import shutil
import signal
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.deployment.contained import Contained
from tests.deployment.debian import base
from tests.deployment.image import Store, download, interpreter, megabytes, missing, stand_in
from tests.integration.process.daemon import SCALE, SETTINGS, free_port
from tests.unit.image.test_requirements import PINS, pins

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

KEY = "sk-image-under-test"
USER = 9470
# What `docker stop` waits before it kills.
SECONDS_TO_STOP = 10.0
MOST_MEGABYTES = 200.0
_MADE = Path(".make/machine").absolute()
_PYTHON = interpreter()

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT SHOWN: only root makes and runs the image"),
    pytest.mark.skipif(bool(missing()), reason=f"NOT SHOWN: missing {', '.join(missing())}"),
    pytest.mark.skipif(_PYTHON is None, reason="NOT SHOWN: no Python 3.13 to stand in with"),
    pytest.mark.timeout(1200),
]


@pytest.fixture(scope="module")
def stand() -> Iterator[Path]:
    """The root that stands for python:3.13-slim."""
    assert _PYTHON is not None
    root = _MADE / "python"
    stand_in(base(_MADE), _PYTHON, root)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def store(stand: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Where the image is, once it is built."""
    assert _PYTHON is not None
    wheels = tmp_path_factory.mktemp("wheels")
    download(_PYTHON, wheels)
    made = Store(_MADE / "store")
    made.clear()
    made.take(stand)
    made.build(wheels)
    yield made
    made.clear()


@pytest.fixture(scope="module")
def config(store: Store) -> dict[str, Any]:
    """What the image asks of a runtime."""
    return store.config()


@pytest.fixture(scope="module")
def root(store: Store) -> Path:
    """The image's file system."""
    return store.root()


@pytest.fixture(scope="module")
def contained(
    root: Path, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Contained]:
    """The daemon in a container, with a harbour to watch."""
    folder = tmp_path_factory.mktemp("contained")
    volume, handed = folder / "volume", folder / "handed"
    # A new volume takes over what the image has in its place.
    shutil.copytree(root / "var/lib/demurrage", volume)
    os.chown(volume, USER, USER)
    handed.mkdir()
    (handed / "api_key").write_text(KEY)
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as harbour:
        (handed / "demurrage.toml").write_text(
            SETTINGS.format(
                folder="/var/lib/demurrage",
                base_url=harbour.base_url,
                port=free_port(),
                token_variable="",
            )
        )
        made = Contained(
            root,
            config,
            volume,
            handed,
            {
                "DEMURRAGE_CONFIG": "/mnt/demurrage.toml",
                "DEMURRAGE_TARGETS__DEFAULT__API_KEY_FILE": "/mnt/api_key",
            },
        )
        made.start()
        try:
            yield made
        finally:
            made.kill()


def wait_until_healthy(contained: Contained, seconds: float = 60.0) -> None:
    """Ask as a runtime does, until it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if contained.healthy().returncode == 0:
            return
        time.sleep(0.2)
    raise AssertionError(contained.healthy().stderr + contained.said())


def test_it_is_small(stand: Path, root: Path) -> None:
    """All that it adds to the base."""
    added = megabytes(root) - megabytes(stand)
    print(f"the image adds {added:.0f} MB to its base")
    assert 0 < added < MOST_MEGABYTES


def test_it_asks_for_what_it_should(config: dict[str, Any]) -> None:
    """A user by number, so that Kubernetes can tell that it is not root; a volume; labels."""
    assert config["User"] == f"{USER}:{USER}"
    assert set(config["Volumes"]) == {"/var/lib/demurrage"}
    assert set(config["ExposedPorts"]) == {"9470/tcp"}
    assert config["StopSignal"] == "SIGTERM"
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    labels = {key.rpartition(".")[2]: value for key, value in config["Labels"].items()}
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]
    assert labels["description"] == project["description"]


def test_it_holds_what_is_pinned_and_nothing_else(contained: Contained) -> None:
    """Each version is the pinned one; what other platforms need is not there."""
    listing = (
        "import json; from importlib.metadata import distributions;"
        "print(json.dumps({each.name.lower().replace('_', '-').replace('.', '-'): each.version"
        " for each in distributions()}))"
    )
    held = json.loads(contained.run("/opt/demurrage/bin/python", "-c", listing).stdout)
    here = {"python_version": "3.13", "python_full_version": "3.13.0"}
    pinned = {
        name: next(iter(pin.specifier)).version
        for name, (pin, _) in pins(PINS).items()
        if pin.marker is None or pin.marker.evaluate(here)
    }
    assert held.pop("demurrage")
    assert held == pinned


@pytest.mark.parametrize("tool", ["gcc", "cc", "make", "git", "pip", "pip3", "uv", "hatchling"])
def test_nothing_is_built_or_installed_where_it_runs(contained: Contained, tool: str) -> None:
    """No build tools, and no pip, be it as a module."""
    assert contained.run("sh", "-c", f"command -v {tool}").returncode != 0
    for python in ("/opt/demurrage/bin/python", "/usr/local/bin/python"):
        assert contained.run(python, "-c", f"import {tool}").returncode != 0


def test_it_trusts_whom_the_system_trusts(contained: Contained) -> None:
    """The SDK does, so authorities must be there."""
    count = "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'])"
    assert int(contained.run("python", "-c", count).stdout) > 100


def test_it_gets_healthy_and_has_a_store(contained: Contained) -> None:
    """By the image's own check; the store lies in the volume."""
    wait_until_healthy(contained)
    assert (contained.volume / "demurrage.db").stat().st_uid == USER


def test_it_is_process_one_without_any_power(contained: Contained) -> None:
    """Not root, no capability, and no way to get one."""
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{contained.pid}/status").read_text().splitlines()
    )
    assert status["NSpid"].split()[-1] == "1"
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {str(USER)}
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("place", ["/", "/opt/demurrage", "/tmp", "/var/tmp", "/mnt", "/usr/local"])
def test_nothing_can_be_written_outside_the_volume(contained: Contained, place: str) -> None:
    """Not where everybody may write otherwise, either."""
    refused = contained.run("touch", f"{place}/written")
    assert refused.returncode != 0
    assert "Read-only file system" in refused.stderr
    assert contained.run("touch", "/var/lib/demurrage/written").returncode == 0


def test_commands_run_beside_the_daemon(contained: Contained) -> None:
    """As `docker exec` runs them: no variable has to be repeated."""
    wait_until_healthy(contained)
    assert json.loads(contained.run("demurrage", "status", "--json").stdout)["running"] is True


def test_it_stops_in_time(contained: Contained) -> None:
    """On SIGTERM, in good order."""
    wait_until_healthy(contained)
    began = time.monotonic()
    contained.signal(signal.SIGTERM)
    assert contained.wait(SECONDS_TO_STOP) == 0, contained.said()
    print(f"it stopped in {time.monotonic() - began:.1f} s")
    assert json.loads(contained.said().splitlines()[-1])["event"] == "stopped"
    assert KEY not in contained.log.read_text()


def test_it_comes_back_with_its_store_and_is_unhealthy_when_stuck(contained: Contained) -> None:
    """A second life on the same volume; one whose loop stands still says so by its check."""
    contained.start()
    wait_until_healthy(contained)
    contained.signal(signal.SIGSTOP)
    stuck = contained.healthy()
    assert stuck.returncode == 1
    assert "does not answer" in stuck.stderr
    contained.signal(signal.SIGCONT)
    wait_until_healthy(contained)
