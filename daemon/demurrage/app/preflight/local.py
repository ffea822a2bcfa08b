"""What this machine alone can tell."""

import os

from demurrage.app.preflight.check import Check, Grade
from demurrage.app.preflight.files import event_files, secret_files
from demurrage.app.preflight.state import state_checks
from demurrage.app.settings import Settings, door_problems, unusable_secrets
from demurrage.app.settings_sections import DEFAULT_PRICES
from demurrage.app.settings_target import TargetSettings
from demurrage.model.plan import Mode


def local_checks(settings: Settings) -> list[Check]:
    """All that this machine alone can tell."""
    names = ", ".join(sorted(settings.targets))
    found = [
        Check("settings", Grade.PASS, f"mode {settings.mode}, targets: {names}"),
        *state_checks(settings),
        *event_files(settings),
        *secret_files(settings),
        *_secrets(settings),
        *_doors(settings),
    ]
    for name in settings.targets:
        found += [*_address(settings, name), *_sanity(settings, name), *_prices(settings, name)]
    return found


def _secrets(settings: Settings) -> list[Check]:
    """Places of secrets that are there and hold none, as a file that waits to be filled in."""
    advice = "write the secret into it; the daemon does not start so"
    return [
        Check("secrets", Grade.FAIL, line, advice)
        for line in unusable_secrets(settings, os.environ)
    ]


def _doors(settings: Settings) -> list[Check]:
    """Whether the tokens of the HTTP API are there, as far as the settings ask for them."""
    problems = door_problems(settings, os.environ)
    return [Check("http", Grade.FAIL, line, "the daemon does not start so") for line in problems]


def _address(settings: Settings, name: str) -> list[Check]:
    """The SDK's variable, which applications obey, beside a target that stays at OpenAI's own."""
    default = TargetSettings.model_fields["base_url"].default
    elsewhere = os.environ.get("OPENAI_BASE_URL", default).rstrip("/") not in ("", default)
    if not elsewhere or settings.targets[name].base_url != default:
        return []
    finding = (
        "OPENAI_BASE_URL names another address; it is read only where no settings name a target"
    )
    advice = f"set targets.{name}.base_url if this target's API is there, else unset the variable"
    return [Check(f"{name}: address", Grade.WARN, finding, advice)]


def _sanity(settings: Settings, name: str) -> list[Check]:
    """Settings that are valid, and yet may not be what was meant."""
    rules, enforce = settings.rules(name), settings.mode is Mode.ENFORCE
    partial = rules.evidence.coverage == "partial"
    if rules.policy.unproven == "delete":
        finding = 'policy.unproven = "delete": containers are deleted without proof'
        advice = "a conversation may lose its container; keep it only if you accept that"
        return [Check(f"{name}: policy", Grade.WARN, finding, advice)]
    if enforce and partial:
        finding = "mode is enforce but coverage is partial: nothing is ever deleted"
        advice = 'set evidence.coverage = "complete" once every maker logs'
        return [Check(f"{name}: policy", Grade.WARN, finding, advice)]
    coverage = rules.evidence.coverage
    finding = f"mode {settings.mode}, coverage {coverage}: only what is proven is ever due"
    return [Check(f"{name}: policy", Grade.PASS, finding)]


def _prices(settings: Settings, name: str) -> list[Check]:
    """Tiers that the price list names and nobody has heard of; new ones may well come."""
    strange = sorted(settings.rules(name).billing.usd_per_minute.keys() - DEFAULT_PRICES.keys())
    if not strange:
        return []
    finding = f"billing.usd_per_minute prices tiers not known so far: {', '.join(strange)}"
    return [Check(f"{name}: prices", Grade.WARN, finding, "see that they are written as listed")]
