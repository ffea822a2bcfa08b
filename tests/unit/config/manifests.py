"""Reads what is shipped for compose and Kubernetes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from tests.unit.config.prometheus import CONFIG

COMPOSE = CONFIG / "compose/compose.yaml"
KUBERNETES = CONFIG / "kubernetes"
IMAGE = (CONFIG.parent / "Dockerfile").read_text()


@dataclass(frozen=True)
class Workload:
    """A pod's template, with the documents that stand beside it in its file."""

    file: str
    document: Mapping[str, Any]
    beside: tuple[Mapping[str, Any], ...]

    @property
    def pod(self) -> Mapping[str, Any]:
        """What is said of the pod."""
        return cast("Mapping[str, Any]", self.document["spec"]["template"]["spec"])

    @property
    def labels(self) -> Mapping[str, str]:
        """What the pod is found by."""
        found: Mapping[str, str] = self.document["spec"]["template"]["metadata"]["labels"]
        return found

    @property
    def containers(self) -> list[Mapping[str, Any]]:
        """All of its containers."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def daemon(self) -> Mapping[str, Any]:
        """The container that runs the daemon."""
        (found,) = (each for each in self.containers if each["name"] == "demurrage")
        return found

    def of(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """The documents of a kind in its file."""
        return (each for each in self.beside if each["kind"] == kind)

    def volume(self, name: str) -> Mapping[str, Any]:
        """One of the pod's volumes."""
        (found,) = (each for each in self.pod["volumes"] if each["name"] == name)
        return cast("Mapping[str, Any]", found)

    @property
    def settings(self) -> str:
        """The settings file that the daemon finds."""
        name = self.volume("settings")["configMap"]["name"]
        (found,) = (each for each in self.of("ConfigMap") if each["metadata"]["name"] == name)
        return cast("str", found["data"]["demurrage.toml"])

    @property
    def credentials(self) -> dict[str, tuple[str, str]]:
        """By name of its file, the Secret and the key that each credential comes from."""
        volume = self.volume("credentials")
        sources = (
            [{"name": volume["secret"]["secretName"], "items": volume["secret"]["items"]}]
            if "secret" in volume
            else [each["secret"] for each in volume["projected"]["sources"]]
        )
        return {
            item["path"]: (source["name"], item["key"])
            for source in sources
            for item in source.get(
                "items", [{"key": key, "path": key} for key in secrets()[source["name"]]]
            )
        }


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a file."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def workload(name: str) -> Workload:
    """The pod that a file of manifests describes."""
    found = documents(KUBERNETES / name)
    (own,) = (each for each in found if each["kind"] in {"Deployment", "StatefulSet"})
    return Workload(name, own, tuple(found))


def secrets() -> dict[str, dict[str, str]]:
    """By name, what each Secret holds as it is shipped."""
    return {
        each["metadata"]["name"]: each["stringData"]
        for each in documents(KUBERNETES / "secret.yaml")
    }


def services() -> dict[str, dict[str, Any]]:
    """By name, the services that compose starts."""
    return cast("dict[str, dict[str, Any]]", yaml.safe_load(COMPOSE.read_text())["services"])


def mounts(container: Mapping[str, Any]) -> dict[str, str]:
    """By path, the volume that is mounted there."""
    return {each["mountPath"]: each["name"] for each in container["volumeMounts"]}


def variables(container: Mapping[str, Any]) -> dict[str, Any]:
    """By name, the values of its variables, or where they come from."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


def given(environment: Mapping[str, str], **outside: str) -> dict[str, str]:
    """The variables as compose hands them over: from outside, else the defaults."""

    def filled(match: re.Match[str]) -> str:
        return outside.get(match[1]) or match[2] or "sk-from-outside"

    return {
        name: re.sub(r"\$\{(\w+):(?:-([^}]*)|\?[^}]*)\}", filled, value)
        for name, value in environment.items()
    }
