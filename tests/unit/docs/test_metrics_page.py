"""The page on metrics has each metric with its labels, and no other."""

import re

from tests.unit.config.prometheus import series
from tests.unit.docs.pages import DOCS, names, rows

PAGE = (DOCS / "metrics.md").read_text()


def test_the_table_is_what_is_exposed() -> None:
    """A metric that is added, renamed or labelled otherwise changes the page."""
    told = {
        name: names(labels)
        for cell, labels, _ in rows(PAGE, "| metric | labels | what it says |")
        for name in names(cell)
    }
    exposed = {
        re.sub(r"_bucket$", "", name): set(labels) - {"le"}
        for name, labels in series().items()
        if name.startswith("demurrage_")
    }
    whole = {
        name: labels
        for name, labels in exposed.items()
        if not re.search(r"_(count|sum|created)$", name)
        and not {f"{name}_total", f"{name}_info"} & exposed.keys()
    }
    assert told == whole
