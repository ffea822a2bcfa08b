"""`demurrage check`: whether all is in place, and what to do where it is not."""

from typing import Annotated

import typer

from demurrage.cli.exits import Code
from demurrage.cli.session import finish, settings_of
from demurrage.cli.show import say, say_json, table

_STYLES = {"pass": "green", "warn": "yellow", "fail": "red"}


def check(
    context: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not call the API; no key is needed then.")
    ] = False,
    alive: Annotated[
        bool, typer.Option("--alive", help="Ask only whether the running daemon's loop turns.")
    ] = False,
    send_test: Annotated[
        bool, typer.Option("--send-test", help="Send each sink of incidents a test.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Check settings, files, store, event log, daemon and each target's API; exit 1 on a fail.

    Changes nothing: it lists one page of each target, and asks to delete a container that cannot
    exist. What it cannot tell for sure is a warning.

    With --send-test each sink of incidents is sent a test, and the test's end.

    With --alive it looks at none of that: it asks the running daemon's /healthz at http.bind, and
    exits 1 where the loop stands still or nobody answers. Health checks of containers use it.

    \b
    Example:
      demurrage check --offline
    """
    if alive:
        _alive(context, as_json=as_json)
        return
    if send_test and offline:
        raise typer.BadParameter(
            "it reaches the network: leave out --offline", param_hint="--send-test"
        )
    settings = settings_of(context, secrets=not offline)
    from demurrage.app.preflight.api import api_checks
    from demurrage.app.preflight.check import Grade
    from demurrage.app.preflight.local import local_checks
    from demurrage.app.preflight.sinks import sink_checks

    found = local_checks(settings)
    if not offline:
        found += finish(api_checks(settings))
        found += sink_checks(settings, send=send_test)
    failed = sum(each.grade is Grade.FAIL for each in found)
    if as_json:
        checks = [
            {
                "check": each.name,
                "grade": each.grade.value,
                "finding": each.finding,
                "advice": each.advice,
            }
            for each in found
        ]
        say_json({"passed": not failed, "offline": offline, "checks": checks})
    else:
        table(
            ("grade", "check", "finding, and what to do"),
            [
                (each.grade.value, each.name, "; ".join(filter(None, (each.finding, each.advice))))
                for each in found
            ],
            styles=[_STYLES[each.grade.value] for each in found],
        )
        say(f"{failed} failed." if failed else "Nothing failed.")
    if failed:
        raise typer.Exit(Code.FAILED)


def _alive(context: typer.Context, *, as_json: bool) -> None:
    from demurrage.cli.asking import NoAnswerError, ask_alive, url_of

    settings = settings_of(context, secrets=False)
    try:
        ask_alive(settings)
    except NoAnswerError as error:
        if not as_json:
            raise
        say_json({"alive": False, "finding": str(error)})
        raise typer.Exit(Code.FAILED) from None
    finding = f"the daemon at {url_of(settings)} is alive"
    if as_json:
        say_json({"alive": True, "finding": finding})
    else:
        say(f"{finding}.")
