"""What no single key can say: whether the settings fit each other and the machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from demurrage.app.settings_problems import Problem, dotted
from demurrage.app.settings_secrets import Secrets
from demurrage.app.settings_tree import Settings

# The sink that is set up by a DSN, under its own table.
SENTRY = "sentry"
_SECTIONS = ("watch", "evidence", "policy", "rails", "billing")


def problems_between(settings: Settings) -> list[Problem]:
    """All contradictions between keys, in the order of the file."""
    return [
        *_database(settings),
        *_names(settings),
        *_targets(settings),
        *_rules(settings),
        *_retention(settings),
        *_alerts(settings),
        *_sinks(settings),
    ]


def open_doors(settings: Settings, secrets: Secrets) -> list[Problem]:
    """Whether the HTTP API would be open to more than its tokens allow."""
    events, admin = secrets.events_token, secrets.admin_token
    found = []
    if not settings.http.address.loopback:
        for key, token in (("events_token_env", events), ("admin_token_env", admin)):
            if token is None:
                text = "needs a token, for http.bind is not loopback: name the variable with it"
                found.append(Problem(("http", key), text))
    if events and admin and events.get_secret_value() == admin.get_secret_value():
        text = "must differ from the events token, or every application could resume a hold"
        found.append(Problem(("http", "admin_token_env"), text))
    return found


def event_folder(settings: Settings) -> list[Problem]:
    """Whether the folder of event files is there, for those who are to read it."""
    folder = settings.events.folder
    if not folder:
        return []
    at = ("events", "folder")
    if not Path(folder).is_absolute():
        return [Problem(at, "must be an absolute path, the same for every program that logs")]
    if not os.path.isdir(folder):  # noqa: PTH112 - Path.is_dir() raises where it may not look
        return [Problem(at, "no such folder; make it, or leave the key empty")]
    if not os.access(folder, os.R_OK | os.X_OK):
        return [Problem(at, "cannot be read by this user; let its group read it")]
    return []


def twins(settings: Settings, secrets: Secrets) -> list[Problem]:
    """Targets that are one project.

    Each would look at the other's containers without what is logged of those that use them.
    """
    seen: dict[tuple[str, str], str] = {}
    found = []
    for name, target in settings.targets.items():
        key = secrets.api_keys.get(name)
        # At Azure the address is the resource, whoever opens it.
        opened_by = key.get_secret_value() if key and target.provider == "openai" else ""
        project = (target.base_url.rstrip("/"), opened_by)
        if (other := seen.setdefault(project, name)) != name:
            text = f"is the same project as targets.{dotted([other])}; name each project once"
            found.append(Problem(("targets", name), text))
    return found


def sink_addresses(secrets: Secrets, settings: Settings) -> list[Problem]:
    """Whether the addresses of the sinks are some; none is ever quoted."""
    text = "the address must be like http://alertmanager:9093, maybe with user and password"
    return [
        Problem(("sinks", name), text)
        for name, url in secrets.sink_urls.items()
        if settings.sinks[name].type == "alertmanager" and not _is_web(url.get_secret_value())
    ]


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _sinks(settings: Settings) -> Iterator[Problem]:
    if bool(settings.sentry.api_url) != bool(settings.sentry.api_token_env):
        missing = "api_token_env" if settings.sentry.api_url else "api_url"
        yield Problem(("sentry", missing), "is missing: issues are ended with both or with neither")
    if SENTRY in settings.sinks:
        text = "this name is that of the sink which [sentry] sets up; choose another"
        yield Problem(("sinks", SENTRY), text)
    seen: dict[str, str] = {}
    for name, sink in settings.sinks.items():
        places = (sink.url.get_secret_value(), sink.url_env, sink.url_file)
        if sum(map(bool, places)) > 1:
            text = "give one of url, url_env and url_file, not several"
            yield Problem(("sinks", name), text)
        folded = name.lower().replace("-", "_").replace(".", "_")
        if (other := seen.setdefault(folded, name)) != name:
            text = f"cannot be told from sinks.{dotted([other])} in the environment; rename one"
            yield Problem(("sinks", name), text)


def _alerts(settings: Settings) -> Iterator[Problem]:
    alerts = settings.alerts
    for less, more in (
        ("fast_confirm", "fast_window"),
        ("slow_confirm", "slow_window"),
        ("fast_window", "slow_window"),
        ("fast_window", "baseline_lag"),
        ("baseline_minimum", "baseline"),
        ("cost_warning_usd_per_hour", "cost_page_usd_per_hour"),
    ):
        if getattr(alerts, less) > getattr(alerts, more):
            yield Problem(("alerts", less), f"must not be above alerts.{more}")


def _database(settings: Settings) -> Iterator[Problem]:
    url = settings.database_url.get_secret_value()
    if url and not url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:")):
        text = "must open with sqlite:/// (a path follows) or postgresql://"
        yield Problem(("database_url",), text)


def _names(settings: Settings) -> Iterator[Problem]:
    if not settings.targets:
        yield Problem(("targets",), "none is set; add a [targets.default] table or OPENAI_API_KEY")
    seen: dict[str, str] = {}
    for name in settings.targets:
        folded = name.lower().replace("-", "_").replace(".", "_")
        if (other := seen.setdefault(folded, name)) != name:
            text = f"cannot be told from targets.{dotted([other])} in the environment; rename one"
            yield Problem(("targets", name), text)


def _targets(settings: Settings) -> Iterator[Problem]:
    shared: dict[str, str] = {}
    for name, target in settings.targets.items():
        at = ("targets", name)
        given = target.model_fields_set
        if target.provider == "azure":
            address = urlsplit(target.base_url)
            bare = "/openai/" not in f"{address.path}/"
            if "base_url" not in given or (
                bare and (address.hostname or "").endswith(".openai.azure.com")
            ):
                text = 'must be like "https://RESOURCE.openai.azure.com/openai/v1/" for Azure'
                yield Problem((*at, "base_url"), text)
        elif target.auth == "entra":
            yield Problem(
                (*at, "auth"), 'entra is Azure\'s: set provider = "azure", or auth = "key"'
            )
        if target.ca_file and not Path(target.ca_file).is_file():
            yield Problem((*at, "ca_file"), "no such file; give the path of a PEM bundle")
        first = shared.setdefault(settings.budget_group(name), name)
        if target.requests_per_minute != settings.targets[first].requests_per_minute:
            text = f"must equal that of targets.{dotted([first])}: they share one budget_group"
            yield Problem((*at, "requests_per_minute"), text)


def _rules(settings: Settings) -> Iterator[Problem]:
    reported: set[tuple[str, ...]] = set()
    for name, target in settings.targets.items():
        for (section, key), text in _misfits(settings, name):
            own = any(key in getattr(target, table).model_fields_set for table in _SECTIONS)
            path = ("targets", name, section, key) if own else (section, key)
            if path not in reported:
                reported.add(path)
                yield Problem(path, text)


def _misfits(settings: Settings, target: str) -> Iterator[tuple[tuple[str, str], str]]:
    rules = settings.rules(target)
    if rules.watch.interval > rules.watch.overlap:
        yield ("watch", "overlap"), "must be at least watch.interval, or births are overlooked"
    if rules.policy.sweep_lead >= rules.billing.minimum:
        text = "must be shorter than billing.minimum, of which it is a part"
        yield ("policy", "sweep_lead"), text
    if rules.rails.hourly_floor > rules.rails.hourly_ceiling:
        yield ("rails", "hourly_floor"), "must not exceed rails.hourly_ceiling"


def _retention(settings: Settings) -> Iterator[Problem]:
    kept = settings.retention
    if kept.deletions < max(kept.verdicts, kept.events):
        text = "must be at least as long as retention.verdicts and retention.events"
        yield Problem(("retention", "deletions"), text)
