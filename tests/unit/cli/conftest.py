"""Commands run in this process, piped, on a settings file and a store of their own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from demurrage.app.settings import Settings, load_settings
from demurrage.cli.program import app
from demurrage.store.opening import open_store
from demurrage.store.sqlstore import SqlStore

KEY = "sk-test-0123456789abcdefghij"


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as data."""
        return json.loads(self.out)


@dataclass
class Desk:
    """Where a person sits: a settings file, and the store that it names."""

    folder: Path

    @property
    def settings_file(self) -> Path:
        """The settings file."""
        return self.folder / "demurrage.toml"

    @property
    def url(self) -> str:
        """The store's URL."""
        return f"sqlite:///{self.folder}/demurrage.db"

    def write(self, text: str = "") -> None:
        """Write the settings: the store's place, one target, and what a test adds."""
        whole = f'database_url = "{self.url}"\n{text}\n[targets.default]\n'
        self.settings_file.write_text(whole)

    def settings(self) -> Settings:
        """The settings as the commands read them."""
        return load_settings(self.settings_file, {}, secrets=False)

    def store(self) -> SqlStore:
        """The store, made where it is missing."""
        return open_store(self.url)

    def say(self, *arguments: str, given: str | bytes | None = None, **environ: str) -> Said:
        """Run a command on the settings."""
        found = {"OPENAI_API_KEY": KEY, "COLUMNS": "80", **environ}
        result = CliRunner().invoke(
            app, ["--config", str(self.settings_file), *arguments], input=given, env=found
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Settings with one target, and no store yet."""
    made = Desk(tmp_path)
    made.write()
    return made


@pytest.fixture
def kept(desk: Desk) -> Desk:
    """The same, with an empty store and log that a daemon has made."""
    assert desk.say("db", "migrate").code == 0
    return desk


Refused = Callable[..., str]


@pytest.fixture
def refused() -> Refused:
    """Check that a command was refused with one clear line, and give that line."""

    def check(said: Said, code: int = 2) -> str:
        assert said.code == code, said.out + said.err
        (line,) = said.err.splitlines()
        assert "Traceback" not in line
        assert KEY not in line
        return line

    return check
