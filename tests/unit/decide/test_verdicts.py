"""The table of verdicts: one each, and the first row that holds wins."""

import pytest
from tests.unit.decide.builders import (
    COMPLETE,
    T,
    Writer,
    decision_of,
    facts,
    policy,
    sighting,
    verdict_of,
)

from demurrage.decide.decision import counts
from demurrage.model.condition import ConditionKind
from demurrage.model.facts import TargetFacts
from demurrage.model.verdict import Code, VerdictKind


def turn() -> Writer:
    """A finished turn that fits a container born at 12, and a heartbeat."""
    app = Writer()
    app.starts("a", 10, conversation="talk")
    app.ends("a", 30)
    return app


def test_an_unheard_status_is_unknown() -> None:
    """Whatever else is known of it, and a condition tells a person."""
    app = turn()
    app.beats(390)
    row = sighting(status="hibernating")
    decision = decision_of(app, rows=[row])
    assert decision.verdicts[row.id].codes == (Code.STATUS_UNKNOWN,)
    assert ConditionKind.UNKNOWN_STATUS in {each.kind for each in decision.conditions}


@pytest.mark.parametrize("status", ["running", "active"])
def test_both_live_statuses_are_judged(status: str) -> None:
    """`running` and `active` are live."""
    app = turn()
    app.beats(390)
    assert verdict_of(sighting(status=status), app).kind is VerdictKind.ORPHAN


@pytest.mark.parametrize("status", ["expired", "deleted"])
def test_what_is_gone_gets_no_verdict(status: str) -> None:
    """Neither by its row, nor by what the daemon knows of it."""
    app = turn()
    rows = [
        sighting("cntr_1", status=status),
        sighting("cntr_2", gone_at=20),
        sighting("cntr_3", deleted_at=20),
    ]
    assert not decision_of(app, rows=rows).verdicts


def test_null_activity_is_unknown() -> None:
    """Whether it was used cannot be seen."""
    app = turn()
    app.beats(390)
    row = sighting(active=None)
    decision = decision_of(app, rows=[row])
    assert decision.verdicts[row.id].codes == (Code.ACTIVITY_NULL,)
    assert ConditionKind.NULL_ACTIVITY in {each.kind for each in decision.conditions}


def test_an_id_of_another_form_is_unknown() -> None:
    """No reference to it would be recognised, so that there is none means nothing."""
    app = turn()
    app.beats(390)
    row = sighting("container-8f3a")
    decision = decision_of(app, rows=[row])
    assert decision.verdicts[row.id].codes == (Code.ID_UNKNOWN,)
    assert ConditionKind.UNKNOWN_ID in {each.kind for each in decision.conditions}


def test_unknown_comes_before_protected() -> None:
    """A protection does not hide that something cannot be read."""
    known = facts(protected=frozenset({"cntr_1"}))
    assert verdict_of(sighting(status="?"), known=known).kind is VerdictKind.UNKNOWN


@pytest.mark.parametrize("by", ["person", "name"])
def test_protected_comes_before_released_and_orphan(by: str) -> None:
    """By a person or a name, whatever the evidence says."""
    known = facts(protected=frozenset({"cntr_1"})) if by == "person" else COMPLETE
    rules = policy(protect_names=("keep-*",) if by == "name" else ())
    row = sighting(name="keep-me", active=25)
    idle = sighting(name="keep-me")
    released, orphan = turn(), turn()
    released.ends("a", 31, "cntr_1")
    released.closes(100, "talk")
    for app, each in ((released, row), (orphan, idle)):
        app.beats(390)
        verdict = verdict_of(each, app, known=known, rules=rules)
        assert (verdict.kind, verdict.due_at) == (VerdictKind.PROTECTED, None)


def test_released_comes_before_its_own_activity() -> None:
    """It was used, and its use has ended."""
    app = turn()
    app.ends("a", 31, "cntr_1")
    app.closes(100, "talk")
    app.beats(390)
    assert verdict_of(sighting(active=25), app).kind is VerdictKind.RELEASED


def test_referenced_comes_before_explicit() -> None:
    """A live lineage holds an explicit container with its own reason."""
    app = turn()
    app.makes("cntr_1", 11)
    app.ends("a", 31, "cntr_1")
    app.beats(390)
    assert verdict_of(sighting(), app).kind is VerdictKind.REFERENCED


