"""`demurrage db`: the store as a thing to look after."""

from pathlib import Path
from typing import Annotated

import typer

from demurrage.cli.exits import UsageError
from demurrage.cli.session import settings_of, store_to_read
from demurrage.cli.show import say, say_json

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

_JSON = typer.Option("--json", help="JSON for programs.")


@app.callback()
def db() -> None:
    """Look after the store: where it is, a backup, a migration."""


@app.command()
def path(context: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """Say where the store is; a password in its URL stays hidden.

    \b
    Example:
      ls -l "$(demurrage db path)"
    """
    from demurrage.store.place import Place

    shown = Place.parse(settings_of(context, secrets=False).store_url).shown
    if as_json:
        say_json({"path": shown})
    else:
        say(shown)


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; replaced once the copy is complete.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Copy the store and its event log to one file, while the daemon runs.

    A daemon that is started on the copy knows that it went back in time: it observes until a
    person resumes it, and births from before stay out of proof. A store on a PostgreSQL server
    is backed up by pg_dump; here that is refused (exit 2).

    \b
    Example:
      demurrage db backup /var/backups/demurrage-$(date +%F).db
    """
    from demurrage.store.place import Place

    settings = settings_of(context, secrets=False)
    if Place.parse(settings.store_url).path is None:
        raise UsageError(
            "database_url: a store on a PostgreSQL server is backed up by pg_dump, "
            "or by the server's own archive"
        )
    with store_to_read(settings) as store:
        store.backup(file)
        place = store.place
    size = file.stat().st_size
    if as_json:
        say_json({"store": place, "file": str(file), "bytes": size})
    else:
        say(f"{place} is copied to {file} ({size:,} bytes).")


@app.command()
def migrate(context: typer.Context, as_json: Annotated[bool, _JSON] = False) -> None:
    """Bring the store up to this version, or make one; the daemon does so at its start, too.

    Needs the daemon stopped (exit 4). There is no way back to an older version but a backup.

    \b
    Example:
      demurrage db backup before.db && demurrage db migrate
    """
    from demurrage.app.assembly import open_state
    from demurrage.store.lock import StoreLock

    settings = settings_of(context, secrets=False)
    with StoreLock(settings.store_url) as lock:
        state = open_state(settings, lock)
        place = state.store.place
        state.close()
    if as_json:
        say_json({"store": place, "migrated": True})
    else:
        say(f"{place} is of this version.")
