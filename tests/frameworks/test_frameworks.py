"""Each framework holds a conversation of two turns through the recorder.

The programs are those of docs/frameworks.md, run as they are written there but for the question,
which tells the harbour's pretended model to use the tool.
"""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.frameworks.programs import Ran, run

from demurrage.decide.ledger import Ledger
from demurrage.eventlog.parse import parse
from demurrage.model.event import Ending, Entry

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"
PROGRAMS = dict(re.findall(r"(?ms)^## (.*?)$.*?```python\n(.*?)```", PAGE.read_text()))
QUESTION = "What is the 30th prime?"
# A framework alone takes seconds to import.
pytestmark = pytest.mark.timeout(300)
UNDER_RUN = (sys.executable, "-m", "demurrage_recorder", "run", "--")
RECORDER = re.compile(r"^from demurrage_recorder import instrument\n", re.MULTILINE)


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """A program of the page, with a question that needs code."""
    text: str = PROGRAMS[request.param]
    assert QUESTION in text
    return text.replace(QUESTION, f"{QUESTION} [[use_tool]] [[cite]]")


def _without_recorder(program: str) -> str:
    bare, removed = RECORDER.subn("", program)
    assert removed == 1
    return "instrument = lambda client: client\n" + bare


def test_both_turns_are_logged_and_nothing_else_changes(program: str, tmp_path: Path) -> None:
    """The page's program, beside the same without the recorder."""
    watched = run(program, tmp_path / "watched")
    plain = run(_without_recorder(program), tmp_path / "plain")
    assert plain.lines == []
    assert (watched.printed, watched.complaints) == (plain.printed, plain.complaints)
    assert watched.counts == plain.counts
    assert watched.responses == plain.responses
    _assert_told(watched)


def test_no_line_need_be_changed(program: str, tmp_path: Path) -> None:
    """Under `demurrage-recorder run` a program that knows no recorder logs the same."""
    ran = run(_without_recorder(program), tmp_path / "run", UNDER_RUN)
    assert ran.complaints == ""
    _assert_told(ran)


@pytest.mark.parametrize("name", ["agents_sdk", "langchain", "litellm"])
def test_streamed_and_asynchronous_turns_are_logged_too(name: str, tmp_path: Path) -> None:
    """What the page says of the other ways to call holds."""
    program = (Path(__file__).parent / "streamed" / f"with_{name}.py").read_text()
    _assert_told(run(program, tmp_path / "streamed"))


def _assert_told(ran: Ran) -> None:
    assert ran.printed == "The answer is 42.\n" * 2
    assert ran.counts == {"POST /v1/responses": 2}
    (case,) = ran.containers
    kinds = [event["type"].removeprefix("demurrage.") for event in ran.events]
    ends = [kind for kind in kinds if kind in ("response.started", "response.finished")]
    assert ends == ["response.started", "response.finished"] * 2
    (first,), later = ran.events[0]["data"]["slots"], ran.events[-1]["data"]
    assert first == {"tool": "code_interpreter", "tier": "1g", "container": "auto"}
    assert (later["final"], later["dropped"], later["in_flight"]) == (True, 0, [])
    assert not any(secret in line for line in ran.lines for secret in (b"prime", b"sk-secret"))
    _assert_folded(ran, case)


def _assert_folded(ran: Ran, case: dict[str, Any]) -> None:
    """The daemon's ledger makes of the events what the harbour knows."""
    ledger = Ledger()
    ledger.fold(Entry(place, parse(line)) for place, line in enumerate(ran.lines, 1))
    used, thanked = ledger.book("default").responses.values()
    assert (used.ending, thanked.ending) == (Ending.COMPLETED, Ending.COMPLETED)
    assert used.response_id == case["made_by"] == case["used_by"][0]
    assert used.named == {case["id"]}
    # The second turn leads to the container by the response before it, or by replayed items.
    assert thanked.previous == used.response_ids or case["id"] in thanked.carried
    (source,) = ledger.sources.values()
    assert source.held_through == source.last_sequence == len(ran.lines)
