"""The program: its commands, what is common to them, and how it ends."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from demurrage.cli import db, events, incidents, writers
from demurrage.cli.canary import canary
from demurrage.cli.check import check
from demurrage.cli.exits import EXITS, named_exits
from demurrage.cli.explain import explain
from demurrage.cli.init import init
from demurrage.cli.people import confirm, protect, resume
from demurrage.cli.plan import plan
from demurrage.cli.report import report
from demurrage.cli.service import demo, run
from demurrage.cli.session import remember_config
from demurrage.cli.simulate import simulate
from demurrage.cli.status import status
from demurrage.cli.survey import survey
from demurrage.cli.sweep import sweep

_CONFIG = "--config"


class Commands(TyperGroup):
    """The group of all commands."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; `--config` may stand behind the command too."""
        return super().parse_args(ctx, _config_first(args))

    def invoke(self, ctx: Any) -> Any:
        """Run a command; the project's own errors become lines and exit codes."""
        with named_exits():
            return super().invoke(ctx)


def _config_first(args: list[str]) -> list[str]:
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for each in waiting:
        if each == "--":
            rest += [each, *waiting]
        elif each == _CONFIG:
            first += [each, *([file] if (file := next(waiting, None)) is not None else [])]
        elif each.startswith(f"{_CONFIG}="):
            first.append(each)
        else:
            rest.append(each)
    return first + rest


def _version(asked: bool) -> None:  # noqa: FBT001 - typer calls it so
    if asked:
        from importlib.metadata import version

        print(f"demurrage {version('demurrage')}")
        raise typer.Exit


app = typer.Typer(
    name="demurrage",
    cls=Commands,
    epilog=EXITS,
    no_args_is_help=True,
    add_completion=False,
    # Plain help is quick, and greps; tracebacks with locals could show keys.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def common(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(help="The settings file; else $DEMURRAGE_CONFIG, ./demurrage.toml, /etc/…"),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Delete the orphaned containers that OpenAI's Code Interpreter leaves on your bill.

    Deletes on proof, never on suspicion; and by default only observes. Begin with `survey`.
    """
    del version
    remember_config(context, config)


app.command(short_help="Count the containers that were never used; the first to run.")(survey)
app.command(short_help="Run the daemon.")(run)
app.command(short_help="Watch the daemon at work in a simulated harbour.")(demo)
app.command(short_help="Score the daemon on a load, before it may delete.")(simulate)
app.command(short_help="Show how each target stands.")(status)
app.command(short_help="Tell why a container was kept or deleted.")(explain)
app.command(short_help="Tell what some days' containers cost, and whose orphans.")(report)
app.command(short_help="Show what one cycle would delete; change nothing.")(plan)
app.command(short_help="Do exactly what a saved plan shows, re-checked.")(sweep)
app.command(short_help="Write out settings, or what systemd, compose, Kubernetes need.")(init)
app.command(short_help="Check settings, store, log and API access.")(check)
app.command(short_help="Find out by paid experiments how a provider behaves.")(canary)
app.command(short_help="Protect a container from deletion.")(protect)
app.command(short_help="Let a held sweep go on.")(resume)
app.command(short_help="Confirm a target's coverage again.")(confirm)
app.add_typer(
    incidents.app, name="incidents", short_help="Show incidents; acknowledge, silence one."
)
app.add_typer(writers.app, name="writers", short_help="Show who is waited for; retire one.")
app.add_typer(events.app, name="events", short_help="Tail, append, verify the event log.")
app.add_typer(db.app, name="db", short_help="Path, backup, migration of the store.")

program = typer.main.get_command(app)
