"""What the package ships for people to write out, change and use."""

import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


class Kind(StrEnum):
    """What the daemon is to be run by; SETTINGS alone leaves that open."""

    SETTINGS = "settings"
    SYSTEMD = "systemd"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True)
class Shipped:
    """One file: its name, its text, and whether secrets are to be written into it."""

    name: str
    text: str
    secret: bool = False


# Scripts of a clone lie beside the unit; they need the wheel that was built there.
_UNIT = ("demurrage.service", "demurrage.sysusers.conf", "demurrage.tmpfiles.conf")
_COMPOSE = ("compose.yaml", "app.py", "app.Dockerfile")
_MANIFESTS = ("secret.yaml", "sidecar.yaml", "daemon.yaml", "monitoring.yaml")
_RULE = """\
# Made by `demurrage init --kubernetes` from the rules for any other Prometheus.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: demurrage
  labels:
    app.kubernetes.io/name: demurrage
spec:
"""

# "@" stands before the name of a file that is written; what is in brackets of its own is needed
# only where the files are not in the current folder.
_NEXT: Mapping[Kind, Sequence[str]] = {
    Kind.SETTINGS: (
        "Look through @demurrage.toml: as written the daemon observes, and deletes nothing.",
        "`demurrage check [--config @demurrage.toml]`",
        "`demurrage run [--config @demurrage.toml]`",
    ),
    Kind.SYSTEMD: (
        "As root: `python3 -m venv /opt/demurrage`; that is what the unit runs.",
        "In the project's folder: `/opt/demurrage/bin/pip install '.[service]'`",
        "As root: `install -D -m 644 @demurrage.toml /etc/demurrage/demurrage.toml`",
        "`install -m 644 @demurrage.service /etc/systemd/system/demurrage.service`",
        "`install -D -m 644 @demurrage.sysusers.conf /etc/sysusers.d/demurrage.conf`",
        "`install -D -m 644 @demurrage.tmpfiles.conf /etc/tmpfiles.d/demurrage.conf`",
        "`systemd-sysusers demurrage.conf && systemd-tmpfiles --create demurrage.conf`",
        "`install -m 600 /dev/null /etc/demurrage/api_key`, and write the key into it.",
        "`systemctl daemon-reload && systemctl enable --now demurrage`",
    ),
    Kind.COMPOSE: (
        "`export OPENAI_API_KEY=...`, and `export CLONE=...`: where the sources are.",
        "`docker compose [-f @compose.yaml] up --build`",
        "`docker compose [-f @compose.yaml] exec demurrage demurrage status`",
    ),
    Kind.KUBERNETES: (
        "Push the image to where your cluster finds it, and name it in the files.",
        "Fill in @secret.yaml, and keep it out of version control.",
        "@sidecar.yaml is for an application with one pod, @daemon.yaml for any other; take one.",
        "`kubectl create namespace demurrage`",
        "`kubectl apply -n demurrage -f @secret.yaml -f @daemon.yaml`",
        "For Prometheus' operator: `kubectl apply -n demurrage -f @monitoring.yaml -f @rules.yaml`",
    ),
}
_OPTION = re.compile(r" \[(.+?)\]")
_FILE = re.compile(r"@([\w.]+\w)")


def next_steps(kind: Kind, into: Path) -> Iterator[str]:
    """What a person does with the files, in order, as it goes from where they stand.

    Args:
        kind: what was written.
        into: the folder that it is in, absolute or from where they stand.
    """
    for step in _NEXT[kind]:
        whole = _OPTION.sub("" if into == Path() else r" \1", step)
        yield _FILE.sub(lambda found: shlex.quote(str(into / found[1])), whole)


def shipped(kind: Kind) -> Iterator[Shipped]:
    """The files that belong to a kind."""
    root = files("demurrage") / "shipped"
    if kind in (Kind.SETTINGS, Kind.SYSTEMD):
        yield Shipped("demurrage.toml", _text(root / "demurrage.toml"))
    if kind is Kind.SYSTEMD:
        yield from _all(root / "systemd", _UNIT)
    elif kind is Kind.COMPOSE:
        yield from _all(root / "compose", _COMPOSE)
    elif kind is Kind.KUBERNETES:
        yield from _all(root / "kubernetes", _MANIFESTS)
        yield Shipped("rules.yaml", _RULE + textwrap.indent(_rules(root), "  "))


def _rules(root: Traversable) -> str:
    return _text(root / "prometheus" / "demurrage.rules.yml")


def _all(folder: Traversable, names: Sequence[str]) -> Iterator[Shipped]:
    for name in names:
        yield Shipped(name, _text(folder / name), secret=name.startswith("secret."))


def _text(file: Traversable) -> str:
    return file.read_text(encoding="utf-8")
