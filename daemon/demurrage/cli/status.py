"""`demurrage status`: how the targets stand, from the daemon or from what it last wrote down."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.asking import NoAnswerError, ask, url_of
from demurrage.cli.exits import Code
from demurrage.cli.session import chosen_targets, settings_of, store_to_read
from demurrage.cli.show import note, say_json
from demurrage.cli.status_view import lines_to_add, show_target

if TYPE_CHECKING:
    from demurrage.app.settings import Settings


def status(
    context: typer.Context,
    target: Annotated[str | None, typer.Option(help="One target only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Show how each target stands: evidence, verdicts and why, holds, incidents, totals.

    Asks the running daemon at http.bind, with the admin token if one is set. If it does not
    answer, shows what it last wrote to the store, says so, and ends with exit 1.

    \b
    Example:
      demurrage status --json | jq '.targets[].verdicts'
    """
    settings = settings_of(context, secrets=False)
    names = chosen_targets(settings, target)
    running, silence = True, None
    try:
        answer = ask(settings, "/v1/status")
    except NoAnswerError as error:
        running, silence = error.running, str(error)
        answer = _remembered(settings)
    targets = [each for each in answer["targets"] if each["target"] in names]
    if as_json:
        say_json({**answer, "running": running, "silence": silence, "targets": targets})
    else:
        if silence is not None:
            note(f"demurrage: {silence}; this is what it last wrote down")
        for each in targets:
            variable = settings.http.events_token_env
            lines = lines_to_add(each["target"], url_of(settings), variable)
            show_target(each, lines, now=time.time())
    if silence is not None:
        raise typer.Exit(Code.FAILED)


def _remembered(settings: "Settings") -> dict[str, Any]:
    """What the store holds, in the form in which the daemon answers."""
    from demurrage.web.plain import plain_incidents
    from demurrage.web.status import plain_totals

    with store_to_read(settings) as store:
        last = {each.target: each for each in store.statuses()}
        targets = []
        for name in sorted(settings.targets):
            billing = settings.rules(name).billing
            own: dict[str, Any] = dict(last[name].status) if name in last else {"cycle": None}
            conditions = own.pop("conditions", [])
            targets.append(
                {
                    "target": name,
                    "mode": settings.mode.value,
                    **own,
                    "at": last[name].at if name in last else None,
                    "incidents": plain_incidents(
                        store.open_incidents(name), conditions, settings.alerts.runbooks_url
                    ),
                    "totals": plain_totals(store.totals(name, billing.minimum), billing),
                }
            )
    return {"mode": settings.mode.value, "at": time.time(), "targets": targets}
