"""`demurrage plan`: what the next cycle would delete, and why."""

import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.session import chosen_targets, finish, settings_of
from demurrage.cli.show import heading, note, say, say_json, table
from demurrage.cli.waiting import waiting

if TYPE_CHECKING:
    from demurrage.app.preview import Preview
    from demurrage.app.settings import Settings
    from demurrage.eventlog.log import EventLog
    from demurrage.model.container import Sighting
    from demurrage.model.plan import PlannedDelete
    from demurrage.model.verdict import Verdict
    from demurrage.store.sqlstore import SqlStore


def plan(
    context: typer.Context,
    save: Annotated[
        Path | None, typer.Option(help="Save it for `sweep --execute`.", metavar="FILE")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every live container, not only what is due.")
    ] = False,
    target: Annotated[str | None, typer.Option(help="One target only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Show what one cycle would delete now, and why; nothing is changed.

    It lists the target and reads the event log, and writes to neither, nor to the store. Where
    proof asks for it, it first watches the log for evidence.max_event_delay. Its calls come on
    top of a running daemon's.

    \b
    Example:
      demurrage plan --save friday.json && demurrage sweep --execute friday.json
    """
    settings = settings_of(context)
    names = chosen_targets(settings, target)
    previews = finish(_previews(settings, names))
    if save is not None:
        from demurrage.cli.plan_file import save_plans

        save_plans(save, [each.plan for each in previews])
    if as_json:
        say_json({"version": 1, "mode": settings.mode.value, "plans": list(map(_plain, previews))})
        return
    for each in previews:
        _show(each, settings, every=every)
    if settings.events.folder:
        note("demurrage: lines of event files count here once the daemon has read them")
    if save is not None:
        note(f"demurrage: saved to {save}")


async def _previews(settings: "Settings", names: tuple[str, ...]) -> "list[Preview]":
    from demurrage.app.assembly import budgets, targets
    from demurrage.app.preview import preview

    found = []
    with ExitStack() as stack:
        store, log = _state(settings, stack)
        tell = stack.enter_context(waiting())
        watched = targets(settings, budgets(settings))
        try:
            for each in watched:
                if each.name not in names:
                    continue
                found.append(await preview(each, log, store, tell=tell))
        finally:
            for each in watched:
                await each.api.close()
    return found


def _state(settings: "Settings", stack: ExitStack) -> "tuple[SqlStore | None, EventLog]":
    """Store and log to look into; without a store, an empty log in memory."""
    from demurrage.cli.session import log_to_read, store_to_read
    from demurrage.eventlog.log import EventLog
    from demurrage.model.error import NoStoreError

    try:
        store = stack.enter_context(store_to_read(settings))
    except NoStoreError:
        return None, stack.enter_context(closing(EventLog.open("sqlite://", clock=time.time)))
    return store, stack.enter_context(log_to_read(settings))


def _show(shown: "Preview", settings: "Settings", *, every: bool) -> None:
    from demurrage.decide.billing import money

    billing = settings.rules(shown.target).billing
    due = {each.container_id: each for each in shown.plan.deletes}
    saves = money(sum(each.saves_usd for each in due.values()), billing, used=False)
    counts = ", ".join(f"{count} {kind}" for kind, count in _tally(shown).items() if count)
    heading(f"{shown.target}: {len(due)} due of {len(shown.verdicts)} live ({counts or 'none'})")
    if due:
        say(f"Deleting them now saves {saves}, estimated.")
    say(*_words_of_rails(shown, settings))
    say(*(f"* {each}" for each in shown.notes))
    rows = [
        _row(shown.verdicts[key], shown.sightings[key], due.get(key), shown.at)
        for key in _order(shown, every=every)
    ]
    if rows:
        say("")
        headers = ("container", "tier", "age", "verdict", "why", "due", "saves")
        table(headers, rows, right=("age", "saves"))
    say("")


def _order(shown: "Preview", *, every: bool) -> list[str]:
    due = [each.container_id for each in shown.plan.deletes]
    if not every:
        return due
    others = shown.verdicts.keys() - set(due)
    return due + sorted(others, key=lambda key: -shown.sightings[key].container.created_at)


def _row(
    verdict: "Verdict", sighting: "Sighting", planned: "PlannedDelete | None", now: float
) -> tuple[str, ...]:
    from demurrage.cli.moments import span, when

    container = sighting.container
    return (
        container.id,
        container.tier or "-",
        span(now - container.created_at),
        verdict.kind.value,
        "; ".join(each.text for each in verdict.reasons),
        when(verdict.due_at, now),
        "-" if planned is None else f"${planned.saves_usd:,.4f}",
    )


def _tally(shown: "Preview") -> dict[str, int]:
    from demurrage.decide.decision import counts

    return {kind.value: count for kind, count in counts(shown.verdicts).items()}


def _words_of_rails(shown: "Preview", settings: "Settings") -> list[str]:
    """What stands between the plan and its execution."""
    if not shown.plan.deletes:
        return []
    if settings.mode.value == "observe":
        return ["The mode is observe: nothing of this is deleted."]
    judgement = shown.judgement
    words = [f"Rail {rail.value} would hold the sweep: {why}." for rail, why in judgement.tripped]
    words += [f"Withheld: {each.summary}." for each in judgement.withheld]
    words += [
        f"Hold {each.id} stands: {each.summary}; `demurrage resume {each.id}` lets it go on."
        for each in shown.holds
        if each.resumed_at is None
    ]
    return words


def _plain(shown: "Preview") -> dict[str, Any]:
    from demurrage.cli.plan_file import plain_plan

    judgement = shown.judgement
    return {
        **plain_plan(shown.plan),
        "verdicts": _tally(shown),
        "containers": [
            {
                "container_id": key,
                "verdict": verdict.kind.value,
                "codes": [code.value for code in verdict.codes],
                "reasons": [reason.text for reason in verdict.reasons],
                "due_at": verdict.due_at,
            }
            for key, verdict in sorted(shown.verdicts.items())
        ],
        "rails": {
            "allowed": len(judgement.allowed),
            "tripped": [rail.value for rail, _ in judgement.tripped],
            "withheld": [each.kind.value for each in judgement.withheld],
            "holds": [each.id for each in shown.holds if each.resumed_at is None],
        },
        "notes": list(shown.notes),
    }
