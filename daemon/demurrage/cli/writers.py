"""`demurrage writers`: who is waited for, and a person's word that one will not return."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import FailedError, RefusedError
from demurrage.cli.moments import local, span, when
from demurrage.cli.session import (
    log_to_read,
    person,
    settings_of,
    store_to_read,
    store_to_write,
)
from demurrage.cli.show import note, say, say_json, table

if TYPE_CHECKING:
    from demurrage.app.settings import Settings
    from demurrage.decide.ledger import Ledger
    from demurrage.decide.source import Source
    from demurrage.eventlog.log import EventLog
    from demurrage.model.record import StatusSnapshot
    from demurrage.model.rules import Rules

# Events folded at a time, and calls shown of those that a writer leaves open.
_BATCH = 2000
_SHOWN = 10
_RETIRE = "retire the writer once `demurrage status` shows a whole cycle, on the daemon's host"

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def writers(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Show the writers that the watermark waits for, or retire one.

    As the last cycle of each target saw them; writers that said goodbye are not among them.

    \b
    Example:
      demurrage writers
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(context, secrets=False)
    found = _waited_for(settings)
    if as_json:
        say_json({"writers": found})
        return
    for name in _unjudged(settings):
        note(
            f"demurrage: {name} was not judged in its last cycle, so nobody knows whom it waits for"
        )
    now = time.time()
    headers = ("source", "targets", "complete to", "trouble", "detail")
    rows = [
        (
            each["source"],
            ", ".join(each["targets"]),
            when(each["through"], now),
            each["fault"] or "-",
            each["detail"] or "-",
        )
        for each in found
    ]
    if rows:
        table(headers, rows)
    else:
        say("Nobody is waited for.")


@app.command()
def retire(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="As `writers` names it.")],
    yes: Annotated[
        bool, typer.Option("--yes", help="Although it was heard within evidence.writer_timeout.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Give your word that a writer is gone for good, so that nothing waits for it any more.

    Events that it has not delivered are then taken never to come. Where it may still run, or
    its events may still arrive, this can lead to a wrong delete. A writer that speaks again is
    waited for again, whatever was said; else the word stands for as long as the log holds anything
    of that writer. Refused while the daemon has not looked for evidence.writer_timeout and
    watch.interval, by this host's clock: then either it is stopped or that clock is ahead.

    Calls that it leaves open still keep what they may have made; they are listed, each with the
    command that settles it.

    \b
    Example:
      demurrage writers retire my-app/host-7/4711
    """
    settings, by = settings_of(context, secrets=False), person()
    with log_to_read(settings) as log:
        known, heard_at = _heard(log, source)
        ledger = _folded(log)
        writer = ledger.sources.get(source)
        known = known or writer is not None
        if not known and not any(each["source"] == source for each in _waited_for(settings)):
            raise FailedError(
                f"no writer {source} is known; `demurrage writers` names those there are"
            )
        open_calls = _left_open(ledger, source)
    with store_to_write(settings) as store:
        if writer is not None and writer.clockless:
            at = writer.missed_at
        else:
            looks = [
                each
                for each in store.statuses()
                if each.target in settings.targets and each.looked_at is not None
            ]
            rules = {each: settings.rules(each) for each in settings.targets}
            at = _moment(looks, writer, rules)
            timeout = max(each.evidence.writer_timeout for each in rules.values())
            if not yes:
                _refuse_the_living(source, heard_at, looks, timeout)
        store.retire_writer(source, at, by)
    if as_json:
        say_json({"source": source, "retired": True, "by": by, "left_open": open_calls})
        return
    say(f"{source} is retired: from the next cycle on nothing waits for it (by {by}).")
    if open_calls:
        _say_left_open(open_calls)


def _moment(
    looks: Sequence["StatusSnapshot"], writer: "Source | None", rules: Mapping[str, "Rules"]
) -> float:
    """Up to when the word counts: now, in the latest of the providers' times that bear on a writer.

    These are those of the targets that it logs for: each bounds by that moment what the writer may
    have made there.

    Args:
        looks: the last looks that knew the time.
        writer: as the log has it; None if it has nothing.
        rules: of each target.

    Raises:
        RefusedError: nothing bears this host's clock out.
    """
    here = time.time()
    _refuse_without_a_clock(here, looks, rules)
    own = [each for each in looks if writer is not None and each.target in writer.targets]
    return max(each.now(here) for each in own or looks)


