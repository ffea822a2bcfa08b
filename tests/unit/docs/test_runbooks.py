"""Every condition, alert and error has its runbook, and every runbook is of one of them."""

import re
from pathlib import Path
from typing import get_args

import pytest
from tests.unit.config.prometheus import alerts
from tests.unit.docs.pages import DOCS

from demurrage.model.condition import ConditionKind
from demurrage.web.problems import Kind

FOLDER = DOCS / "runbooks"
INDEX = (FOLDER / "README.md").read_text()
PAGES = sorted(page for page in FOLDER.rglob("*.md") if page.name != "README.md")
SECTIONS = ["Meaning", "Impact", "Look here", "Do this"]
# An alert whose page its labels choose.
_BY_KIND = "{{ $labels.kind }}"


def slugs_of_alerts() -> set[str]:
    """The pages that alerts link to, but for those that link by their kind."""
    links = {alert["annotations"]["runbook_url"] for alert in alerts()}
    found = {re.fullmatch(r"docs/runbooks/(.+)\.md", link) for link in links}
    assert None not in found, links
    return {match[1] for match in found if match is not None} - {_BY_KIND}


def test_each_has_its_page_and_no_page_is_left_over() -> None:
    """A condition, an alert or an error without a page fails, and so does a page without one."""
    wanted = {*ConditionKind, *slugs_of_alerts(), *(f"problems/{kind}" for kind in get_args(Kind))}
    assert {name_of(page) for page in PAGES} == wanted


def name_of(page: Path) -> str:
    """Its place in the folder, without the ending."""
    return page.relative_to(FOLDER).with_suffix("").as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_what_is_needed_at_night(page: Path) -> None:
    """What it means, what it costs, where to look and what to do, in that order, and no more."""
    text = page.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    parts = re.split(r"^## .*$", text, flags=re.MULTILINE)
    for section, body in zip(SECTIONS, parts[1:], strict=True):
        assert len(body.split()) >= 2, section
    assert re.search(r"^\* ", parts[3], re.MULTILINE)
    assert re.search(r"^1\. ", parts[4], re.MULTILINE)
    title = name_of(page).replace("problems/", "urn:demurrage:problem:")
    assert text.startswith(f"# `{title}`\n")


def test_the_index_lists_each_once() -> None:
    """Nobody has to guess a file's name."""
    listed = re.findall(r"^\| \[`([^`]+)`\]\(([^)]+)\.md\)", INDEX, re.MULTILINE)
    assert sorted(file for _, file in listed) == sorted(name_of(page) for page in PAGES)
    assert all(name == file.removeprefix("problems/") for name, file in listed)


def test_an_alert_s_name_stands_on_its_page() -> None:
    """Who comes by the alert finds it named there, but where a kind chooses the page."""
    for alert in alerts():
        link = alert["annotations"]["runbook_url"].rpartition("/")[2]
        if not link.startswith(_BY_KIND):
            assert f"`{alert['alert']}`" in (FOLDER / link).read_text()
