"""`demurrage run` and `demurrage demo`."""

from typing import Annotated

import typer

from demurrage.cli.session import settings_of


def run(context: typer.Context) -> None:
    """Run the daemon until SIGTERM or SIGINT, which let deletes under way end.

    SIGHUP reads the settings again: valid ones take effect between cycles, wrong ones are refused.

    With the shipped settings it only observes. One daemon runs on a store (exit 4).

    \b
    Example:
      demurrage run --config /etc/demurrage/demurrage.toml
    """
    import asyncio
    from functools import partial

    from demurrage.app.service import serve

    asyncio.run(serve(settings_of(context), partial(settings_of, context)))


def demo(
    seconds: Annotated[
        float | None,
        typer.Option(min=1, help="End after so many seconds; without it, on Ctrl-C."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Which conversations are held.")] = 7,
    leak: Annotated[
        bool, typer.Option("--leak", help="Models hardly ever use the tool they are offered.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Lines instead of the live screen.")
    ] = False,
) -> None:
    """Watch the real daemon at work in a simulated harbour, with times scaled down.

    Needs no key, and touches nothing outside. Ends with exit 1 if a delete did harm,
    or if the seconds given were too few for an orphan to fall due.

    Enter, or SIGUSR1, makes the models leave their tool alone, so that it leaks, or stops that.
    Give it four minutes before: until then the daemon does not know what is usual.

    \b
    Example:
      demurrage demo --seconds 120
    """
    from demurrage.simulator.demo import main

    raise typer.Exit(main(seconds, seed=seed, leak=leak, plain=plain))
