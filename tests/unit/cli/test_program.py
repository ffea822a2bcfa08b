"""Help, version, where `--config` may stand, and what is imported."""

import re
import subprocess
import sys

import pytest
from tests.unit.cli.conftest import Desk

COMMANDS = (
    "survey", "run", "demo", "status", "explain", "plan", "sweep", "check", "protect", "resume",
    "confirm", "writers", "events", "db", "simulate", "init", "report",
)  # fmt: skip


def test_help_names_every_command_and_every_exit_code(desk: Desk) -> None:
    """The first thing that a new user reads is complete."""
    said = desk.say("--help")
    assert said.code == 0
    for command in COMMANDS:
        assert re.search(rf"^  {command}\s", said.out, re.MULTILINE), command
    for code in range(5):
        assert f"    {code}  " in said.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(desk: Desk, command: str) -> None:
    """`--help` of each says what it is for and shows how it is called."""
    parts = {"events": ("events", "tail"), "db": ("db", "path")}.get(command, (command,))
    said = desk.say(*parts, "--help")
    assert said.code == 0
    assert "Example" in said.out


def test_the_settings_file_may_be_named_before_or_behind_the_command(desk: Desk) -> None:
    """Both places mean the same; the last one counts."""
    other = desk.folder / "other.toml"
    other.write_text('database_url = "sqlite:////elsewhere/other.db"\n[targets.default]\n')
    for arguments in (("db", "path", "--config", str(other)), ("db", f"--config={other}", "path")):
        assert desk.say(*arguments).out == "/elsewhere/other.db\n"


def test_version_is_said(desk: Desk) -> None:
    """`--version` ends at once."""
    assert desk.say("--version").out.startswith("demurrage ")


def test_help_imports_nothing_heavy() -> None:
    """Asking for help loads neither the SDK, nor the database, nor the web, nor rich."""
    code = (
        "import sys; from demurrage.cli.program import program\n"
        "try: program(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'openai', 'sqlalchemy', 'fastapi', 'pydantic', 'rich', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stderr.strip() == "[]"


def test_module_and_command_are_one() -> None:
    """`python -m demurrage` is the command."""
    ran = subprocess.run(
        [sys.executable, "-m", "demurrage", "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ran.stdout.startswith("demurrage ")