def test_activity_comes_before_a_foreign_name() -> None:
    """A used container is referenced, whatever its name."""
    app = turn()
    app.beats(390)
    rules = policy(auto_name="Auto*")
    assert verdict_of(sighting(name="x", active=40), app, rules=rules).kind is (
        VerdictKind.REFERENCED
    )


def test_explicit_comes_before_unproven() -> None:
    """What an application made itself is explicit under partial coverage too."""
    app = turn()
    app.makes("cntr_1", 11)
    app.beats(390)
    assert verdict_of(sighting(), app, known=TargetFacts()).kind is VerdictKind.EXPLICIT


def test_pending_comes_before_unproven_while_proof_is_possible() -> None:
    """A container that seems foreign may have a maker still to be read."""
    app = Writer()
    app.beats(10)
    assert verdict_of(sighting(), app).kind is VerdictKind.PENDING
    partial = verdict_of(sighting(), app, known=TargetFacts())
    assert partial.codes == (Code.COVERAGE_PARTIAL, Code.LOG_NOT_COMPLETE)
    assert partial.shadow is VerdictKind.PENDING
    app.beats(390)
    assert verdict_of(sighting(), app).codes == (Code.FOREIGN,)


def test_only_orphan_and_released_carry_a_due_time() -> None:
    """Every other verdict keeps, and says why."""
    app = turn()
    app.starts("b", 300)
    app.ends("b", 320, "cntr_3")
    app.beats(390)
    rows = [
        sighting("cntr_1"),
        sighting("cntr_2", 302, status="?"),
        sighting("cntr_3", 302, active=310),
        sighting("cntr_4", 395),
        sighting("cntr_5", 200),
    ]
    decision = decision_of(app, rows=rows)
    for container_id, verdict in decision.verdicts.items():
        assert verdict.container_id == container_id
        assert (verdict.due_at is not None) == (verdict.kind is VerdictKind.ORPHAN)
        assert verdict.reasons
    assert counts(decision.verdicts) == {
        **dict.fromkeys(VerdictKind, 0),
        VerdictKind.ORPHAN: 1,
        VerdictKind.UNKNOWN: 1,
        VerdictKind.REFERENCED: 1,
        VerdictKind.PENDING: 1,
        VerdictKind.UNPROVEN: 1,
    }


def test_proof_keeps_its_first_moment() -> None:
    """`proven_at` is what the store remembers, so that due times do not slip."""
    app = turn()
    app.beats(390)
    verdict = verdict_of(sighting(), app, known=facts(proven={"cntr_1": 1_800_000_050.0}))
    assert verdict.proven_at == 1_800_000_050.0
    assert verdict.due_at == 1_800_000_012.0 + 270


def test_a_target_without_events_says_that_nobody_logs() -> None:
    """It is no silent row of unproven."""
    decision = decision_of(rows=[sighting()])
    assert [each.kind for each in decision.conditions] == [ConditionKind.NOBODY_LOGS]
    assert decision.verdicts["cntr_1"].kind is VerdictKind.UNPROVEN


def test_the_unproven_go_by_age_and_idleness_at_the_operators_risk() -> None:
    """To the second, and the reasons say at whose risk, beside why there is no proof."""
    rules = policy(unproven="delete", unproven_after=900.0, idle_after=180.0)
    app = Writer()
    app.beats(390)
    row = sighting(born=100)
    verdict = verdict_of(row, app, rules=rules)
    assert verdict.codes == (Code.FOREIGN, Code.UNPROVEN_DELETE)
    assert verdict.due_at == T + 100 + 1 + 900
    late = verdict_of(
        sighting(born=100, active=102),
        app,
        rules=policy(unproven="delete", unproven_after=1.0, idle_after=180.0),
    )
    assert late.due_at == T + 102 + 1 + 180


def test_the_unproven_wait_for_what_evidence_may_still_tell() -> None:
    """Partial coverage is said, and what is waited for; and nothing is due."""
    app = Writer()
    app.starts("a", 10)
    app.beats(390, "a")
    known = facts(coverage_since=None)
    verdict = verdict_of(sighting(), app, known=known, rules=policy(unproven="delete"))
    assert verdict.kind is VerdictKind.UNPROVEN
    assert verdict.codes == (Code.COVERAGE_PARTIAL, Code.RESPONSE_RUNNING)
    assert verdict.due_at is None
