"""What docs/install-docker.md has people type is what image and settings know."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
from tests.unit.docs.pages import DOCS, ROOT
from tests.unit.image.test_requirements import PROJECT

from demurrage.app.settings import load_settings

PAGE = (DOCS / "install-docker.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
RECORDER = "DEMURRAGE_RECORDER_"


def runs() -> list[list[str]]:
    """The words of each `docker run` that runs a container for good."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [shlex.split(each) for each in blocks if each.startswith("docker run --detach")]


def given(words: list[str], option: str) -> list[str]:
    """The values of an option."""
    return [value for name, value in pairwise(words) if name == option]


DAEMONS = [words for words in runs() if words[-1] == "demurrage"]


def test_the_page_shows_daemons_and_an_application() -> None:
    """Else there is nothing to look at."""
    assert len(DAEMONS) == 3
    assert len(runs()) == 4


@pytest.mark.parametrize("words", DAEMONS, ids=["observe", "tokens", "sidecar"])
def test_settings_take_what_a_container_is_given(words: list[str], tmp_path: Path) -> None:
    """Every variable is one that they read, and with all of them the daemon would start."""
    environ = dict(value.split("=", 1) for value in given(words, "--env"))
    mounts = {each.split(":")[1] for each in given(words, "--volume")}
    for number, (name, value) in enumerate(environ.items()):
        if value.startswith("/run/secrets/"):
            assert value in mounts, f"{name} names a file that is not mounted"
            secret = tmp_path / name
            secret.write_text(f"secret-number-{number:08}")
            environ[name] = str(secret)
        elif value.startswith("/"):
            assert value in mounts, f"{name} names a folder that is not mounted"
            environ[name] = str(tmp_path)
    settings = load_settings(_file(words, tmp_path), environ)
    assert set(settings.targets) == {"default"}
    assert settings.mode == "observe"


@pytest.mark.parametrize("words", DAEMONS, ids=["observe", "tokens", "sidecar"])
def test_volumes_and_ports_are_the_image_s(words: list[str]) -> None:
    """Each volume has a place with an owner in the image; the port is exposed and bound to."""
    volumes = [each.split(":")[:2] for each in given(words, "--volume")]
    for place in (path for name, path in volumes if not name.startswith("/")):
        assert re.search(rf"-o 9470 -g 9470 -m \d+ {place}( |$)", DOCKERFILE, re.MULTILINE), place
    for port in given(words, "--publish"):
        assert f"EXPOSE {port.rpartition(':')[2]}" in DOCKERFILE
    assert {"--read-only", "--cap-drop", "--security-opt"} <= set(words)


def test_the_application_writes_where_the_daemon_reads() -> None:
    """One volume, one path, and the image's group."""
    (application,) = (words for words in runs() if words not in DAEMONS)
    (volume,) = given(application, "--volume")
    (url,) = given(application, "--env")
    assert url == f"{RECORDER}URL=file://{volume.partition(':')[2]}"
    assert volume in given(DAEMONS[-1], "--volume")
    assert f"groupadd --gid {given(application, '--group-add')[0]} " in DOCKERFILE


def test_the_image_is_named_by_its_version() -> None:
    """As the manifests name it."""
    assert f"--tag demurrage:{PROJECT['project']['version']} " in PAGE


def _file(words: list[str], folder: Path) -> Path | None:
    """The settings file of the page, where a container mounts one."""
    if not any("demurrage.toml" in each for each in words):
        return None
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = folder / "demurrage.toml"
    file.write_text(text)
    return file
