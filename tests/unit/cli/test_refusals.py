"""Whatever is wrong with settings or arguments: exit 2, and one clear line that names it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Desk, Refused

COMMANDS = (
    ("survey",),
    ("run",),
    ("status",),
    ("explain", "cntr_1"),
    ("plan",),
    ("check",),
    ("protect", "cntr_1"),
    ("resume", "hold-1"),
    ("confirm", "default"),
    ("writers",),
    ("writers", "retire", "app/1"),
    ("events", "tail"),
    ("events", "append", "--release", "cntr_1"),
    ("events", "verify"),
    ("db", "path"),
    ("db", "backup", "copy.db"),
    ("db", "migrate"),
)


def _plan_file(target: str, verdict: str) -> str:
    row = {"container_id": "cntr_1", "verdict": verdict}
    return json.dumps({"version": 1, "plans": [{"target": target, "deletes": [row]}]})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_names_the_bad_setting(
    desk: Desk, refused: Refused, command: tuple[str, ...]
) -> None:
    """A bad duration is one line with its key and its file, whatever was asked for."""
    desk.write('[watch]\ninterval = "soon"')
    line = refused(desk.say(*command))
    assert "watch.interval" in line
    assert "demurrage.toml" in line


def test_explain_knows_its_targets(kept: Desk, refused: Refused) -> None:
    """A mistyped target is not an unknown container."""
    assert "--target" in refused(kept.say("explain", "cntr_1", "--target", "nope"))


@pytest.mark.parametrize("seconds", ["0", "-1"])
def test_a_demo_of_no_seconds_is_refused(desk: Desk, seconds: str) -> None:
    """It could show nothing."""
    said = desk.say("demo", f"--seconds={seconds}")
    assert said.code == 2
    assert "--seconds" in said.err


def test_every_problem_has_its_own_line(desk: Desk) -> None:
    """Two bad settings are two lines."""
    desk.write('mood = "good"\n[policy]\nidle_after = "-1s"')
    said = desk.say("status")
    assert said.code == 2
    assert ["mood" in said.err, "policy.idle_after" in said.err] == [True, True]
    assert len(said.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("survey", "--days", "0"), "--days"),
        (("survey", "--rpm", "0"), "--rpm"),
        (("survey", "--target", "other"), "--target"),
        (("plan", "--target", "other"), "--target"),
        (("status", "--target", "other"), "--target"),
        (("confirm", "other"), "TARGET"),
        (("canary", "other", "--list"), "TARGET"),
        (("protect", "cntr_1", "--off", "--until", "1h"), "--until"),
        (("protect", "cntr_1", "--until", "yesterday"), "--until"),
        (("protect", "cntr_1", "--until", "2020-01-01T00:00:00Z"), "--until"),
        (("protect", "cntr_1", "--until", "2999-01-01T00:00:00"), "--until"),
        (("events", "append"), "FILE"),
        (("events", "append", "/nowhere.json"), "/nowhere.json"),
        (("events", "append", "--release", "a\nb"), "--release"),
        (("events", "append", "--finish", "call_1", "--ending", "lost"), "--ending"),
        (("events", "append", "--release", "cntr_1", "--target", "other"), "--target"),
        (("sweep", "--execute", "/nowhere.json"), "/nowhere.json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_bad_arguments_are_named(
    kept: Desk, refused: Refused, command: tuple[str, ...], named: str
) -> None:
    """Exit 2, and the line says which argument is meant."""
    assert named in refused(kept.say(*command))


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", "the file"),
        ("[]", "the file"),
        ('{"version": 1}', "plans"),
        ('{"version": 2, "plans": []}', "version"),
        (
            _plan_file("default", "guilty"),
            "plans.0.deletes.0.verdict",
        ),
        (
            _plan_file("other", "orphan"),
            "target",
        ),
    ],
)
def test_a_plan_that_is_none_is_refused_by_its_field(
    desk: Desk, refused: Refused, text: str, field: str
) -> None:
    """A damaged plan file never gets as far as the store."""
    file = desk.folder / "plan.json"
    file.write_text(text)
    assert field in refused(desk.say("sweep", "--execute", str(file), DEMURRAGE_MODE="enforce"))


def test_a_plan_of_nothing_is_done_at_once(desk: Desk) -> None:
    """There is nothing to show, and so no empty table either."""
    file = desk.folder / "plan.json"
    file.write_text('{"version": 1, "plans": []}')
    said = desk.say("sweep", "--execute", str(file), DEMURRAGE_MODE="enforce")
    assert (said.code, said.out.splitlines()) == (0, ["nothing to do"])


def test_an_unknown_option_is_named(desk: Desk) -> None:
    """Usage errors end with exit 2 and say what was not understood."""
    said = desk.say("status", "--colour")
    assert said.code == 2
    assert "--colour" in said.err.splitlines()[-1]


@pytest.mark.parametrize(
    "command", [("status",), ("explain", "cntr_1"), ("events", "tail"), ("protect", "cntr_1")]
)
def test_without_a_store_commands_say_what_to_do_and_make_none(
    desk: Desk, refused: Refused, command: tuple[str, ...]
) -> None:
    """Looking into nothing fails with exit 1 and leaves nothing behind."""
    assert "there is no store" in refused(desk.say(*command), code=1)
    assert list(desk.folder.glob("*.db*")) == []


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nowhere/x.db", "postgresql://u:secret@host.invalid"]
)
def test_a_store_that_cannot_be_ends_the_run(url: str, tmp_path: Path) -> None:
    """It says so in one line that names the key and no password; what is away is waited for."""
    settings = tmp_path / "demurrage.toml"
    settings.write_text(f'database_url = "{url}"\n[targets.default]\n')
    told = subprocess.run(
        [sys.executable, "-m", "demurrage", "run", "--config", str(settings)],
        env={**os.environ, "OPENAI_API_KEY": "sk-unused"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert told.returncode == 2, told
    (line,) = told.stderr.splitlines()
    assert "database_url" in line
    assert "secret" not in line


def test_a_server_is_backed_up_by_its_own_tools(
    desk: Desk, refused: Refused, tmp_path: Path
) -> None:
    """`db backup` names the tool, whether the server answers or not, and writes nothing."""
    desk.settings_file.write_text(
        'database_url = "postgresql://u:secret@127.0.0.1:1/base"\n[targets.default]\n'
    )
    line = refused(desk.say("db", "backup", str(tmp_path / "copy.db")))
    assert "pg_dump" in line
    assert "secret" not in line
    assert not (tmp_path / "copy.db").exists()
