"""Reads what is shipped for Prometheus and Grafana, and what metrics there are."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from demurrage.observe.metrics import Metrics

CONFIG = Path(__file__).parents[3] / "config"
RULES = CONFIG / "prometheus/demurrage.rules.yml"
TESTS = CONFIG / "prometheus/demurrage.tests.yml"
DASHBOARD = CONFIG / "grafana/demurrage.json"

# What Prometheus itself adds to each series, and the series that it makes.
ADDED = frozenset({"job", "instance"})
OWN = {"up": ADDED, "ALERTS": ADDED | {"alertname", "alertstate", "severity", "kind", "target"}}
_METRIC = re.compile(
    r"(?<![\w:$\"])(?P<name>(?:demurrage_|process_|python_|job_target:|up\b|ALERTS\b)[\w:]*)"
    r"(?P<labels>\{[^}]*\})?"
)
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPED = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)")


def groups() -> list[dict[str, Any]]:
    """The groups of the rules file."""
    return cast("list[dict[str, Any]]", yaml.safe_load(RULES.read_text())["groups"])


def rules() -> list[dict[str, Any]]:
    """All rules."""
    return [rule for group in groups() for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """The alerts among them."""
    return [rule for rule in rules() if "alert" in rule]


def rule_tests() -> list[dict[str, Any]]:
    """What promtool is to test."""
    return cast("list[dict[str, Any]]", yaml.safe_load(TESTS.read_text())["tests"])


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    return cast("dict[str, Any]", json.loads(DASHBOARD.read_text()))


def panels() -> list[dict[str, Any]]:
    """Its panels, rows among them."""
    return cast("list[dict[str, Any]]", dashboard()["panels"])


def queries() -> Iterator[tuple[str, str]]:
    """Each of its queries with the title of its panel."""
    for panel in panels():
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def series() -> Mapping[str, frozenset[str]]:
    """By name, the labels of every series that the daemon exposes."""
    registry = Metrics("0", ["default"], ["slack"]).registry
    found: dict[str, frozenset[str]] = {}
    for collector, names in registry._collector_to_names.items():
        labels = frozenset(getattr(collector, "_labelnames", ()))
        for name in names:
            more = {"le"} if name.endswith("_bucket") else set()
            found[name] = labels | more
    # Those of the process and of what runs do not say beforehand what they have.
    for family in registry.collect():
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, frozenset()) | sample.labels.keys()
    return found


def recorded() -> Mapping[str, frozenset[str]]:
    """By name, the labels of what recording rules make."""
    return {
        rule["record"]: frozenset(rule["record"].partition(":")[0].split("_"))
        for rule in rules()
        if "record" in rule
    }


def used(query: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The metrics that a query names, each with the labels that it is selected by."""
    for match in _METRIC.finditer(query):
        yield match["name"], frozenset(_LABEL.findall(match["labels"] or ""))


def grouped(query: str) -> frozenset[str]:
    """The labels that a query groups or joins by."""
    return frozenset(
        label.strip()
        for match in _GROUPED.finditer(query)
        for label in match[1].split(",")
        if label.strip()
    )


def strange(query: str) -> list[str]:
    """What a query names and nobody exposes: metrics, and labels that a metric has not."""
    known = {**series(), **recorded(), **OWN}
    found = [f"metric {name}" for name, _ in used(query) if name not in known]
    present = [(name, labels) for name, labels in used(query) if name in known]
    found += [
        f"label {label} of {name}"
        for name, labels in present
        for label in sorted(labels - known[name] - ADDED)
    ]
    all_labels = ADDED.union(*(known[name] for name, _ in present))
    return found + [f"label {label}" for label in sorted(grouped(query) - all_labels)]
