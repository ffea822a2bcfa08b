"""`demurrage-recorder run`: a command and whatever Python it starts, watched, without a change."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from demurrage_recorder.carrier import DEFAULT_URL, TOKEN_VARIABLE, URL_VARIABLE
from demurrage_recorder.clients import TARGET_VARIABLE, target_name
from demurrage_recorder.writers import writer_for

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - no public name

# As a shell has it for a command that is not there, or not for running.
NOT_RUN = 127
WRONG = 2

_HOOK = Path(__file__).resolve().parent / "hook"


def environment_for(
    environment: Mapping[str, str],
    *,
    url: str | None = None,
    target: str | None = None,
    token: str | None = None,
) -> dict[str, str]:
    """The environment that a command is run in.

    Args:
        environment: the environment as it is.
        url: where the daemon takes events, if not where the environment says.
        target: the target's name, if not the one that the environment says.
        token: the bearer token for events, if not the one that the environment says.
    """
    given = {URL_VARIABLE: url, TARGET_VARIABLE: target, TOKEN_VARIABLE: token}
    found = {**environment, **{name: each for name, each in given.items() if each is not None}}
    path = [str(_HOOK)]
    if found.get("PYTHONPATH"):
        path.append(found["PYTHONPATH"])
    found["PYTHONPATH"] = os.pathsep.join(path)
    return found


def add_command(commands: "Subparsers") -> None:
    """Add `run` to the command's parser."""
    parser = commands.add_parser(
        "run",
        help="run a command, watched",
        usage="demurrage-recorder run [--url URL] [--target TARGET] [--token TOKEN] -- COMMAND ...",
        description="Runs a command. Every HTTP client that Python code in it, or in what it "
        "starts, makes with httpx or httpx2, and so every OpenAI client, is instrumented, unless "
        "Python is told to ignore its environment (-I, -E). The exit code is the command's; 2: an "
        "argument is wrong, 127: the command cannot be run.",
    )
    parser.add_argument(
        "--url",
        metavar="URL",
        help=f"where the daemon takes events (default: {URL_VARIABLE}, else {DEFAULT_URL})",
    )
    parser.add_argument(
        "--target",
        metavar="TARGET",
        help=f"its name in the daemon's settings (default: {TARGET_VARIABLE}, else default)",
    )
    parser.add_argument(
        "--token",
        metavar="TOKEN",
        help="the token for events, which others on this machine can read here (default: "
        f"{TOKEN_VARIABLE})",
    )
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    parser.set_defaults(command=_command)


def _command(chosen: argparse.Namespace) -> int:
    words = chosen.words[1:] if chosen.words[:1] == ["--"] else chosen.words
    if not words:
        print(
            "demurrage-recorder: name a command, as in: demurrage-recorder run -- python app.py",
            file=sys.stderr,
        )
        return WRONG
    try:
        target_name(chosen.target)
        writer_for(chosen.url, token=chosen.token)
    except (ValueError, ImportError) as error:
        print(f"demurrage-recorder: {error}", file=sys.stderr)
        return WRONG
    environment = environment_for(
        os.environ, url=chosen.url, target=chosen.target, token=chosen.token
    )
    sys.stdout.flush()
    try:
        os.execvpe(words[0], words, environment)  # noqa: S606 - the command of whoever calls
    except OSError as error:
        print(f"demurrage-recorder: {words[0]}: {error.strerror}", file=sys.stderr)
        return NOT_RUN
