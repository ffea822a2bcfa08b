"""A Debian in a folder, made once, that machines and images are made from."""

import shutil
import subprocess
from pathlib import Path

_SUITE = "bookworm"
# What a service needs to boot, and what an image of Python needs below it.
_PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv,procps,ca-certificates"


def base(folder: Path) -> Path:
    """A root that others are copied from, made once."""
    root = folder / "base"
    done = folder / "base.done"
    if not done.exists():
        shutil.rmtree(root, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "debootstrap.log").open("wb") as log:
            subprocess.run(
                [
                    "debootstrap",
                    "--variant=minbase",
                    f"--include={_PACKAGES}",
                    _SUITE,
                    str(root),
                ],
                stdout=log,
                stderr=log,
                check=True,
            )
        done.touch()
    return root


def copy(root: Path, to: Path) -> None:
    """Another root like it."""
    if to.exists():
        shutil.rmtree(to)
    subprocess.run(["cp", "--archive", "--reflink=auto", str(root), str(to)], check=True)
