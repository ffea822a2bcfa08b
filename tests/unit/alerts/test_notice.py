"""What sinks are told is scrubbed and short."""

from dataclasses import replace

from tests.unit.alerts.build import COST, GAP, NOW, SCRIBE, begun, ended, notice

from demurrage.alerts.notice import Scribe
from demurrage.model.condition import Cause
from demurrage.observe.redact import Redactor

KEY = "sk-proj-S3cretS3cretS3cret"


def test_a_message_says_what_where_and_what_next() -> None:
    """A person who has nothing else can begin."""
    told = notice()
    assert told.title == "[page] t: orphan_cost team=search"
    for part in (COST.summary, "web-1 75%", "$12.50 an hour, estimated", "incidents show 7"):
        assert part in told.text
    assert told.runbook in told.text


def test_the_runbook_is_where_people_read_it() -> None:
    """A link where the settings say where the pages are."""
    there = Scribe(Redactor(), "https://wiki.example/pages").notice(begun(COST, id_=7))
    assert "Runbook: https://wiki.example/pages/orphan_cost.md" in there.text


def test_an_end_says_so() -> None:
    """And asks for nothing more."""
    over = SCRIBE.notice(ended(begun(GAP), NOW + 60))
    assert over.title == "[over] t: sequence_gap"
    assert over.next_step not in over.text


def test_no_secret_leaves() -> None:
    """Whether the daemon holds it or it only looks like one, wherever it stands."""
    known = "plain-known-secret"
    condition = replace(
        COST,
        summary=f"the API said {KEY} and {known}",
        scope=f"team={known}",
        causes=(Cause("writer", f"web {KEY}", 1, 1.0),),
    )
    told = Scribe(Redactor([known])).notice(begun(condition))
    for text in (told.title, told.text, repr(told)):
        assert KEY not in text
        assert known not in text


def test_what_applications_say_is_cut_short() -> None:
    """A name without end must not keep a message from being taken."""
    condition = replace(
        COST,
        summary="x" * 10_000,
        causes=tuple(Cause("writer", f"{number}" * 500, 1, 0.01) for number in range(50)),
    )
    told = SCRIBE.notice(begun(condition))
    assert len(told.text) < 6_000
    assert len(told.causes) == 10
