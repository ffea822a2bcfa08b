"""`demurrage events`: look at the event log, append to it, verify it."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import Code, RefusedError, UsageError
from demurrage.cli.ids import container_named
from demurrage.cli.moments import local, rfc3339, span
from demurrage.cli.session import (
    log_to_read,
    log_to_write,
    provider_now,
    settings_of,
    store_to_read,
)
from demurrage.cli.show import note, say, say_json, table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from demurrage.app.settings import Settings
    from demurrage.eventlog.reading import Kept

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_JSON = typer.Option("--json", help="JSON for programs.")
# Seconds between two looks at a log that is followed.
_PACE = 0.5
_MOST = 5000
# Seconds since the last look, past which a person is told up to when a word counts.
_LONG_AGO = 120.0


@app.callback()
def events() -> None:
    """Look at the event log, append to it, or verify it."""


@app.command()
def tail(
    context: typer.Context,
    count: Annotated[int, typer.Option("-n", min=1, max=_MOST, help="How many.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, as it was appended.")
    ] = False,
) -> None:
    """Show the latest events.

    \b
    Example:
      demurrage events tail -n 50 --follow
    """
    with log_to_read(settings_of(context, secrets=False)) as log:
        latest = log.recent(count)
        _show(latest, as_json=as_json)
        last = latest[-1].record.position if latest else 0
        while follow:
            time.sleep(_PACE)
            fresh = [each for each in log.recent(_MOST) if each.record.position > last]
            _show(fresh, as_json=as_json)
            last = fresh[-1].record.position if fresh else last


def _show(some: "tuple[Kept, ...] | list[Kept]", *, as_json: bool) -> None:
    import json

    for kept in some:
        if as_json:
            event: Any = kept.raw if kept.raw is not None else {"set_aside": _reason(kept)}
            line = {
                "position": kept.record.position,
                "appended_at": rfc3339(kept.appended_at),
                "event": event,
            }
            print(json.dumps(line), flush=True)
        else:
            say("  ".join(_cells(kept)))


def _cells(kept: "Kept") -> tuple[str, ...]:
    from demurrage.model.event import SetAside

    record = kept.record
    if isinstance(record, SetAside):
        return (local(kept.appended_at), "SET ASIDE", record.source or "?", _reason(kept))
    raw, event = kept.raw or {}, record.event
    held = raw.get("data")
    data: Mapping[str, Any] = held if isinstance(held, dict) else {}
    about = (
        data.get(name)
        for name in ("response_id", "call_id", "container_id", "conversation", "status")
    )
    return (
        local(event.time),
        str(raw.get("type", "")).removeprefix("demurrage."),
        event.target or "-",
        event.source,
        str(event.sequence or "-"),
        " ".join(str(each) for each in about if each),
    )


def _reason(kept: "Kept") -> str:
    from demurrage.model.event import SetAside

    return kept.record.reason if isinstance(kept.record, SetAside) else ""


@app.command()
def append(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="Events as JSON or JSON lines; - for standard input.")
    ] = None,
    release: Annotated[
        list[str] | None, typer.Option(help="A container that nobody needs any more.")
    ] = None,
    end_conversation: Annotated[
        list[str] | None,
        typer.Option(help="A conversation, or a response's lineage, that is over."),
    ] = None,
    finish: Annotated[
        list[str] | None,
        typer.Option(
            help="A call (by its call id) that ended for certain, or a response id without one."
        ),
    ] = None,
    ending: Annotated[
        str, typer.Option(help="How: completed, failed, incomplete or cancelled.")
    ] = "failed",
    target: Annotated[str | None, typer.Option(help="The target, if there are several.")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Append events: from a file or standard input, or a person's own word by options.

    A batch is appended as a whole or not at all. What the options say is logged as yours; only
    say it where you know it, for containers may be deleted upon it.

    \b
    Examples:
      demurrage events append --release cntr_68f0a1b2...
      demurrage events append --end-conversation conv_68f0...
      my-exporter | demurrage events append -
    """
    from demurrage.cli.own_words import own_events, read_events

    settings = settings_of(context, secrets=False)
    released = [container_named(each, "--release") for each in release or ()]
    words = own_events(
        settings.targets,
        target,
        releases=released,
        ends=end_conversation or (),
        finishes=finish or (),
        ending=ending,
        now=partial(_provider_time, settings),
    )
    if not words and file is None:
        raise UsageError("FILE: name a file, - for standard input, or one of the options")
    told = read_events(file, settings.targets) if file is not None else ()
    lines = [*told, *words]
    with log_to_write(settings) as log:
        for name in (*released, *(end_conversation or ()), *(finish or ())):
            if not log.events_about([name]):
                note(f"demurrage: nothing that is logged so far names {name}; is it right?")
        result = log.append(lines, appended_at=time.time())
    if as_json:
        say_json({"accepted": result.accepted, "duplicates": result.duplicates})
    else:
        say(f"{result.accepted} appended, {result.duplicates} were there already.")


def _provider_time(settings: "Settings", target: str) -> tuple[float, float]:
    """The earliest and the latest that it may be.

    By this host's clock, by what the daemon has measured of its own, which may be another, and by
    its last look: what began after that is not covered by a word whose moment is so uncertain.

    Raises:
        RefusedError: the daemon knows the target, and its last look did not tell the time; by a
            clock that is ahead the word would cover what is yet to come.
    """
    here = time.time()
    with store_to_read(settings) as store:
        there = provider_now(store, target)
        looks = [each.looked_at for each in store.statuses() if each.target == target]
        remembered = target in store.targets()
    if None in looks or (remembered and not looks):
        raise RefusedError(
            f"{target} has not told the time in its last cycle, and the word has to count up to "
            "some moment; give it once `demurrage status` shows a whole cycle"
        )
    known = [each for each in looks if each is not None]
    earliest = min(here, there, *known)
    if here - earliest > _LONG_AGO:
        note(
            f"demurrage: {target} was last looked at {span(here - earliest)} ago, by this "
            "host's clock; what has begun since is not covered"
        )
    return earliest, max(here, there, *known)


@app.command()
def verify(context: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """Read the whole log and report gaps, conflicts and lines set aside; exit 1 if there are any.

    \b
    Example:
      demurrage events verify || echo "the log has holes"
    """
    with log_to_read(settings_of(context, secrets=False)) as log:
        report = log.verify()
    if as_json:
        from demurrage.web.plain import plain

        sources = [{**plain(each), "sound": each.sound} for each in report.sources]
        say_json({**plain(report), "sources": sources, "sound": report.sound})
    else:
        headers = ("source", "events", "held to", "gaps", "conflicts", "set aside", "unsequenced")
        rows = [
            (
                each.source,
                str(each.events),
                str(each.last or "-"),
                ", ".join(f"{start}-{end}" for start, end in each.gaps) or "-",
                str(each.conflicts),
                str(each.set_aside),
                str(each.unsequenced),
            )
            for each in report.sources
        ]
        if rows:
            table(headers, rows, right=("events", "held to", "conflicts", "set aside"))
        say(*(f"set aside: {each.reason}" for each in report.set_aside))
        say(
            f"{report.events} events, {report.nameless} lines of no known source: "
            f"{'sound' if report.sound else 'NOT SOUND'}"
        )
    if not report.sound:
        raise typer.Exit(Code.FAILED)
