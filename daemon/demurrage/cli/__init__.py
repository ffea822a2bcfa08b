"""The `demurrage` command."""

import signal
import sys


def main() -> None:
    """Run the command line."""
    if "run" in sys.argv[1:]:
        # The kernel keeps a signal that nobody handles from process 1, which the daemon is in a
        # container; and before anything has begun, an end is a good end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    from demurrage.cli.program import program

    program(prog_name="demurrage")
