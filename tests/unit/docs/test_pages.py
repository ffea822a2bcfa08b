"""What the pages say of fields and names is what the code has."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.docs.pages import DOCS, PRIVACY, ROOT, names, private_fields, rows

from demurrage.eventlog.schema import event_schema
from demurrage.model.condition import ConditionKind
from demurrage.model.facts import BreakKind

PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")), ROOT / "recorder/README.md"]
COVERAGE = (DOCS / "coverage.md").read_text()
DEFINITIONS = event_schema()["$defs"]

# The recorder tells which HTTP request it was at the end as well; nothing reads it there.
_BEYOND = {"demurrage.response.finished": {"request_id"}}


def known() -> dict[str, dict[str, Any]]:
    """By type, the schema of each event."""
    return {
        definition["properties"]["type"]["const"]: definition
        for definition in DEFINITIONS.values()
        if "const" in definition["properties"].get("type", {})
    }


def properties(reference: dict[str, str]) -> dict[str, Any]:
    """The properties of what a `$ref` points at."""
    found: dict[str, Any] = DEFINITIONS[reference["$ref"].rpartition("/")[2]]["properties"]
    return found


def test_privacy_names_every_field_and_no_other() -> None:
    """Its table is the schema's, type by type."""
    page = private_fields()
    everywhere = page.pop("every type")
    assert page.pop("a slot") == set(DEFINITIONS["SlotData"]["properties"])
    assert {f"demurrage.{kind}" for kind in page} == set(known())
    for kind, definition in known().items():
        told = page[kind.removeprefix("demurrage.")] | everywhere
        taken = set(properties(definition["properties"]["data"]))
        assert told == taken | _BEYOND.get(kind, set()), kind


def test_privacy_names_the_envelope() -> None:
    """What every event bears stands before the table."""
    (sentence,) = re.findall(r"^Every event bears (.*?),? by hand", PRIVACY, re.MULTILINE)
    for definition in known().values():
        assert names(sentence) == set(definition["properties"])


def test_coverage_names_every_break() -> None:
    """Its first table has each kind that `status` can show."""
    header = "| kind | what happened | what to do before you confirm |"
    assert {name for row in rows(COVERAGE, header) for name in names(row[0])} == set(BreakKind)


def test_coverage_names_conditions_that_exist() -> None:
    """A name that a person reads in `status` is found on the page as it is there."""
    tables = ("| incident | what happened | what to do |", "| incident | what it means |")
    told = {name for header in tables for row in rows(COVERAGE, header) for name in names(row[0])}
    assert told <= set(ConditionKind)
    evidence = {
        ConditionKind.LOG_UNREADABLE,
        ConditionKind.SEQUENCE_GAP,
        ConditionKind.EVENT_CONFLICT,
        ConditionKind.LINE_SET_ASIDE,
        ConditionKind.SILENT_WRITER,
        ConditionKind.EVENTS_DROPPED,
        ConditionKind.NOBODY_LOGS,
        ConditionKind.UNRETRIEVABLE_RESPONSES,
        ConditionKind.FOREIGN_CONTAINERS,
        ConditionKind.UNLOGGED_MAKERS,
        ConditionKind.LATE_BIRTHS,
    }
    assert told == evidence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link inside the project names a file that is there, and a heading in it."""
    for link in re.findall(r"\]\(([^)]*)\)", page.read_text()):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text()), link


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as they are made from them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def test_the_first_line_is_the_how_to_s() -> None:
    """The README shows the beginning of what the page on logging runs."""
    (shown,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert f"```python\n{shown}" in (DOCS / "logging.md").read_text()
