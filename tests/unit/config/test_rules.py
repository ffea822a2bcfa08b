"""The rules for Prometheus name what is there; promtool tests what they do (`make prometheus`)."""

import re

import pytest
from tests.unit.config.prometheus import (
    alerts,
    dashboard,
    groups,
    recorded,
    rule_tests,
    rules,
    strange,
    used,
)

from demurrage.model.condition import ConditionKind

RULES = rules()
ALERTS = alerts()


def name_of(rule: dict[str, str]) -> str:
    """The name of a rule."""
    return rule.get("alert") or rule["record"]


@pytest.mark.parametrize("rule", RULES, ids=name_of)
def test_a_rule_names_metrics_and_labels_that_exist(rule: dict[str, str]) -> None:
    """A mistyped name would be an alert that can never fire."""
    assert not strange(rule["expr"])
    assert list(used(rule["expr"]))


def test_a_strange_name_would_be_noticed() -> None:
    """The check itself finds a wrong metric, a wrong selector and a wrong grouping."""
    query = 'sum by (colour) (rate(demurrage_deletes_total{flavour="x"}[5m])) + demurrage_no_such'
    assert strange(query) == [
        "metric demurrage_no_such",
        "label flavour of demurrage_deletes_total",
        "label colour",
    ]


@pytest.mark.parametrize("alert", ALERTS, ids=name_of)
def test_an_alert_tells_a_person_enough(alert: dict[str, dict[str, str]]) -> None:
    """Severity for routing, a summary, a description and a runbook; templates name its labels."""
    assert alert["labels"]["severity"] in {"page", "warning"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook_url"}
    for text in alert["annotations"].values():
        for label in re.findall(r"\$labels\.(\w+)", text):
            assert re.search(rf"by \([^)]*\b{label}\b", str(alert["expr"])) or (
                label in {"job", "instance"}
            )


def test_every_alert_fires_in_one_test_and_stays_quiet_in_another() -> None:
    """Neither an alert that nothing sets off nor one that anything does."""
    names = [str(test["name"]) for test in rule_tests()]
    for alert in ALERTS:
        own = [name for name in names if name.split()[0] == alert["alert"]]
        assert any(" fires" in name for name in own), alert["alert"]
        assert any(" stays quiet" in name for name in own), alert["alert"]
    assert {name.split()[0] for name in names} == {alert["alert"] for alert in ALERTS}


def test_incidents_that_have_alerts_of_their_own_are_left_out_of_the_general_ones() -> None:
    """Nobody is told twice, and no kind is left out by a mistyped name."""
    general = [each for each in ALERTS if each["alert"].startswith("DemurrageIncident")]
    left_out = {
        tuple(kinds.split("|")) for each in general for kinds in re.findall(
            r'kind!~"([^"]*)"', each["expr"]
        )
    }  # fmt: skip
    assert len(left_out) == 1
    (kinds,) = left_out
    assert set(kinds) <= set(ConditionKind)
    special = [each for each in ALERTS if each not in general]
    linked = {each["annotations"]["runbook_url"].rpartition("/")[2] for each in special}
    assert {f"{kind}.md" for kind in set(kinds) - {"delete_refused"}} <= linked


def test_what_is_recorded_is_used() -> None:
    """By an alert, another rule or the dashboard; the rest would be stored for nobody."""
    asked = [rule["expr"] for rule in RULES]
    asked += [
        target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())
    ]
    named = {name for query in asked for name, _ in used(query)}
    assert set(recorded()) <= named


def test_names_are_unique() -> None:
    """Two rules of one name would overwrite one another."""
    names = [name_of(rule) for rule in RULES]
    assert len(names) == len(set(names))
    assert len({group["name"] for group in groups()}) == len(groups())
