"""The command `demurrage-recorder`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from demurrage_recorder import deliver, running

Command = Callable[[argparse.Namespace], int]

_COMMANDS = (deliver.add_command, running.add_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Args:
        arguments: the words after the command's name; None means those of this process.
    """
    parser = argparse.ArgumentParser(
        prog="demurrage-recorder",
        description="Tells a Demurrage daemon what applications do with the Responses API.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add_command in _COMMANDS:
        add_command(commands)
    chosen = parser.parse_args(arguments)
    command: Command = chosen.command
    try:
        return command(chosen)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
