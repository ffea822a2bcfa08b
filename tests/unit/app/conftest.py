"""How the settings' tests load settings."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from demurrage.app import settings as module
from demurrage.app.settings import Settings, load_settings
from demurrage.model.error import SettingsError

KEYED = {"OPENAI_API_KEY": "sk-test-0123456789abcdefghij"}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Load a file's text (None: no file in any usual place) and an environment."""
    monkeypatch.setattr(module, "USUAL_PLACES", (tmp_path / "absent.toml",))

    def run(
        toml: str | None = None, environ: Mapping[str, str] = KEYED, *, secrets: bool = True
    ) -> Settings:
        file = None
        if toml is not None:
            file = tmp_path / "demurrage.toml"
            file.write_text(toml, encoding="utf-8")
        return load_settings(file, environ, secrets=secrets)

    return run


@pytest.fixture
def complain(load: Callable[..., Settings]) -> Callable[..., list[str]]:
    """Load what must be refused; returns the error's lines."""

    def run(toml: str | None = None, environ: Mapping[str, str] = KEYED) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load(toml, environ)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return str(caught.value).splitlines()

    return run
