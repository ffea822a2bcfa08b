"""Whatever the API does wrong: named everywhere, harmless, and over when it is over."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.typing import EventDict
from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench, Running

from demurrage.decide import census
from demurrage.model.condition import ConditionKind
from demurrage.provider import budget

LIST, DELETE = "GET /v1/containers", "DELETE /v1/containers/*"
LEAKED = 3


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scale the times that are no settings; a spend limit is asked about again at once."""
    monkeypatch.setattr(budget, "SPEND_LIMIT_PAUSE", 0.5)
    monkeypatch.setattr(budget, "_FIRST_BACKOFF", 0.1)
    monkeypatch.setattr(census, "TOMBSTONE_GRACE", 0.3)


def named_everywhere(running: Running, kind: str) -> bool:
    """True when status, store, hooks and metrics all name the fault."""
    return (
        running.shown(kind) and kind in running.kept_open() and kind in running.bench.hooks.opened
    )


def over(running: Running, kind: str) -> bool:
    """True when none of them names it any more and its end was told."""
    return (
        kind not in running.open_kinds()
        and kind not in running.kept_open()
        and not running.bench.hooks.stands(kind)
        and kind in running.bench.hooks.resolved
    )


@pytest.mark.parametrize(
    ("fault", "kind", "fields"),
    [
        ("rate_limited", ConditionKind.RATE_LIMITED, {}),
        ("rate_limited_retry_after", ConditionKind.RATE_LIMITED, {"seconds": 1}),
        ("spend_limit", ConditionKind.SPEND_LIMIT, {}),
        ("slow_down", ConditionKind.OVERLOADED, {}),
        ("overloaded", ConditionKind.OVERLOADED, {}),
        ("missing_scope", ConditionKind.MISSING_SCOPE, {}),
        ("bad_key", ConditionKind.UNAUTHORIZED, {}),
        ("server_error", ConditionKind.SERVER_ERROR, {}),
        ("hang", ConditionKind.TIMEOUT, {"seconds": 1}),
        ("html", ConditionKind.NOT_JSON, {}),
        ("truncated_json", ConditionKind.MALFORMED_JSON, {}),
        ("no_data", ConditionKind.MALFORMED_PAGE, {}),
        ("empty_list", ConditionKind.LISTING_SHRANK, {}),
        ("endless_pages", ConditionKind.REPEATED_CURSOR, {}),
        ("repeated_cursor", ConditionKind.REPEATED_CURSOR, {}),
        ("unknown_status", ConditionKind.UNKNOWN_STATUS, {}),
        ("null_activity", ConditionKind.NULL_ACTIVITY, {}),
    ],
)
async def test_a_faulty_listing_deletes_nothing_and_heals(
    bench: Bench,
    lines: list[EventDict],
    fault: str,
    kind: ConditionKind,
    fields: dict[str, Any],
) -> None:
    """While it lasts nothing goes, its name shows everywhere; after it the orphans go."""
    bench.rules, bench.timeout = AT_ONCE, 0.4
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        await app.leak(LEAKED)
        await running.turn()
        bench.admin.fault(fault, LIST, **fields)
        await running.turn_until(lambda: named_everywhere(running, kind))
        await running.turn_for(0.5)
        assert DELETED not in bench.called()
        assert running.shown(kind)
        opened = [each for each in lines if each["event"] == "incident_opened"]
        assert kind in [each["kind"] for each in opened]

        bench.admin.clear_faults()
        await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
        await running.turn_until(lambda: over(running, kind))
        await app.ask(use_tool=True, conversation=conversation)
    totals = bench.totals()
    assert (totals["harm"], totals["named_deleted"]) == (0, 0)
    assert totals["orphans_deleted"] == LEAKED


@pytest.mark.parametrize(
    ("fault", "kind", "fields"),
    [
        ("delete_refused", ConditionKind.DELETE_REFUSED, {}),
        ("server_error", ConditionKind.DELETE_FAILED, {}),
        ("missing_scope", ConditionKind.DELETE_FAILED, {}),
        ("hang", ConditionKind.DELETE_FAILED, {"seconds": 1}),
        ("html", ConditionKind.DELETE_FAILED, {}),
        ("lost_answer", ConditionKind.DELETE_FAILED, {"count": LEAKED}),
        ("truncated_json", ConditionKind.DELETE_FAILED, {"count": LEAKED}),
    ],
)
async def test_a_failing_delete_is_named_and_tried_again(
    bench: Bench,
    lines: list[EventDict],
    fault: str,
    kind: ConditionKind,
    fields: dict[str, Any],
) -> None:
    """No answer but a plain yes counts as one; what is not done is done later, and once."""
    bench.rules, bench.timeout = AT_ONCE, 0.4
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        bench.admin.fault(fault, DELETE, **fields)
        await running.turn_until(lambda: named_everywhere(running, kind))
        assert any(each["event"] == "delete_failed" for each in lines)
        bench.admin.clear_faults()
        await running.turn_until(lambda: over(running, kind))
        tally = running.store.totals
        await running.turn_until(lambda: tally("default", 3.0).all.swept == LEAKED)
        await running.turn_for(1.0)
        assert tally("default", 3.0).all.swept == LEAKED
    totals = bench.totals()
    assert totals["deleted"] == totals["orphans_deleted"] == LEAKED


async def test_a_404_on_delete_is_done_and_not_asked_again(bench: Bench) -> None:
    """A container that the API does not know is gone; the delete is not repeated."""
    bench.rules = AT_ONCE
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        bench.admin.fault("delete_not_found", DELETE)
        await running.turn_until(lambda: bench.called().get(DELETED) == LEAKED)
        await running.turn_for(1.0)
        assert bench.called()[DELETED] == LEAKED
        # They are listed all the same, and that is said.
        await running.turn_until(lambda: named_everywhere(running, ConditionKind.DELETED_BUT_ALIVE))


async def test_a_deleted_id_that_stays_listed_is_named_and_no_new_orphan(bench: Bench) -> None:
    """A tombstone is neither counted nor deleted again, and a long one is told of."""
    bench.rules = replace(AT_ONCE, billing=replace(AT_ONCE.billing, idle_expiry=4.0))
    bench.admin.settings(idle_expiry=400.0)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        bench.admin.fault("deleted_still_listed", DELETE)
        await app.leak(LEAKED)
        kind = ConditionKind.DELETED_BUT_ALIVE
        await running.turn_until(lambda: named_everywhere(running, kind))
        await running.turn_until(lambda: over(running, kind))  # the rows show `expired`
        assert bench.called()[DELETED] == LEAKED
        tally = running.store.totals("default", 3.0).all
        assert (tally.created, tally.swept) == (LEAKED, LEAKED)
