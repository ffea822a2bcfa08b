"""Reads what the pages say."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PRIVACY = (DOCS / "privacy.md").read_text()


def rows(page: str, header: str) -> list[list[str]]:
    """The cells of the table under a header, without it."""
    _, _, below = page.partition(f"{header}\n")
    table = below.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def names(cell: str) -> set[str]:
    """The names in a cell."""
    return set(re.findall("`([^`]*)`", cell))


def private_fields() -> dict[str, set[str]]:
    """By type, the fields that the page on privacy says its data has; what all have apart."""
    found: dict[str, set[str]] = {}
    for kinds, fields in rows(PRIVACY, "| type | data |"):
        for kind in names(kinds) or {kinds}:
            found[kind] = names(fields)
    return found
