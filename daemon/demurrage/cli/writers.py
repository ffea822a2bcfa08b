"""`demurrage writers`: who is waited for, and a person's word that one will not return."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import FailedError
from demurrage.cli.moments import when
from demurrage.cli.session import (
    log_to_read,
    person,
    settings_of,
    store_to_read,
    store_to_write,
)
from demurrage.cli.show import say, say_json, table

if TYPE_CHECKING:
    from demurrage.app.settings import Settings

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
    found = _waited_for(settings_of(context, secrets=False))
    if as_json:
        say_json({"writers": found})
        return
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
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Give your word that a writer is gone for good, so that nothing waits for it any more.

    Events that it has not delivered are then taken never to come. Where it may still run, or
    its events may still arrive, this can lead to a wrong delete. It has no way back.

    \b
    Example:
      demurrage writers retire my-app/host-7/4711
    """
    settings, by = settings_of(context, secrets=False), person()
    if not _known(settings, source):
        raise FailedError(f"no writer {source} is known; `demurrage writers` names those there are")
    with store_to_write(settings) as store:
        store.retire_writer(source, time.time(), by)
    if as_json:
        say_json({"source": source, "retired": True, "by": by})
    else:
        say(f"{source} is retired: from the next cycle on nothing waits for it (by {by}).")


def _waited_for(settings: "Settings") -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with store_to_read(settings) as store:
        for snapshot in store.statuses():
            for each in (snapshot.status.get("evidence") or {}).get("writers", []):
                known = found.setdefault(each["source"], {**each, "targets": []})
                known["targets"].append(snapshot.target)
    return [found[source] for source in sorted(found)]


def _known(settings: "Settings", source: str) -> bool:
    """True where a cycle waits for the writer, or the log holds an event of it."""
    if any(each["source"] == source for each in _waited_for(settings)):
        return True
    with log_to_read(settings) as log:
        return any(each.source == source for each in log.verify().sources)
