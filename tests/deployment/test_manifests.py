"""What `init` writes is what compose, Kubernetes and the Prometheus Operator take.

`make manifests` brings compose itself, the schemas of Kubernetes and the operator's types. That
names and paths are the daemon's own is for tests/unit/config.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)

# Native sidecars came with the first; the other is the newest that the schemas have.
VERSIONS = ("1.29", "1.37")
MANIFESTS = ("secret.yaml", "sidecar.yaml", "daemon.yaml")
MONITORING = ("monitoring.yaml", "rules.yaml")
OPERATOR = Path(__file__).parent / "programs/operator_types.py"


def ran(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program."""
    return subprocess.run(
        words,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files, as the installed package writes them."""
    folder = tmp_path_factory.mktemp("written")
    init = (sys.executable, "-m", "demurrage", "init", "--compose", "--kubernetes")
    made = ran(*init, "--into", str(folder))
    assert made.returncode == 0, made.stderr
    return folder


def validated(file: Path, version: str) -> subprocess.CompletedProcess[str]:
    """What the schemas of a version of Kubernetes say of a file."""
    return ran("kubernetes-validate", "--strict", "-k", version, str(file))


def taken_by_operator(*files: Path) -> subprocess.CompletedProcess[str]:
    """What the operator's types say of files."""
    tool = shutil.which("kubernetes-validate")
    assert tool is not None
    return ran(str(Path(tool).with_name("python")), str(OPERATOR), *map(str, files))


def composed(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """What compose makes of its file."""
    file = str(folder / "compose.yaml")
    return ran("docker-compose", "-f", file, "config", "--format", "json", **environ)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_takes_it(written: Path, name: str, version: str) -> None:
    """Each document fits the schema of its kind, with no field beside."""
    said = validated(written / name, version)
    assert said.returncode == 0, said.stderr
    told = said.stdout + said.stderr
    documents = (written / name).read_text().count("\n---\n") + 1
    assert told.count("passed") == documents
    assert "find schema" not in told


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("sidecar.yaml", "restartPolicy: Always", "restartPolicies: Always"),
        ("daemon.yaml", "containerPort: 9471", "containerPort: ops"),
        ("secret.yaml", "stringData:", "stringDate:"),
    ],
)
def test_what_is_wrong_is_noticed(
    written: Path, tmp_path: Path, name: str, right: str, wrong: str
) -> None:
    """A field that is mistyped, and a value of the wrong type."""
    text = (written / name).read_text()
    assert right in text
    (tmp_path / name).write_text(text.replace(right, wrong, 1))
    assert validated(tmp_path / name, VERSIONS[-1]).returncode != 0


def test_the_operator_takes_it(written: Path) -> None:
    """Monitor and rules."""
    said = taken_by_operator(*(written / name for name in MONITORING))
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout.count("is taken") == len(MONITORING)


def test_what_the_operator_would_refuse_is_noticed(written: Path, tmp_path: Path) -> None:
    """A field that is mistyped deep inside, and a duration that is none."""
    for name, right, wrong in (
        ("monitoring.yaml", "interval: 30s", "interval: 30x"),
        ("rules.yaml", "- record:", "- recrod:"),
    ):
        text = (written / name).read_text()
        assert right in text
        (tmp_path / name).write_text(text.replace(right, wrong, 1))
    said = taken_by_operator(*(tmp_path / name for name in MONITORING))
    assert said.returncode == 1
    assert "is taken" not in said.stdout
    assert "does not match" in said.stdout or "should match" in said.stdout
    assert "not known" in said.stdout


def test_compose_takes_it(written: Path) -> None:
    """It is parsed and filled in: services, volumes, and the sources from where they are."""
    said = composed(written, OPENAI_API_KEY="sk-1", CLONE="/the/clone")
    assert said.returncode == 0, said.stderr
    assert not said.stderr
    read: dict[str, Any] = json.loads(said.stdout)
    app, daemon = read["services"]["app"], read["services"]["demurrage"]
    assert app["build"]["additional_contexts"] == {"recorder": "/the/clone/recorder"}
    assert daemon["build"]["context"] == "/the/clone"
    assert daemon["environment"]["OPENAI_API_KEY"] == "sk-1"
    assert set(read["volumes"]) == {"state", "events"}
    assert [each["source"] for each in app["volumes"]] == ["events"]
    assert daemon["ports"][0]["host_ip"] == "127.0.0.1"


def test_compose_asks_for_the_key(written: Path) -> None:
    """Without it nothing is started, and the variable is named."""
    said = composed(written, OPENAI_API_KEY="")
    assert said.returncode != 0
    assert "OPENAI_API_KEY" in said.stderr


Changed = Callable[[str], str]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("depends_on", "depend_on"),
        lambda text: text.replace("mem_limit: 1g", "mem_limit: much"),
        lambda text: text.replace("- demurrage\n", "- no-such-service\n"),
    ],
)
def test_compose_notices_what_is_wrong(written: Path, tmp_path: Path, change: Changed) -> None:
    """A field that is mistyped, a value that is none, a service that is not there."""
    text = (written / "compose.yaml").read_text()
    assert change(text) != text
    (tmp_path / "compose.yaml").write_text(change(text))
    assert composed(tmp_path, OPENAI_API_KEY="sk-1", CLONE="/the/clone").returncode != 0
