"""Reading the settings.

One TOML file, every key overridable by a `DEMURRAGE_…` variable, secrets from elsewhere. What
is wrong is said all at once, one line a problem, each naming its key.
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_state_path
from pydantic import SecretStr, ValidationError
from pydantic_settings import (
    InitSettingsSource,
    PydanticBaseSettingsSource,
    TomlConfigSettingsSource,
)

from demurrage.app.settings_checks import (
    event_folder,
    open_doors,
    problems_between,
    sink_addresses,
    twins,
)
from demurrage.app.settings_environment import EnvironmentSource
from demurrage.app.settings_keyring import gather_secrets
from demurrage.app.settings_problems import Problem, dotted, known_paths, problems_of
from demurrage.app.settings_secrets import SecretUnreadableError, find_secret
from demurrage.app.settings_tree import Settings
from demurrage.model.error import SettingsError

__all__ = ["Settings", "door_problems", "load_settings", "unusable_secrets"]

USUAL_PLACES = (Path("demurrage.toml"), Path("/etc/demurrage/demurrage.toml"))


def load_settings(
    path: Path | None, environ: Mapping[str, str], *, secrets: bool = True
) -> Settings:
    """Read and check the settings.

    Args:
        path: the file; None: `$DEMURRAGE_CONFIG`, else the first of the usual places.
        environ: the process's environment.
        secrets: False for commands that reach neither the API nor the network, so that they
            run where the keys are not.

    Raises:
        SettingsError: something is wrong; its message has one line for each problem, naming
            the key and the fix, and never holds a secret.
    """
    file = _find(path, environ)
    in_file = _read(file) if file else _implied(environ, keyless=not secrets)
    environment = EnvironmentSource(
        Settings, environ, {table: _names(in_file, table) for table in ("targets", "sinks")}
    )
    variables: Mapping[tuple[str, ...], str] = environment.variables
    if not file and environ.get("OPENAI_BASE_URL"):
        variables = {("targets", "default", "base_url"): "OPENAI_BASE_URL", **variables}
    problems = list(environment.problems)
    try:
        settings = _build((environment, InitSettingsSource(Settings, in_file)))
    except ValidationError as error:
        problems += problems_of(error, known_paths(Settings))
        raise _refusal(problems, variables, file) from None
    problems += problems_between(settings)
    found, missing = gather_secrets(settings, environ)
    state = _state_folder(environ)
    if found.database_url is None and not settings.database_url.get_secret_value():
        found = found.with_database_url(SecretStr(f"sqlite:///{state / 'demurrage.db'}"))
    if secrets:
        problems += [*event_folder(settings), *missing, *sink_addresses(found, settings)]
        problems += [*open_doors(settings, found), *twins(settings, found)] if not missing else []
    if problems:
        raise _refusal(problems, variables, file)
    return settings.with_secrets(found, state)


def door_problems(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with the tokens of the HTTP API, a line each, where no key was asked for."""
    found, missing = gather_secrets(settings, environ)
    problems = [each for each in missing if each.path[0] == "http"]
    return tuple(
        f"{dotted(each.path)}: {each.text}" for each in problems or open_doors(settings, found)
    )


def unusable_secrets(settings: Settings, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Secrets whose place is there and holds none, a line each, where no key was asked for."""
    _, missing = gather_secrets(settings, environ)
    return tuple(
        f"{dotted(each.path)}: {each.text}"
        for each in missing
        if not each.absent and each.path[0] != "http"
    )


def _build(strongest_first: tuple[PydanticBaseSettingsSource, ...]) -> Settings:
    """Let pydantic-settings merge the sources and validate."""

    class Loaded(Settings):
        sources = strongest_first

    return Loaded()


def _find(path: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = path or (Path(text) if (text := environ.get("DEMURRAGE_CONFIG")) else None)
    if named:
        if not named.is_file():
            raise SettingsError(f"{named}: no such settings file; name one that exists")
        return named
    return next((place for place in USUAL_PLACES if place.is_file()), None)


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(TomlConfigSettingsSource(Settings, file).toml_data)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: not valid TOML: it is not UTF-8") from None
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise SettingsError(f"{file}: cannot be read: {reason}") from None


def _names(in_file: Mapping[str, Any], table: str) -> tuple[str, ...]:
    """The names that the file chooses in a table of tables."""
    named = in_file.get(table)
    return tuple(named) if isinstance(named, Mapping) else ()


def _implied(environ: Mapping[str, str], *, keyless: bool) -> dict[str, Any]:
    """Without a file, the SDK's own variables make one target; its key need not be here."""
    others = [
        name
        for name in environ
        if name.startswith("DEMURRAGE_TARGETS__")
        and not name.upper().startswith("DEMURRAGE_TARGETS__DEFAULT__")
    ]
    try:
        key = find_secret(environ, "OPENAI_API_KEY", ("default.api_key", "api_key")) is not None
    except SecretUnreadableError:
        key = True  # the search for all secrets says what is wrong with it
    if others or not (key or keyless):
        return {}
    base_url = environ.get("OPENAI_BASE_URL")
    return {"targets": {"default": {"base_url": base_url} if base_url else {}}}


def _state_folder(environ: Mapping[str, str]) -> Path:
    # systemd hands over a colon-separated list when the unit names several directories
    directory = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    state = Path(directory) if directory else user_state_path("demurrage", appauthor=False)
    return state.absolute()


def _refusal(
    problems: Iterable[Problem], variables: Mapping[tuple[str, ...], str], file: Path | None
) -> SettingsError:
    lines = (f"{dotted(p.path)}: {p.text}{_origin(p.path, variables, file)}" for p in problems)
    return SettingsError("\n".join(dict.fromkeys(lines)))


def _origin(
    path: tuple[str, ...], variables: Mapping[tuple[str, ...], str], file: Path | None
) -> str:
    """Where the reader has to look, unless the line opens with a variable's name anyway."""
    if path[0].startswith("DEMURRAGE_"):
        return ""
    for length in range(len(path), 0, -1):
        if variable := variables.get(path[:length]):
            return f" (set by {variable})"
    return f" (in {file})" if file else ""
