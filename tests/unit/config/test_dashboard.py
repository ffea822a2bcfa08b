"""The dashboard for Grafana asks for what there is, and shows it in a way that can be read."""

import re
from collections import Counter
from typing import Any

import pytest
from tests.unit.config.prometheus import dashboard, panels, queries, series, strange, used

SHOWN = [panel for panel in panels() if panel["type"] != "row"]
VARIABLES = {each["name"]: each for each in dashboard()["templating"]["list"]}
# Variables that Grafana itself fills in.
_GIVEN = {"__rate_interval", "__range"}


@pytest.mark.parametrize(("title", "query"), list(queries()))
def test_a_query_names_metrics_and_labels_that_exist(title: str, query: str) -> None:
    """A panel that stays empty for ever would be taken for good news."""
    assert not strange(query), title
    asked = set(re.findall(r"\$(\w+)", query))
    assert asked <= VARIABLES.keys() | _GIVEN
    # The dashboard works without the recording rules.
    assert all(name in {*series(), "up"} for name, _ in used(query))


@pytest.mark.parametrize("panel", SHOWN, ids=lambda panel: panel["title"])
def test_a_panel_can_be_read(panel: dict[str, Any]) -> None:
    """It says what it shows and in which unit, and each of its lines has a name."""
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert steps[0]["value"] is None
    assert panel["targets"]
    for target in panel["targets"]:
        assert target["datasource"]["uid"] == "${datasource}"
        assert target["legendFormat"]
    letters = [target["refId"] for target in panel["targets"]]
    assert len(letters) == len(set(letters))


def test_panels_do_not_overlap() -> None:
    """Each cell of the grid is taken at most once, and within its 24 columns."""
    cells: Counter[tuple[int, int]] = Counter()
    for panel in panels():
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells.update(
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        )
    assert set(cells.values()) == {1}
    assert len({panel["id"] for panel in panels()}) == len(panels())


def test_it_can_be_moved() -> None:
    """No data source, job or target of ours is written into it."""
    board = dashboard()
    assert set(VARIABLES) == {"datasource", "job", "target"}
    assert VARIABLES["datasource"]["type"] == "datasource"
    assert VARIABLES["datasource"]["query"] == "prometheus"
    for name in ("job", "target"):
        assert not strange(
            re.sub(r"label_values\((.*), \w+\)", r"\1", VARIABLES[name]["definition"])
        )
        assert VARIABLES[name]["includeAll"]
    (annotation,) = board["annotations"]["list"]
    assert not strange(annotation["expr"])
    assert board["uid"] == "demurrage"
    assert board["schemaVersion"] >= 36


def test_every_metric_of_ours_is_on_it_or_says_nothing_alone() -> None:
    """What is exported is looked at by somebody."""
    shown = {name for _, query in queries() for name, _ in used(query)}
    ours = {re.sub(r"_bucket$", "", name) for name in series() if name.startswith("demurrage_")}
    base = {name for name in ours if not re.search(r"_(count|sum|created)$", name)}
    families = {re.sub(r"_bucket$", "", name) for name in shown}
    unshown = {
        name for name in base if name not in families and f"{name}_total" not in families
        and f"{name}_info" not in families
    }  # fmt: skip
    assert not unshown
