"""The image, built by buildah on a base that is made here to stand for python:3.13-slim."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.deployment.debian import copy

_BASE = "localhost/python:3.13-slim"
_IMAGE = "localhost/demurrage"
_VERSION = "3.13"
# Of no use to the image, and large; the slim image has none of it either.
_LEFT_OUT = ("test", "idlelib", "config-*", "site-packages", "__pycache__", "*.a")
# Nothing is downloaded while the image is built: pip finds what the pins allow here or fails.
_PIP = "[global]\nno-index = true\nfind-links = /wheels\n"


def missing() -> list[str]:
    """The programs that building and running an image needs and this host lacks."""
    needed = ("buildah", "debootstrap", "unshare", "nsenter")
    return [each for each in needed if shutil.which(each) is None]


def interpreter() -> Path | None:
    """A Python of the image's version that can be moved, None where there is none.

    The system's own cannot: its libraries are another system's.
    """
    found = subprocess.run([".ci/pythons"], capture_output=True, text=True, check=True).stdout
    paths = [Path(line) for line in found.splitlines()]
    own = (each for each in paths if each.parents[1] != Path("/usr"))
    return next((each for each in own if each.name == f"python{_VERSION}"), None)


def download(python: Path, to: Path) -> None:
    """Fetch all that the pins name, for the image's Python."""
    for pins in ("requirements.txt", "requirements-build.txt"):
        subprocess.run(
            [
                *(python, "-m", "pip", "download", "-qq", "--only-binary=:all:"),
                *("--require-hashes", f"--requirement=config/{pins}", f"--dest={to}"),
            ],
            check=True,
        )


def stand_in(debian: Path, python: Path, to: Path) -> None:
    """Make a root with Python in /usr/local, as in the image that it stands for."""
    copy(debian, to)
    local = to / "usr/local"
    home = python.parents[1]
    for part in (f"lib/python{_VERSION}", f"bin/python{_VERSION}"):
        origin, target = home / part, local / part
        if origin.is_dir():
            shutil.copytree(
                origin, target, symlinks=True, ignore=shutil.ignore_patterns(*_LEFT_OUT)
            )
        else:
            shutil.copy2(origin, target)
    for library in home.glob(f"lib/libpython{_VERSION}.so*"):
        shutil.copy2(library, local / "lib", follow_symlinks=False)
    for name in ("python", "python3"):
        (local / "bin" / name).symlink_to(f"python{_VERSION}")
    (local / f"lib/python{_VERSION}/site-packages").mkdir()
    (to / "etc/pip.conf").write_text(_PIP)
    (to / "wheels").mkdir()
    for command in ("ldconfig", "python -m ensurepip"):
        subprocess.run(
            ["chroot", to, "env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin", *command.split()],
            stdout=subprocess.DEVNULL,
            check=True,
        )
    for waste in ("var/cache/apt/archives", "var/lib/apt/lists"):
        shutil.rmtree(to / waste, ignore_errors=True)


@dataclass(frozen=True)
class Store:
    """Images of our own, apart from the host's."""

    folder: Path

    def buildah(self, *arguments: str) -> str:
        """Run buildah; fails with its words."""
        ran = subprocess.run(
            [
                *("buildah", "--storage-driver=vfs", f"--root={self.folder / 'images'}"),
                *(f"--runroot={self.folder / 'run'}", *arguments),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout.strip()

    def clear(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def take(self, root: Path) -> None:
        """Make a root the base of what is built."""
        container = self.buildah("from", "scratch")
        mounted = Path(self.buildah("mount", container))
        subprocess.run(["cp", "--archive", f"{root}/.", str(mounted)], check=True)
        self.buildah("config", "--env=PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
        self.buildah("commit", "--quiet", "--disable-compression", "--rm", container, _BASE)

    def build(self, wheels: Path) -> None:
        """Build the image from the Dockerfile, as it is and from nothing else."""
        self.buildah(
            *("build", "--quiet", "--pull=never", "--isolation=chroot", "--format=docker"),
            *(f"--volume={wheels}:/wheels:ro", f"--tag={_IMAGE}", "."),
        )

    def config(self) -> dict[str, Any]:
        """What the image asks of whoever runs it."""
        inspected = json.loads(self.buildah("inspect", "--type=image", _IMAGE))
        config: dict[str, Any] = inspected["Docker"]["config"]
        return config

    def root(self) -> Path:
        """A file system made from the image."""
        return Path(self.buildah("mount", self.buildah("from", "--pull=never", _IMAGE)))


def megabytes(root: Path) -> float:
    """How much a file system takes, each file once."""
    said = subprocess.run(
        ["du", "--summarize", "--bytes", "--one-file-system", str(root)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return int(said.split()[0]) / 1e6
