"""What the image installs is pinned, whole, and says where nothing comes from."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = ROOT / "config/requirements.txt"
BUILD_PINS = ROOT / "config/requirements-build.txt"


def pins(path: Path) -> dict[str, tuple[Requirement, list[str]]]:
    """By name, what is pinned to which version, and the hashes that may come."""
    found = {}
    for entry in path.read_text().replace("\\\n", " ").splitlines():
        stated, *hashes = re.split(r"\s+--hash=", entry)
        requirement = Requirement(stated)
        found[requirement.name] = (requirement, hashes)
    return found


def wanted(extra: str | None = None) -> Iterator[Requirement]:
    """What the project depends on, or one of its extras with all that it draws in."""
    project = PROJECT["project"]
    listed = project["optional-dependencies"][extra] if extra else project["dependencies"]
    for requirement in map(Requirement, listed):
        if requirement.name == project["name"]:
            for each in requirement.extras:
                yield from wanted(each)
        else:
            yield requirement


def missing(requirements: Iterator[Requirement], path: Path) -> list[str]:
    """The requirements that no pin fulfils."""
    pinned = pins(path)
    return [
        str(each)
        for each in requirements
        if each.name not in pinned
        or not all(each.specifier.contains(pin.version) for pin in pinned[each.name][0].specifier)
    ]


def test_all_that_the_daemon_may_use_is_pinned() -> None:
    """`make requirements` was run after the last change of pyproject.toml."""
    assert missing(wanted(), PINS) == []
    assert missing(wanted("service"), PINS) == []


def test_what_builds_the_wheel_is_pinned() -> None:
    """The same for hatchling."""
    requires = map(Requirement, PROJECT["build-system"]["requires"])
    assert missing(requires, BUILD_PINS) == []


def test_only_plots_are_left_out_of_the_service() -> None:
    """An extra that is added is either in the image or named here."""
    extras = PROJECT["project"]["optional-dependencies"]
    drawn = {name for each in extras["service"] for name in Requirement(each).extras}
    assert set(extras) - drawn == {"service", "plot"}


@pytest.mark.parametrize("path", [PINS, BUILD_PINS], ids=lambda path: path.name)
def test_each_pin_is_one_version_with_hashes_and_no_address(path: Path) -> None:
    """Whoever builds the image chooses the index, and gets what was tested or nothing."""
    for requirement, hashes in pins(path).values():
        (pin,) = requirement.specifier
        assert pin.operator == "=="
        assert "*" not in pin.version
        assert requirement.url is None
        assert hashes
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes)


def test_the_image_bears_the_project_s_version() -> None:
    """Its label cannot be worked out where the image is built."""
    version = PROJECT["project"]["version"]
    assert f'image.version="{version}"' in (ROOT / "Dockerfile").read_text()
