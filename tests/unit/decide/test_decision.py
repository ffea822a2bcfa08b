"""What a decision tells beside its verdicts: conditions for a person, and what it claims."""

import pytest
from tests.unit.decide.builders import (
    COMPLETE,
    TARGET,
    T,
    Writer,
    decision_of,
    facts,
    sighting,
    verdict_of,
)

from demurrage.decide.decision import Decision, counts
from demurrage.decide.response import Claim
from demurrage.model.condition import ConditionKind, Severity
from demurrage.model.facts import BreakKind, CoverageBreak, TargetFacts
from demurrage.model.verdict import VerdictKind


def told(decision: Decision, kind: ConditionKind) -> list[tuple[str, Severity]]:
    """What is said of one kind, and how grave it is."""
    return [(each.summary, each.severity) for each in decision.conditions if each.kind is kind]


def turn() -> Writer:
    """A finished turn that fits containers born at 12."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 30)
    return app


def test_it_claims_what_it_stood_on() -> None:
    """So that a start that comes too late is known for one."""
    app = turn()
    app.beats(390)
    decision = decision_of(app, rows=[sighting()], read_since=-70.0)
    assert decision.claim == Claim(T + 400.0, T + 370.0)
    assert (decision.target, decision.now, decision.read_since) == (TARGET, T + 400, T - 70)


def test_what_is_wrong_with_containers_is_counted() -> None:
    """Of each kind as many as there are; strangers are expected before the word is given."""
    app = Writer()
    app.starts("a", 100)
    app.ends("a", 110)
    app.beats(390)
    rows = [
        *(sighting(f"cntr_status{number}", status="?") for number in range(2)),
        *(sighting(f"other{number}") for number in range(3)),
        *(sighting(f"cntr_null{number}", active=None) for number in range(4)),
        *(sighting(f"cntr_foreign{number}", 30) for number in range(5)),
        *(sighting(f"cntr_suspect{number}", 105) for number in range(6)),
    ]
    strangers = {ConditionKind.FOREIGN_CONTAINERS, ConditionKind.UNLOGGED_MAKERS}
    for known, severity in ((COMPLETE, Severity.WARNING), (TargetFacts(), Severity.NOTICE)):
        decision = decision_of(app, rows=rows, known=known)
        assert counts(decision.verdicts)[VerdictKind.UNKNOWN] == 2 + 3 + 4
        for kind, count in {
            ConditionKind.UNKNOWN_STATUS: 2,
            ConditionKind.UNKNOWN_ID: 3,
            ConditionKind.NULL_ACTIVITY: 4,
            ConditionKind.FOREIGN_CONTAINERS: 5,
            ConditionKind.UNLOGGED_MAKERS: 6,
        }.items():
            ((summary, grave),) = told(decision, kind)
            assert summary.split()[0] == str(count)
            assert grave is (severity if kind in strangers else Severity.WARNING)


def test_a_target_of_which_an_id_is_known_is_logged_for() -> None:
    """Somebody speaks of it, although of no request."""
    app = Writer()
    assert [each for _, each in told(decision_of(), ConditionKind.NOBODY_LOGS)] == [Severity.NOTICE]
    app.knows("resp_x", 10)
    assert not told(decision_of(app), ConditionKind.NOBODY_LOGS)


@pytest.mark.parametrize(
    ("now", "known", "severity"),
    [
        (990.0, COMPLETE, None),
        (991.0, COMPLETE, Severity.WARNING),
        (991.0, TargetFacts(), Severity.NOTICE),
        (6390.0, COMPLETE, Severity.WARNING),
    ],
)
def test_a_log_that_stays_behind_is_told_of(
    now: float, known: TargetFacts, severity: Severity | None
) -> None:
    """After ten minutes, with who holds it and for how long."""
    app = turn()
    app.beats(390)
    stale = told(decision_of(app, now=now, known=known), ConditionKind.EVIDENCE_STALE)
    assert [each for _, each in stale] == ([] if severity is None else [severity])
    for summary, _ in stale:
        assert f" {(now - 390) // 60:.0f} minutes " in summary
        assert "app-1" in summary


def test_a_log_that_is_complete_to_no_moment_has_no_age() -> None:
    """What is wrong with it is told by itself."""
    app = Writer()
    app.loses(app.starts("a", 10))
    app.ends("a", 30)
    decision = decision_of(app, now=5000)
    assert not told(decision, ConditionKind.EVIDENCE_STALE)
    ((summary, _),) = told(decision, ConditionKind.SEQUENCE_GAP)
    assert "app-1" in summary
    assert "sequence 1 " in summary


def test_late_births_are_counted() -> None:
    """So that a person sees whether it is one response or all."""
    app = Writer()
    app.starts("a", 10)
    app.puts_out("a", 20)
    app.ends("a", 80, "cntr_1")
    app.beats(390)
    ((summary, _),) = told(decision_of(app, rows=[sighting(born=40)]), ConditionKind.LATE_BIRTHS)
    assert summary.startswith("1 container ")


def test_a_breach_is_told_with_what_and_whom_it_is_about() -> None:
    """Each by itself."""
    breaches = tuple(
        CoverageBreak(TARGET, BreakKind.LATE_START, about, T + 1.0, f"{about} was late")
        for about in ("x", "y")
    )
    app = turn()
    app.beats(390)
    decision = decision_of(app, known=facts(breaks=breaches))
    summaries = [summary for summary, _ in told(decision, ConditionKind.COVERAGE_BROKEN)]
    for each, summary in zip(breaches, summaries, strict=True):
        assert f"{each.kind} {each.about}: {each.detail}" in summary


def test_of_known_ids_without_a_request_the_first_is_named() -> None:
    """Whichever was told first."""
    app = Writer()
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30, "cntr_1")
    app.knows("resp_9", 40)
    app.knows("resp_8", 41)
    app.closes(100, "talk")
    app.beats(390)
    assert verdict_of(sighting(active=25), app).reasons[-1].about == "resp_8"
