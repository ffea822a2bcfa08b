"""A person's word: `protect`, `resume` and `confirm`."""

from typing import TYPE_CHECKING, Annotated

import typer

from demurrage.cli.exits import FailedError, UsageError
from demurrage.cli.ids import container_named, is_container_id
from demurrage.cli.moments import local, read_until
from demurrage.cli.session import (
    chosen_targets,
    person,
    provider_now,
    settings_of,
    store_to_write,
)
from demurrage.cli.show import note, say, say_json
from demurrage.model.counted import counted

if TYPE_CHECKING:
    from demurrage.app.settings import Settings
    from demurrage.store.sqlstore import SqlStore

_JSON = typer.Option("--json", help="JSON for programs.")


def protect(
    context: typer.Context,
    container_id: Annotated[str, typer.Argument(metavar="ID", help="The container.")],
    until: Annotated[
        str | None,
        typer.Option(help="A duration, or a date and time with its zone; else for ever."),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Take the protection back.")] = False,
    target: Annotated[str | None, typer.Option(help="Its target, if it was never listed.")] = None,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Protect a container: it is not deleted, whatever its verdict.

    Counts from the daemon's next cycle. Deletes that are under way are not called back. A proxy's
    id stands for the provider's inside it.

    \b
    Example:
      demurrage protect cntr_68f0a1b2... --until 2d
    """
    if off and until is not None:
        raise UsageError("--until: means nothing beside --off")
    settings, by = settings_of(context, secrets=False), person()
    with store_to_write(settings) as store:
        if not _listed(store, container_id):
            container_id = container_named(container_id, "ID")
        owner = _owner(settings, store, container_id, target)
        if off:
            if not store.unprotect(owner, container_id, by):
                raise FailedError(f"{container_id} is not protected in {owner}")
            moment, words = None, "is not protected any more; its verdict decides"
        else:
            case = store.case(container_id)
            if case is None and not is_container_id(container_id):
                raise FailedError(
                    f"{container_id} is no container's id, and no listing has shown it; an id is "
                    "like cntr_68f0a1b2..."
                )
            now = provider_now(store, owner)
            moment = None if until is None else read_until(until, "--until", now=now)
            store.protect(owner, container_id, moment, by)
            words = f"is protected {'for ever' if moment is None else f'until {local(moment)}'}"
            if case is None:
                note(f"demurrage: no listing has shown {container_id} yet; is the id right?")
            elif case.sighting is not None and not case.sighting.alive:
                note(f"demurrage: {container_id} is gone; nothing is left to protect")
    if as_json:
        say_json(
            {
                "target": owner,
                "container_id": container_id,
                "protected": not off,
                "until": moment,
                "by": by,
            }
        )
    else:
        say(f"{container_id} ({owner}) {words}, from the next cycle on (by {by}).")


def _listed(store: "SqlStore", container_id: str) -> bool:
    """True where a listing has shown the very id, whatever it looks like."""
    case = store.case(container_id)
    return case is not None and case.sighting is not None


def _owner(settings: "Settings", store: "SqlStore", container_id: str, target: str | None) -> str:
    """The target whose container it is.

    Raises:
        UsageError: nothing tells.
    """
    if target is not None:
        return chosen_targets(settings, target)[0]
    case = store.case(container_id)
    if case is not None and case.target in settings.targets:
        return case.target
    if len(settings.targets) == 1:
        return next(iter(settings.targets))
    raise UsageError(
        f"--target: {container_id} was never listed; say which of "
        f"{', '.join(sorted(settings.targets))} it belongs to"
    )


def resume(
    context: typer.Context,
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="As `status` names it.")],
    until: Annotated[str, typer.Option(help="A duration or a date.")] = "30m",
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Let a held target go on: for this hold only, and until a moment.

    A hold on a wave of deletes lets exactly the containers go that it keeps back, as far as they
    are still due by then. Any other hold ends at once, and --until means nothing for it. Where
    store or log were restored, resume only when no response that was begun before the restore
    still runs: that is what your word says.

    \b
    Example:
      demurrage resume deletes-per-hour-1a2b3c4d --until 30m
    """
    from demurrage.engine.resuming import resume as resumed_by
    from demurrage.model.plan import WAVE_RAILS

    settings, by = settings_of(context, secrets=False), person()
    with store_to_write(settings) as store:
        hold = store.hold(hold_id)
        if hold is None:
            raise FailedError(
                f"there is no hold {hold_id}; `demurrage status` names those there are"
            )
        now = provider_now(store, hold.target)
        moment = read_until(until, "--until", now=now)
        try:
            yes = resumed_by(store, hold, now=now, until=moment, by=by)
        except ValueError as error:
            raise FailedError(str(error)) from None
    wave = hold.rail in WAVE_RAILS
    if as_json:
        say_json(
            {
                "hold": yes.id,
                "target": yes.target,
                "rail": yes.rail.value,
                "containers": len(yes.containers),
                "resumed_at": yes.resumed_at,
                "resumed_until": yes.resumed_until,
                "by": by,
            }
        )
    elif wave:
        say(
            f"{hold_id}: {counted(len(yes.containers), 'container')} of {yes.target} may go until "
            f"{local(moment)}, as far as they are still due (by {by})."
        )
    else:
        say(f"{hold_id} is ended: {yes.target} goes on with its next cycle (by {by}).")


def confirm(
    context: typer.Context,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The target.")],
    windows: Annotated[
        bool,
        typer.Option("--windows", help="Take whole-life windows back instead (late births)."),
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Give the word again that every maker of a target logs, after something broke it.

    What broke coverage up to now is settled; what happens from now on can break it again. With
    --windows it is the other word: that evidence.max_birth_delay was raised, or the late births
    are explained, and windows may be narrow again.

    \b
    Example:
      demurrage confirm default
    """
    settings, by = settings_of(context, secrets=False), person()
    chosen_targets(settings, target, "TARGET")
    with store_to_write(settings) as store:
        now = provider_now(store, target)
        settled = None
        facts = store.facts(target, now)
        broken, done = facts.breaks, True
        if not windows and broken and not store.time_is_told(target):
            raise FailedError(
                f"{target} has not told the time in its last cycle, and the word has to count from "
                "some moment; confirm it once `demurrage status` shows a whole cycle"
            )
        if windows and not facts.whole_life_windows:
            words, done = "windows are not wide, so there is nothing to take back", False
        elif windows:
            store.reset_windows(target, now, by)
            words = "windows close max_birth_delay after a response's start again"
        else:
            settled = store.confirm_coverage(target, now, by)
            done = settled > 0
            words = (
                f"coverage is confirmed; this settles {counted(settled, 'break')}"
                if settled
                else "nothing has broken coverage, so there is nothing to confirm; if you doubt "
                "what lives now, start the daemon once with evidence.coverage partial"
            )
            if done and settings.rules(target).evidence.coverage == "partial":
                words += ' (evidence.coverage is still "partial", so nothing is proven)'
    if as_json:
        say_json({"target": target, "windows": windows, "settled": settled, "by": by})
    else:
        say(f"{target}: {words} (by {by})." if done else f"{target}: {words}.")
