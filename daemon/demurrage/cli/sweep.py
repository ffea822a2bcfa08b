"""`demurrage sweep`: do exactly what a saved plan shows, re-checked."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from demurrage.cli.exits import Code, RefusedError, UsageError
from demurrage.cli.session import finish, settings_of
from demurrage.cli.show import note, say, say_json, table
from demurrage.cli.waiting import waiting

if TYPE_CHECKING:
    from demurrage.app.carrying_out import Result
    from demurrage.app.settings import Settings
    from demurrage.cli.plan_file import SavedPlan


def sweep(
    context: typer.Context,
    execute: Annotated[
        Path, typer.Option(help="The plan that `plan --save` wrote.", metavar="PLAN")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Delete what a saved plan shows, as far as it still holds; nothing else.

    Runs real cycles with the daemon stopped, and takes events at its addresses meanwhile:
    listing, log, verdicts and rails are asked anew, and a container that is no longer due as it
    was shown is reported and kept. Refuses (exit 3) unless the mode is enforce, and when nothing
    of the plan holds any more or a rail holds it. Exit 1 if a delete failed. It asks nothing.

    \b
    Example:
      demurrage sweep --execute friday.json
    """
    from demurrage.cli.plan_file import read_plans

    settings = settings_of(context)
    plans = [each for each in read_plans(execute) if each.deletes]
    for each in plans:
        if each.target not in settings.targets:
            raise UsageError(f"{execute}: target: the settings have none named {each.target}")
    if settings.mode.value != "enforce":
        raise RefusedError(
            f'the mode is {settings.mode.value}: nothing is deleted; set mode = "enforce" first'
        )
    results = finish(_sweep(settings, plans)) if plans else {}
    _tell(results, as_json=as_json)


async def _sweep(settings: "Settings", plans: "list[SavedPlan]") -> "dict[str, tuple[Result, ...]]":
    from demurrage.app.assembly import build, open_state, redactor
    from demurrage.app.carrying_out import carry_out
    from demurrage.app.doors import service_of
    from demurrage.app.doorway import Doorway
    from demurrage.observe.logs import set_up_logs
    from demurrage.store.lock import StoreLock
    from demurrage.web.app import create_app, create_ops_app

    set_up_logs("error", settings.log.format, redactor=redactor(settings))
    with StoreLock(settings.store_url) as lock:
        works = build(settings, open_state(settings, lock))
        doorway = Doorway(settings)
        try:
            # What applications have to tell must not wait outside while it is judged by the log.
            service = service_of(works)
            await doorway.show(partial(create_app, service), partial(create_ops_app, service))
            with waiting() as tell:
                return {
                    each.target: await carry_out(
                        works.engine, works.state.store, each.target, each.deletes, tell=tell
                    )
                    for each in plans
                }
        finally:
            await doorway.close()
            await works.stop()


def _beyond(result: "Result") -> str:
    """What its detail says beyond its fate."""
    return "-" if result.detail == result.fate.value else result.detail


def _tell(results: "dict[str, tuple[Result, ...]]", *, as_json: bool) -> None:
    """Say what became of each, and end as the whole ended.

    Raises:
        RefusedError: nothing was deleted, for a rail holds it or nothing is due any more.
        typer.Exit: a delete failed.
    """
    rows = [(target, each) for target, some in results.items() for each in some]
    fates = Counter(each.fate.value for _, each in rows)
    if as_json:
        plain = [
            {
                "target": target,
                "container_id": each.container_id,
                "fate": each.fate.value,
                "detail": each.detail,
            }
            for target, each in rows
        ]
        say_json({"version": 1, "results": plain})
    else:
        headers = ("container", "target", "outcome", "detail")
        if rows:
            table(
                headers,
                [(each.container_id, t, each.fate.value, _beyond(each)) for t, each in rows],
            )
        say(
            ", ".join(f"{count} {fate}" for fate, count in sorted(fates.items())) or "nothing to do"
        )
    if fates["failed"]:
        note("demurrage: not every delete went well; the next cycle tries again")
        raise typer.Exit(Code.FAILED)
    if fates["held"]:
        raise RefusedError("a rail holds it; `demurrage status` names the hold and how to resume")
    if rows and not fates["deleted"]:
        raise RefusedError("the plan no longer holds: nothing of it is due any more")
