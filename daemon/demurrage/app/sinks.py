"""The sinks of the settings, each with its courier."""

import re
import time
from collections.abc import Callable
from urllib.parse import unquote

from demurrage.alerts.courier import Accounts, Courier, Told
from demurrage.alerts.dispatch import Dispatch
from demurrage.alerts.notice import Scribe
from demurrage.alerts.sink import Sink, Unusable
from demurrage.app.settings import Settings
from demurrage.model.error import SettingsError
from demurrage.observe.redact import Redactor

# A part of an address that may be a token: long, and neither a plain word, a host nor a number.
_TOKEN = re.compile(r"(?![\d.]+$)(?=.*[A-Z\d]).{8,}")


def dispatch(
    settings: Settings,
    accounts: Accounts,
    redactor: Redactor,
    on_told: Told,
    clock: Callable[[], float] = time.time,
) -> Dispatch:
    """Couriers for all sinks; they begin when they are started."""
    scribe = Scribe(redactor)
    return Dispatch(
        [
            Courier(
                name,
                sink(settings, name),
                severities=frozenset(settings.sinks[name].severities),
                accounts=accounts,
                scribe=scribe,
                on_told=on_told,
                clock=clock,
            )
            for name in settings.sinks
        ]
    )


def sink(settings: Settings, name: str) -> Sink:
    """One sink; one that cannot be made fails when it is told, and keeps nobody from working."""
    url = settings.secrets.sink_urls[name].get_secret_value()
    try:
        if settings.sinks[name].type == "alertmanager":
            from demurrage.alerts.alertmanager import Alertmanager  # noqa: PLC0415 - who uses it

            return Alertmanager(url)
        from demurrage.alerts.apprise import AppriseSink  # noqa: PLC0415 - likewise

        return AppriseSink(url)
    except SettingsError as error:
        return Unusable(str(error))


def secret_parts(settings: Settings) -> list[str]:
    """The addresses of the sinks, and those of their parts that may be tokens: for the redactor."""
    found = []
    for url in (each.get_secret_value() for each in settings.secrets.sink_urls.values()):
        _, _, rest = url.partition("://")
        login, at, _ = rest.rpartition("@")
        password = login.partition(":")[2] if at else ""
        parts = [each for each in re.split(r"[/:@?&=+,;#]", rest) if _TOKEN.fullmatch(each)]
        found += [url, *(unquote(each) for each in (password, *parts)), password, *parts]
    return [each for each in found if each]
