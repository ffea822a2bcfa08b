"""SIGTERM in the daemon's first moments, before it has set about anything."""

import subprocess
import sys

import pytest

# As process 1 it would be deaf to SIGTERM until it handles it. The signal comes while the
# command line is imported, or its settings are read.
_PROGRAM = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Meanwhile:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Meanwhile())
sys.argv = ["demurrage", *{arguments!r}]
from demurrage.cli import main
main()
"""


def ended(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """How the program ends when the signal comes as it imports a module."""
    text = _PROGRAM.format(module=module, arguments=arguments)
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.process
@pytest.mark.parametrize("module", ["demurrage.cli.program", "demurrage.app.service"])
@pytest.mark.parametrize("arguments", [("run",), ("--config", "/nowhere.toml", "run")])
def test_an_early_sigterm_ends_the_daemon_well(module: str, arguments: tuple[str, ...]) -> None:
    """With exit 0, as any end that it is asked for, and without a word."""
    done = ended(module, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.process
def test_other_commands_leave_the_signal_as_it_was() -> None:
    """Whoever ignores it goes on ignoring it."""
    done = ended("demurrage.cli.program", "--version")
    assert done.stdout.startswith("demurrage ")
