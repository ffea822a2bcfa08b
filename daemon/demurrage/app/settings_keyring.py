"""Which secrets the settings ask for, and what is said of those that are missing."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from demurrage.app.settings_problems import Problem
from demurrage.app.settings_secrets import (
    Secrets,
    SecretUnreadableError,
    find_secret,
    read_secret_file,
    spoken,
)
from demurrage.app.settings_sinks import SinkSettings
from demurrage.app.settings_target import TargetSettings
from demurrage.app.settings_tree import Settings


def gather_secrets(settings: Settings, environ: Mapping[str, str]) -> tuple[Secrets, list[Problem]]:
    """Find every secret that the settings name; the problems are those that are not there."""
    return _Search(settings, environ).run()


class _Search:
    """One pass over everything that the settings name."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._problems: list[Problem] = []

    def run(self) -> tuple[Secrets, list[Problem]]:
        """Look everywhere once."""
        http, sentry = self._settings.http, self._settings.sentry
        found = Secrets(
            api_keys=dict(self._api_keys()),
            webhook_secrets=dict(self._webhook_secrets()),
            events_token=self._named(
                ("http", "events_token_env"), http.events_token_env, "events_token"
            ),
            admin_token=self._named(
                ("http", "admin_token_env"), http.admin_token_env, "admin_token"
            ),
            # The usual variable may well be unset: then Sentry is off.
            sentry_dsn=self._named(
                ("sentry", "dsn_env"),
                sentry.dsn_env,
                "sentry_dsn",
                required=sentry.dsn_env != "SENTRY_DSN",
            ),
            sentry_token=self._named(
                ("sentry", "api_token_env"), sentry.api_token_env, "sentry_token"
            ),
            sink_urls=dict(self._sink_urls()),
            database_url=self._named(("database_url",), "", "database_url")
            if not self._settings.database_url.get_secret_value()
            else None,
        )
        return found, self._problems

    def _api_keys(self) -> Iterator[tuple[str, SecretStr]]:
        for name, target in self._settings.targets.items():
            if target.auth == "key" and (key := self._api_key(name, target)) is not None:
                yield name, key

    def _api_key(self, name: str, target: TargetSettings) -> SecretStr | None:
        at = ("targets", name)
        if target.api_key_file:
            try:
                return read_secret_file(Path(target.api_key_file))
            except SecretUnreadableError as error:
                self._problems.append(Problem((*at, "api_key_file"), str(error)))
                return None
        # A credential that names no target is unmistakable only while there is one target.
        credentials: tuple[str, ...] = (f"{name}.api_key",)
        if len(self._settings.targets) == 1:
            credentials += ("api_key",)
        return self._named((*at, "api_key_env"), target.key_variable, *credentials)

    def _webhook_secrets(self) -> Iterator[tuple[str, SecretStr]]:
        for name, target in self._settings.targets.items():
            path = ("targets", name, "webhook_secret_env")
            secret = self._named(path, target.webhook_secret_env, f"{name}.webhook_secret")
            if secret is not None:
                yield name, secret

    def _sink_urls(self) -> Iterator[tuple[str, SecretStr]]:
        for name, sink in self._settings.sinks.items():
            if (url := self._sink_url(("sinks", name), sink)) is not None:
                yield name, url

    def _sink_url(self, at: tuple[str, ...], sink: SinkSettings) -> SecretStr | None:
        if sink.url.get_secret_value():
            return sink.url
        if sink.url_file:
            try:
                return read_secret_file(Path(sink.url_file))
            except SecretUnreadableError as error:
                self._problems.append(Problem((*at, "url_file"), str(error)))
                return None
        url = self._named((*at, "url_env"), sink.url_env, f"{at[-1]}.url")
        if url is None and not sink.url_env:
            text = "no address is set; set url_env to the variable that holds it, url_file to a "
            text += "file that does, or url where nothing in it is secret"
            self._problems.append(Problem((*at, "url_env"), text, absent=True))
        return url

    def _named(
        self, path: tuple[str, ...], variable: str, *credentials: str, required: bool = True
    ) -> SecretStr | None:
        """The secret under any of its names; a named one that is missing is a problem."""
        try:
            secret = find_secret(self._environ, variable, credentials)
        except SecretUnreadableError as error:
            self._problems.append(Problem(path, str(error)))
            return None
        if secret is None and variable and required:
            text = f"the environment variable {spoken(variable)} is not set; set it"
            self._problems.append(Problem(path, text, absent=True))
        return secret