def _refuse_without_a_clock(
    here: float, looks: Sequence["StatusSnapshot"], rules: Mapping[str, "Rules"]
) -> None:
    """This host's clock must not be ahead, which only a look of not long ago bears out.

    What the writer says until then would be taken for nothing, and it itself for gone.

    Raises:
        RefusedError: there is none.
    """
    if not looks:
        raise RefusedError(f"the daemon has not looked yet, or could not tell the time; {_RETIRE}")
    ago = {each.target: each.now(here) - (each.looked_at or 0.0) for each in looks}
    long = {
        name: each.evidence.writer_timeout + each.watch.interval for name, each in rules.items()
    }
    if min(ago.values()) > min(long[name] for name in ago):
        raise RefusedError(
            f"the daemon last looked {span(min(ago.values()))} ago by this host's clock: it is "
            f"stopped, or the API is away, or this clock is ahead; {_RETIRE}"
        )


def _refuse_the_living(
    source: str,
    heard_at: float | None,
    looks: Sequence["StatusSnapshot"],
    patience: float,
) -> None:
    """A writer that was heard a moment ago is hardly gone.

    Raises:
        RefusedError: it was.
    """
    # Both on the daemon's clock.
    now = min(time.time(), max(each.at - each.offset for each in looks))
    silent = max(0.0, now - (heard_at or 0.0))
    if silent <= patience:
        raise RefusedError(
            f"{source} was heard {span(silent)} ago and may still run; wait until it has been "
            f"silent for {span(patience)} (evidence.writer_timeout), or say --yes if you know "
            "that it is gone for good"
        )


def _say_left_open(calls: list[dict[str, Any]]) -> None:
    say(
        f"It leaves {len(calls)} call{'' if len(calls) == 1 else 's'} without a known end. What "
        "these may have made is kept until each is settled, once it has ended for certain:"
    )
    for each in calls[:_SHOWN]:
        say(
            f"  - {each['call_id']}, started {local(each['started_at'])}: "
            f"`demurrage events append --finish {each['call_id']} --target {each['target']}`"
        )
    if len(calls) > _SHOWN:
        say(f"  … and {len(calls) - _SHOWN} more; --json lists all.")


def _waited_for(settings: "Settings") -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with store_to_read(settings) as store:
        for snapshot in store.statuses():
            for each in (snapshot.status.get("evidence") or {}).get("writers", []):
                known = found.setdefault(each["source"], {**each, "targets": []})
                known["targets"].append(snapshot.target)
    return [found[source] for source in sorted(found)]


def _unjudged(settings: "Settings") -> list[str]:
    """The targets of whose writers the last cycle tells nothing."""
    with store_to_read(settings) as store:
        cycles = {each.target: each.status.get("cycle") or {} for each in store.statuses()}
    return [name for name in sorted(settings.targets) if not cycles.get(name, {}).get("complete")]


def _heard(log: "EventLog", source: str) -> tuple[bool, float | None]:
    """Whether the log knows the writer, and when anything of it last came in."""
    for each in log.verify().sources:
        if each.source == source:
            return True, each.heard_at
    return False, None


def _folded(log: "EventLog") -> "Ledger":
    """The log as the daemon reads it."""
    from demurrage.decide.ledger import Ledger

    ledger, cursor = Ledger(), 0
    while records := (batch := log.read(cursor, _BATCH)).records:
        ledger.fold(records)
        cursor = batch.cursor
    return ledger


def _left_open(ledger: "Ledger", source: str) -> list[dict[str, Any]]:
    """The writer's calls without a known end."""
    from demurrage.decide.blocking import left_open, told_at

    return [
        {
            "target": target,
            "call_id": response.call_id,
            "response_id": response.response_id,
            "started_at": told_at(response),
        }
        for target, response in left_open(ledger, source)
    ]
