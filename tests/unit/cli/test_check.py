"""What `check` tells of the API and the store, each with what to do."""

import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.postgres import Server
from tests.unit.cli.conftest import Desk

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.store.opening import open_store
from demurrage.store.schema import STEPS

DELETES = "DELETE /v1/containers/*"


def row(desk: Desk, name: str, *arguments: str, **environ: str) -> dict[str, Any]:
    """The one row of that name; the exit code goes with the grades."""
    said = desk.say("check", "--json", *arguments, **environ)
    checks = said.json["checks"]
    assert said.code == (1 if "fail" in {each["grade"] for each in checks} else 0)
    (found,) = [each for each in checks if each["check"] == name]
    return dict(found)


@pytest.mark.parametrize(
    ("fault", "mode", "grade", "word"),
    [
        (None, "enforce", "pass", "not refused"),
        ("missing_scope", "enforce", "fail", "missing_scope"),
        ("missing_scope", "observe", "warn", "missing_scope"),
        ("bad_key", "enforce", "fail", "unauthorized"),
        ("server_error", "enforce", "warn", "cannot be told"),
        ("html", "enforce", "warn", "cannot be told"),
    ],
)
def test_the_right_to_delete_is_told_without_deleting(
    kept: Desk, fault: str | None, mode: str, grade: str, word: str
) -> None:
    """A refusal fails where deletes are wanted; what proves nothing is a warning."""
    with HarbourServer(Harbour()) as harbour:
        if fault is not None:
            harbour.admin.fault(fault, DELETES)
        found = row(
            kept,
            "default: delete",
            DEMURRAGE_MODE=mode,
            DEMURRAGE_TARGETS__DEFAULT__BASE_URL=harbour.base_url,
        )
        assert found["grade"] == grade
        assert word in found["finding"]
        assert found["advice"] or grade == "pass"


def test_a_clock_that_is_off_is_told(kept: Desk) -> None:
    """By the Date of the API's own answers."""
    with HarbourServer(Harbour()) as harbour:
        url = harbour.base_url
        found = row(kept, "default: clock", DEMURRAGE_TARGETS__DEFAULT__BASE_URL=url)
    assert found["grade"] == "pass"
    assert "0." in found["finding"]


@pytest.mark.parametrize(
    ("variable", "base_url", "told"),
    [
        ("http://127.0.0.1:9/v1", "https://api.openai.com/v1", True),
        ("http://127.0.0.1:9/v1", "http://127.0.0.1:8/v1", False),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1", False),
        ("", "https://api.openai.com/v1", False),
    ],
)
def test_an_address_that_only_the_applications_go_to_is_told(
    kept: Desk, variable: str, base_url: str, *, told: bool
) -> None:
    """The SDK's variable beside a settings file: it is not read, and that is easily missed."""
    environ = {"OPENAI_BASE_URL": variable, "DEMURRAGE_TARGETS__DEFAULT__BASE_URL": base_url}
    checks = kept.say("check", "--json", "--offline", **environ).json["checks"]
    found = [each for each in checks if each["check"] == "default: address"]
    assert [each["grade"] for each in found] == ["warn"] * told
    assert all("targets.default.base_url" in each["advice"] for each in found)


def test_a_key_file_that_anyone_can_read_is_told(kept: Desk) -> None:
    """Its mode is a warning, and the key is in no line."""
    file = kept.folder / "key"
    file.write_text("sk-of-the-file-0123456789")
    name = {"DEMURRAGE_TARGETS__DEFAULT__API_KEY_FILE": str(file)}
    file.chmod(0o644)
    assert row(kept, "default: key file", "--offline", **name)["grade"] == "warn"
    assert "sk-of" not in kept.say("check", "--offline", **name).out
    file.chmod(0o640)
    assert "key file" not in kept.say("check", "--offline", **name).out


@pytest.mark.parametrize("name", ["sentry_dsn", "api_key"])
def test_a_secret_s_file_that_is_empty_fails_as_a_start_would(desk: Desk, name: str) -> None:
    """One that waits to be filled in is no secret that is elsewhere."""
    (desk.folder / name).touch()
    place = {"CREDENTIALS_DIRECTORY": str(desk.folder)}
    found = row(desk, "secrets", "--offline", **place)
    assert found["grade"] == "fail"
    assert "empty" in found["finding"]
    (desk.folder / name).unlink()
    assert "its file is empty" not in desk.say("check", "--offline", **place).out


def test_a_server_that_is_away_keeps_no_daemon_from_starting(desk: Desk) -> None:
    """A warning, and no exit code that ends a unit's start: the daemon waits for it."""
    url = {"DEMURRAGE_DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/base"}
    for name in ("store", "daemon"):
        found = row(desk, name, "--offline", **url)
        assert found["grade"] == "warn"
        assert "waits" in found["advice"]
    assert "secret" not in desk.say("check", "--offline", **url).out


def test_a_store_of_the_version_before_passes(desk: Desk) -> None:
    """The start after an upgrade brings it up to date; nothing is wrong with it."""
    before = desk.folder / "before"
    shutil.copytree(STEPS, before, ignore=shutil.ignore_patterns("__pycache__"))
    max((before / "versions").glob("v*.py")).unlink()
    open_store(desk.url, steps=before).close()
    found = row(desk, "store", "--offline")
    assert found["grade"] == "pass"
    assert "old schema" in found["finding"]


def test_too_little_room_is_told(kept: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the disk is full."""
    assert row(kept, "disk", "--offline")["finding"]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    assert row(kept, "disk", "--offline")["grade"] == "warn"


def test_a_folder_of_another_user_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else may look into it, nor make a folder there: a volume's owner is the usual case."""
    closed = desk.folder / "closed"
    closed.mkdir()
    look, make = os.stat, os.open

    def stat(path: Any, *arguments: Any, **more: Any) -> os.stat_result:
        _refuse(path)
        return look(path, *arguments, **more)

    def opened(path: Any, *arguments: Any, **more: Any) -> int:
        _refuse(Path(os.fsdecode(path)) / "a file without a name")
        return make(path, *arguments, **more)

    def _refuse(path: Any) -> None:
        if closed in Path(os.fsdecode(path)).parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(os, "open", opened)
    for place in (closed / "demurrage.db", closed / "deeper" / "demurrage.db"):
        found = row(desk, "store", "--offline", DEMURRAGE_DATABASE_URL=f"sqlite:///{place}")
        assert found["grade"] == "fail"
        assert f"{closed} cannot be written" in found["finding"]
        assert "owner" in found["advice"]


def test_what_a_server_does_not_grant_is_told(
    desk: Desk, postgres: Server, database: str, tmp_path: Path
) -> None:
    """Store and log can be read by a user who may not write them."""
    url = {"DEMURRAGE_DATABASE_URL": database}
    assert desk.say("db", "migrate", **url).code == 0
    assert row(desk, "event log", "--offline", **url)["grade"] == "pass"
    name = database.partition("?")[0].rpartition("/")[2]
    reader = f"reader_{tmp_path.name.replace('-', '_')}"
    with postgres.connect(name) as connection:
        connection.execute(f"CREATE ROLE {reader} LOGIN")
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}")
    try:
        url = {"DEMURRAGE_DATABASE_URL": database.replace("tests@", f"{reader}@")}
        for check, table in (("event log", "event_log_head"), ("store", "meta")):
            found = row(desk, check, "--offline", **url)
            assert found["grade"] == "fail"
            assert table in found["finding"]
    finally:
        with postgres.connect(name) as connection:
            connection.execute(f"DROP OWNED BY {reader}")
            connection.execute(f"DROP ROLE {reader}")
