"""The sinks of the settings, each with its courier."""

import re
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import unquote

from demurrage.alerts.courier import Accounts, Courier, Told
from demurrage.alerts.dispatch import Dispatch
from demurrage.alerts.notice import Scribe
from demurrage.alerts.sink import Sink, Unusable
from demurrage.app.settings import Settings
from demurrage.app.settings_checks import SENTRY
from demurrage.app.settings_service import SentrySettings
from demurrage.app.settings_sinks import SinkSettings
from demurrage.model.error import SettingsError
from demurrage.observe.redact import Redactor

if TYPE_CHECKING:
    from demurrage.alerts.checkins import CheckIns
    from demurrage.alerts.sentry_client import SentryClient

# A part of an address that may be a token: long, and neither a plain word, a host nor a number.
_TOKEN = re.compile(r"(?![\d.]+$)(?=.*[A-Z\d]).{8,}")


def sink_names(settings: Settings) -> tuple[str, ...]:
    """All sinks; a DSN makes one more than the settings name."""
    return (*settings.sinks, *([SENTRY] if settings.secrets.sentry_dsn else []))


def dispatch(
    settings: Settings,
    accounts: Accounts,
    redactor: Redactor,
    on_told: Told,
    clock: Callable[[], float] = time.time,
) -> Dispatch:
    """Couriers for all sinks; they begin when they are started."""
    scribe = Scribe(redactor, settings.alerts.runbooks_url)
    return Dispatch(
        [
            Courier(
                name,
                sink(settings, name, redactor),
                severities=frozenset(_table(settings, name).severities),
                accounts=accounts,
                scribe=scribe,
                on_told=on_told,
                clock=clock,
            )
            for name in sink_names(settings)
        ]
    )


def sink(settings: Settings, name: str, redactor: Redactor) -> Sink:
    """One sink; one that cannot be made fails when it is told, and keeps nobody from working."""
    try:
        if name == SENTRY:
            return _sentry(settings, redactor)
        url = settings.secrets.sink_urls[name].get_secret_value()
        if settings.sinks[name].type == "alertmanager":
            from demurrage.alerts.alertmanager import Alertmanager  # noqa: PLC0415 - who uses it

            return Alertmanager(url)
        from demurrage.alerts.apprise import AppriseSink  # noqa: PLC0415 - likewise

        return AppriseSink(url)
    except SettingsError as error:
        return Unusable(str(error))


def check_ins(settings: Settings, redactor: Redactor) -> "CheckIns | None":
    """What tells Sentry that cycles end; None where nobody wants to know."""
    if settings.secrets.sentry_dsn is None or not settings.sentry.check_ins:
        return None
    from demurrage.alerts.checkins import CheckIns  # noqa: PLC0415 - likewise

    return CheckIns(_client(settings, redactor))


def release(settings: Settings) -> str:
    """What Sentry is told that runs."""
    return settings.sentry.release or f"demurrage@{version('demurrage')}"


def _table(settings: Settings, name: str) -> SinkSettings | SentrySettings:
    return settings.sentry if name == SENTRY else settings.sinks[name]


def _sentry(settings: Settings, redactor: Redactor) -> Sink:
    from demurrage.alerts.sentry_issues import SentryIssues  # noqa: PLC0415 - likewise
    from demurrage.alerts.sentry_sink import SentrySink  # noqa: PLC0415 - likewise

    client = _client(settings, redactor)
    token = settings.secrets.sentry_token
    issues = None
    if token is not None:
        url = settings.sentry.api_url
        issues = SentryIssues(url, token.get_secret_value(), client.project)
    return SentrySink(client, issues)


def _client(settings: Settings, redactor: Redactor) -> "SentryClient":
    from demurrage.alerts.sentry_client import SentryClient  # noqa: PLC0415 - likewise

    dsn = settings.secrets.sentry_dsn
    return SentryClient(
        dsn.get_secret_value() if dsn else "",
        settings.sentry.environment,
        release(settings),
        redactor,
    )


def secret_parts(settings: Settings) -> list[str]:
    """The addresses of all sinks, and those of their parts that may be tokens: for the redactor."""
    found = []
    secrets = settings.secrets
    dsn = [secrets.sentry_dsn] if secrets.sentry_dsn else []
    for url in (each.get_secret_value() for each in (*secrets.sink_urls.values(), *dsn)):
        _, _, rest = url.partition("://")
        login, at, _ = rest.rpartition("@")
        password = login.partition(":")[2] if at else ""
        parts = [each for each in re.split(r"[/:@?&=+,;#]", rest) if _TOKEN.fullmatch(each)]
        found += [url, *(unquote(each) for each in (password, *parts)), password, *parts]
    return [each for each in found if each]
