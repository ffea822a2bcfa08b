"""`demurrage init`: the files that ship with the package, written out to be changed."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from demurrage.cli.exits import FailedError, UsageError
from demurrage.cli.shipped import Kind, Shipped, next_steps, shipped
from demurrage.cli.show import say, say_json

_FOR_ALL = 0o666
_FOR_THE_OWNER = 0o600


def init(
    into: Annotated[
        Path, typer.Option(help="The folder to write into; made if it is not there.")
    ] = Path(),
    systemd: Annotated[
        bool, typer.Option("--systemd", help="Settings, and the unit with what belongs to it.")
    ] = False,
    compose: Annotated[
        bool, typer.Option("--compose", help="An example application and the daemon beside it.")
    ] = False,
    kubernetes: Annotated[
        bool, typer.Option("--kubernetes", help="Manifests: a sidecar, or one for many pods.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Write the settings file, every key explained; or what systemd, compose or Kubernetes need.

    Writes all or nothing: where one of the files is there already, none is touched (exit 2).

    \b
    Examples:
      demurrage init
      demurrage init --kubernetes --into deploy
    """
    asked = {Kind.SYSTEMD: systemd, Kind.COMPOSE: compose, Kind.KUBERNETES: kubernetes}
    kinds = [kind for kind, wanted in asked.items() if wanted] or [Kind.SETTINGS]
    found = [each for kind in kinds for each in shipped(kind)]
    if not force:
        _refuse_if_there(into, found)
    written = _write(into, found)
    steps = [step for kind in kinds for step in next_steps(kind, into)]
    if as_json:
        say_json({"written": [str(each) for each in written], "next": steps})
    else:
        say(*(f"{each} is written." for each in written), "")
        say(*(f"{number}. {step}" for number, step in enumerate(steps, start=1)))


def _refuse_if_there(into: Path, found: Iterable[Shipped]) -> None:
    there = [path for each in found if os.path.lexists(path := into / each.name)]
    if there:
        advice = "--force replaces it, --into writes elsewhere"
        raise UsageError("\n".join(f"{path}: is there already; {advice}" for path in there))


def _write(into: Path, found: Iterable[Shipped]) -> Sequence[Path]:
    written = []
    path = into
    try:
        into.mkdir(parents=True, exist_ok=True)
        for each in found:
            path = into / each.name
            mode = _FOR_THE_OWNER if each.secret else _FOR_ALL
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(path, flags, mode), "w", encoding="utf-8") as file:
                file.write(each.text)
            written.append(path)
    except OSError as error:
        reason = (error.strerror or "unusable").lower()
        raise FailedError(f"{path}: cannot be written: {reason}; choose another --into") from None
    return written
