"""`demurrage explain`: why a container was kept or deleted, and whose it is."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.case_view import show_case, show_conversation, show_request
from demurrage.cli.exits import FailedError
from demurrage.cli.ids import container_named
from demurrage.cli.session import chosen_targets, log_to_read, settings_of, store_to_read
from demurrage.cli.show import say, say_json

if TYPE_CHECKING:
    from demurrage.app.settings import Settings
    from demurrage.eventlog.attempts import Attempt
    from demurrage.eventlog.log import EventLog
    from demurrage.store.sqlstore import SqlStore


def explain(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="ID", help="The id of a container, response, call or conversation."),
    ],
    target: Annotated[str | None, typer.Option(help="Its target, if two know the id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Tell the whole case of a container, or of what a response or a conversation made and named.

    Which response made it, why it was an orphan or was not, when it was due, what was done, and
    what it cost. Reads the store and the event log, so the daemon need not run.

    \b
    Example:
      demurrage explain cntr_68f0a1b2...
    """
    settings = settings_of(context, secrets=False)
    if target is not None:
        chosen_targets(settings, target)
    with store_to_read(settings) as store, log_to_read(settings) as log:
        requests = [] if name.startswith("cntr_") else _requests(log, name, target)
        cases = _cases(settings, store, log, _containers(store, requests, name), target)
    if not requests and not cases:
        name = container_named(name, "ID")
        raise FailedError(f"neither the store nor the event log knows {name}")
    if as_json:
        from demurrage.web.plain import plain

        say_json({"version": 1, "requests": plain(requests), "containers": cases})
        return
    now = time.time()
    if any(each.conversation == name for each in requests):
        show_conversation(name, requests, cases)
        return
    for each in requests:
        show_request(each)
    if requests and not cases:
        say("No listed container is attributed to it.")
    for case in cases:
        show_case(case, now=now)


def _requests(log: "EventLog", name: str, target: str | None) -> "list[Attempt]":
    """The requests that a response's id, a call's, or a conversation's stands for."""
    from demurrage.eventlog.attempts import attempts

    met = [
        each
        for each in attempts(log.events_about([name]))
        if name in (each.response_id, each.call_id, each.conversation)
        and target in (None, each.target)
    ]
    if not met:
        return []
    calls = {each.call_id for each in met}
    whole = attempts(log.events_about(sorted(calls)))
    return [each for each in whole if each.call_id in calls]


def _containers(store: "SqlStore", requests: "list[Attempt]", name: str) -> list[str]:
    """The containers that the requests made or name; without requests, the name itself."""
    if not requests:
        return [name]
    found: dict[str, None] = {}
    for each in requests:
        made = store.containers_made_by(each.target, [each.call_id])
        found |= dict.fromkeys(entry.sighting.id for entry in made)
        found |= dict.fromkeys(sorted(each.named))
    return list(found)


def _cases(
    settings: "Settings",
    store: "SqlStore",
    log: "EventLog",
    container_ids: list[str],
    target: str | None,
) -> list[dict[str, Any]]:
    from demurrage.model.rules import Rules
    from demurrage.web.case import case_of, open_case

    found = []
    for container_id in container_ids:
        file = open_case(store, log, container_id, target)
        if file is not None:
            owner = file.case.target
            rules = settings.rules(owner) if owner in settings.targets else Rules()
            found.append(case_of(file, rules.billing, time.time()))
    return found
