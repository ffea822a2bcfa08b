"""`demurrage canary`: paid experiments that tell how a provider behaves."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import Code, UsageError
from demurrage.cli.session import (
    chosen_targets,
    finish,
    log_to_write,
    person,
    provider_now,
    settings_of,
    store_to_write,
)
from demurrage.cli.show import note, say, say_json, table
from demurrage.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from demurrage.app.canary.catalogue import Experiment
    from demurrage.app.settings import Settings
    from demurrage.model.finding import Finding, FindingRecord

# Another process's calls cannot be seen, so this one takes a part of what the settings allow.
_SHARE = 2
_STYLES = {"yes": "", "no": "", "unclear": "yellow"}


def canary(
    context: typer.Context,
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="The target; needed with several.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="QUESTION", help="This question; may be repeated.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Show questions, costs and what is known; do nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: make the paid calls.")] = False,
    acknowledge: Annotated[
        bool, typer.Option("--acknowledge", help="Take note of what has changed; do nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Find out by small paid experiments how a provider behaves where no document says it.

    Each makes requests and containers of its own at the target, logs them like any application,
    and deletes only what it made by name; what the API made for its requests is left to the
    daemon and to expiry. What it costs is said first, and asked for. Exit 5 when an answer is
    another than the last time, 1 when one is unclear. The daemon must have run once on the store.

    \b
    Example:
      demurrage canary default --only delete-removes --yes
    """
    from demurrage.app.canary.catalogue import QUESTIONS, chosen

    unknown = [each for each in only or () if each not in QUESTIONS]
    if unknown:
        raise UsageError(f"--only: no question is {unknown[0]}; there are: {', '.join(QUESTIONS)}")
    settings = settings_of(context, secrets=not (list_ or acknowledge))
    name = _one(settings, target)
    experiments = chosen(only or ())
    if acknowledge:
        _acknowledge(settings, name, as_json=as_json)
        return
    if list_:
        _list(settings, name, experiments, as_json=as_json)
        return
    if not yes:
        _ask(settings, name, experiments)
    records = _run(settings, name, experiments)
    if as_json:
        say_json({"target": name, "answers": [_plain(each) for each in records]})
    else:
        _show(records)
    if any(each.changed_from is not None for each in records):
        raise typer.Exit(Code.CHANGED)
    if not all(each.finding.clear for each in records):
        raise typer.Exit(Code.FAILED)


def _one(settings: "Settings", target: str | None) -> str:
    if target is None and len(settings.targets) > 1:
        known = ", ".join(sorted(settings.targets))
        raise UsageError(f"TARGET: say at which of {known}")
    return chosen_targets(settings, target, "TARGET")[0]


def _run(
    settings: "Settings", name: str, experiments: "Sequence[Experiment]"
) -> "list[FindingRecord]":
    """Make the experiments; an answer is kept as soon as it is there."""
    records: list[FindingRecord] = []
    with store_to_write(settings) as store, log_to_write(settings) as log:

        def keep(finding: "Finding") -> None:
            note(f"demurrage: {finding.question}: {finding.words}")
            records.append(store.record_finding(name, finding))

        finish(_experiment(settings, name, experiments, log, keep))
    return records


async def _experiment(
    settings: "Settings",
    name: str,
    experiments: "Sequence[Experiment]",
    log: Any,
    keep: "Callable[[Finding], None]",
) -> None:
    from demurrage.app.assembly import canary as canary_of
    from demurrage.provider.budget import CallBudget

    budget = CallBudget(max(1, settings.targets[name].requests_per_minute // _SHARE))
    made = canary_of(settings, name, log, budget)
    try:
        await made.run(experiments, keep)
    finally:
        await made.api.close()


def _ask(settings: "Settings", name: str, experiments: "Sequence[Experiment]") -> None:
    """Say what will be done and what it may cost, and have a person say yes.

    Raises:
        UsageError: nobody is there to say it.
        typer.Exit: the answer is no.
    """
    billing, model = settings.rules(name).billing, settings.canary_of(name).model
    cost = sum(each.cost(billing) for each in experiments)
    turns = sum(each.turns for each in experiments)
    left = sum(each.left for each in experiments)
    made = sum(each.made for each in experiments)
    note(
        f"This makes {counted(turns, 'call')} of {model} and {counted(left + made, 'container')} "
        "of the cheapest tier at "
        f"{name} ({settings.targets[name].base_url}). It deletes {made} of these itself and leaves "
        f"{left} to the daemon. At list price the containers cost at most about ${cost:.2f} "
        "(estimated); tokens come on top."
    )
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("--yes: these calls cost money and nobody is there to ask; add --yes")
    if not typer.confirm("Go on?", default=False, err=True):
        raise typer.Exit(Code.USAGE)


def _list(
    settings: "Settings", name: str, experiments: "Sequence[Experiment]", *, as_json: bool
) -> None:
    from demurrage.cli.session import store_to_read
    from demurrage.model.error import NoStoreError

    billing = settings.rules(name).billing
    known: dict[str, FindingRecord] = {}
    try:
        with store_to_read(settings) as store:
            known = store.findings(name)
    except NoStoreError:
        pass  # nothing is known yet
    rows = [
        (question, asks, each.cost(billing), each.turns, known.get(question))
        for each in experiments
        for question, asks in each.answers.items()
    ]
    if as_json:
        questions = [
            {
                "question": question,
                "asks": asks,
                "usd_at_most": round(cost, 4),
                "model_calls": turns,
                "known": None if last is None else _plain(last),
            }
            for question, asks, cost, turns, last in rows
        ]
        say_json({"target": name, "questions": questions})
        return
    table(
        ("question", "asks", "at most", "calls", "known"),
        [
            (question, asks, f"${cost:.2f}", f"{turns}", last.finding.words if last else "-")
            for question, asks, cost, turns, last in rows
        ],
        right=("at most", "calls"),
    )
    say(
        "At most so much do a question's containers cost, estimated at list price; tokens come on "
        "top. Questions answered by one experiment share its cost."
    )


def _acknowledge(settings: "Settings", name: str, *, as_json: bool) -> None:
    by = person()
    with store_to_write(settings) as store:
        count = store.acknowledge_findings(name, provider_now(store, name), by)
    if as_json:
        say_json({"target": name, "acknowledged": count, "by": by})
    else:
        say(f"{name}: note is taken of {counted(count, 'changed answer')} (by {by}).")


def _show(records: "Sequence[FindingRecord]") -> None:
    table(
        ("question", "answer", "in words", "before", "figures"),
        [
            (
                each.finding.question,
                each.finding.answer.value,
                each.finding.says or "-",
                each.changed_from or "-",
                "; ".join(f"{name}: {value}" for name, value in each.finding.figures.items())
                or "-",
            )
            for each in records
        ],
        styles=[
            "red" if each.changed_from else _STYLES[each.finding.answer.value] for each in records
        ],
    )


def _plain(record: "FindingRecord") -> dict[str, Any]:
    found = record.finding
    return {
        "question": found.question,
        "answer": found.answer.value,
        "says": found.says,
        "figures": dict(found.figures),
        "found_at": found.at,
        "changed_from": record.changed_from,
        "acknowledged_at": record.acknowledged_at,
    }
