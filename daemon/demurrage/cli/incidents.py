"""`demurrage incidents`: what is wrong now and what was, and a person's word on it."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import FailedError, UsageError
from demurrage.cli.incidents_view import show_incident, show_incidents
from demurrage.cli.moments import local, read_span, read_until
from demurrage.cli.session import (
    chosen_targets,
    person,
    provider_now,
    settings_of,
    store_to_read,
    store_to_write,
)
from demurrage.cli.show import say, say_json

if TYPE_CHECKING:
    from demurrage.app.settings import Settings
    from demurrage.model.incident import Incident
    from demurrage.store.sqlstore import SqlStore

_Json = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_Id = Annotated[int, typer.Argument(metavar="ID", min=1, help="As `incidents` names it.")]

app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)


@app.callback()
def incidents(
    context: typer.Context,
    target: Annotated[str | None, typer.Option(help="One target only.")] = None,
    past: Annotated[int, typer.Option(min=0, max=500, help="How many of those that are over.")] = 0,
    as_json: _Json = False,
) -> None:
    """Show the open incidents with what to do about each, or say something about one.

    \b
    Examples:
      demurrage incidents --past 20
      demurrage incidents ack 17
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(context, secrets=False)
    if target is not None:
        chosen_targets(settings, target)
    with store_to_read(settings) as store:
        standing = [_plain(each, settings) for each in store.open_incidents(target)]
        over = [_plain(each, settings) for each in store.past_incidents(target, past)]
    if as_json:
        say_json({"open": standing, "past": over})
    else:
        show_incidents(standing, over, now=time.time())


@app.command()
def show(context: typer.Context, incident_id: _Id, as_json: _Json = False) -> None:
    """Show one incident whole: since when, what causes it, what it costs, who was told.

    \b
    Example:
      demurrage incidents show 17
    """
    from demurrage.web.plain import plain

    settings = settings_of(context, secrets=False)
    with store_to_read(settings) as store:
        found = _known(store, incident_id)
        told = [plain(each) for each in store.deliveries(incident_id)]
    case = {**_plain(found, settings), "deliveries": told}
    if as_json:
        say_json(case)
    else:
        show_incident(case, now=time.time())


@app.command()
def ack(context: typer.Context, incident_id: _Id, as_json: _Json = False) -> None:
    """Acknowledge an incident: from now on only its escalation or its end is sent.

    \b
    Example:
      demurrage incidents ack 17
    """

    def act(store: "SqlStore", now: float, by: str) -> "Incident | None":
        return store.acknowledge(incident_id, now, by)

    said = _act(context, incident_id, act)
    if as_json:
        say_json(said)
    else:
        say(
            f"Incident {incident_id} is acknowledged (by {said['acknowledged_by']}); it is sent "
            "again if it escalates or ends."
        )


@app.command()
def silence(
    context: typer.Context,
    incident_id: _Id,
    until: Annotated[str | None, typer.Option(help="A date and time with its zone.")] = None,
    span: Annotated[str | None, typer.Option("--for", help="A duration, such as 2h.")] = None,
    as_json: _Json = False,
) -> None:
    """Send nothing of an incident until a moment, 30 days ahead at most.

    What happened meanwhile is sent then, as far as it is still true. The last word counts.

    \b
    Example:
      demurrage incidents silence 17 --for 2h
    """
    from demurrage.model.incident import LONGEST_SILENCE

    if (until is None) is (span is None):
        raise UsageError("--until, --for: one of the two says how long")
    name = "--for" if until is None else "--until"

    def act(store: "SqlStore", now: float, by: str) -> "Incident | None":
        moment = (
            read_until(until, "--until", now=now)
            if until is not None
            else now + read_span(span or "", "--for")
        )
        if not now < moment <= now + LONGEST_SILENCE:
            raise UsageError(f"{name}: must lie in the future, and at most 30 days ahead")
        return store.silence(incident_id, moment, now, by)

    said = _act(context, incident_id, act)
    if as_json:
        say_json(said)
    else:
        say(f"Nothing is sent of incident {incident_id} until {local(said['silenced_until'])}.")


@app.command()
def unsilence(context: typer.Context, incident_id: _Id, as_json: _Json = False) -> None:
    """Send what happens to an incident again.

    \b
    Example:
      demurrage incidents unsilence 17
    """

    def act(store: "SqlStore", now: float, by: str) -> "Incident | None":
        return store.unsilence(incident_id, now, by)

    said = _act(context, incident_id, act)
    if as_json:
        say_json(said)
    else:
        say(f"What happens to incident {incident_id} is sent again.")


def _act(
    context: typer.Context,
    incident_id: int,
    act: Callable[["SqlStore", float, str], "Incident | None"],
) -> dict[str, Any]:
    """Let a person act on an open incident; returns it as it stands then.

    Raises:
        FailedError: there is none of that id, or it is over.
    """
    settings, by = settings_of(context, secrets=False), person()
    with store_to_write(settings) as store:
        found = _known(store, incident_id)
        said = act(store, provider_now(store, found.condition.target), by)
    if said is None:
        raise FailedError(f"incident {incident_id} is over; nothing more is sent of it")
    return _plain(said, settings)


def _known(store: "SqlStore", incident_id: int) -> "Incident":
    found = store.incident(incident_id)
    if found is None:
        raise FailedError(
            f"there is no incident {incident_id}; `demurrage incidents --past 100` names those "
            "there are"
        )
    return found


def _plain(incident: "Incident", settings: "Settings") -> dict[str, Any]:
    from demurrage.web.plain import plain_incident

    return plain_incident(incident, settings.alerts.runbooks_url)
