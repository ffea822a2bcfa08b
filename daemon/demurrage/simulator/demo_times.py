"""The demo's settings: the shipped times, so many times faster, for the daemon's own file."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_urlsafe

from demurrage.model.rules import (
    BillingRules,
    EvidenceRules,
    IncidentRules,
    PolicyRules,
    Rules,
    WatchRules,
)

COMPLETE, PARTIAL = "default", "legacy"
KEY_VARIABLE = "DEMO_API_KEY"
TOKEN_VARIABLE = "DEMO_EVENTS_TOKEN"  # noqa: S105 - a name, no token

# Container times are whole seconds, heartbeats and deliveries take real time: these do not
# shrink any further, however fast the demo runs.
_LEAST_INTERVAL = 0.8
_LEAST_OVERLAP = 5.0
_LEAST_SKEW = 0.5
_LEAST_EVENT_DELAY = 4.0
_LEAST_TIMEOUT = 10.0
_LEAST_TOLERANCE = 1.0
# Calls a minute, as shipped.
_CALLS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where the demo's parts find each other.

    `harbours` are the API roots by target, `port` is where the daemon will listen; with `token`
    applications show that they are some.
    """

    folder: Path
    harbours: dict[str, str]
    port: int
    token: str = field(default_factory=token_urlsafe, repr=False)

    @property
    def config(self) -> Path:
        """The settings file."""
        return self.folder / "demurrage.toml"

    @property
    def database_url(self) -> str:
        """The store."""
        return f"sqlite:///{self.folder / 'demurrage.db'}"

    @property
    def url(self) -> str:
        """The daemon's HTTP API."""
        return f"http://127.0.0.1:{self.port}"


def rules(speed: float) -> Rules:
    """The shipped defaults as the demo's daemon has them, in real seconds.

    What whole seconds and real deliveries bound stays above them. Prices rise by as much as
    times shrink, so that dollars are those of the nominal times.
    """
    shipped = Rules()
    evidence, policy, billing, watch = (
        shipped.evidence,
        shipped.policy,
        shipped.billing,
        shipped.watch,
    )

    def scaled(seconds: float, least: float = 0.0) -> float:
        return round(max(seconds / speed, least), 3)

    interval = scaled(watch.interval, _LEAST_INTERVAL)
    return Rules(
        evidence=EvidenceRules(
            max_birth_delay=scaled(evidence.max_birth_delay),
            max_event_delay=scaled(evidence.max_event_delay, _LEAST_EVENT_DELAY),
            clock_skew=scaled(evidence.clock_skew, _LEAST_SKEW),
            writer_timeout=scaled(evidence.writer_timeout, _LEAST_TIMEOUT),
            activity_tolerance=scaled(evidence.activity_tolerance, _LEAST_TOLERANCE),
        ),
        policy=PolicyRules(
            idle_after=scaled(policy.idle_after),
            sweep_lead=scaled(policy.sweep_lead, 3 * interval),
            unproven_after=scaled(policy.unproven_after),
        ),
        billing=BillingRules(
            minimum=scaled(billing.minimum),
            tick=scaled(billing.tick),
            idle_expiry=scaled(billing.idle_expiry),
            usd_per_minute={
                tier: round(usd * speed, 6) for tier, usd in billing.usd_per_minute.items()
            },
        ),
        watch=WatchRules(
            interval=interval,
            overlap=scaled(watch.overlap, _LEAST_OVERLAP),
            reconcile_interval=scaled(watch.reconcile_interval, _LEAST_OVERLAP),
        ),
    )


def settings_text(place: Place, speed: float) -> str:
    """The settings file: two targets, one whose makers all log and one whose makers do not."""
    scaled, incidents = rules(speed), IncidentRules()
    evidence, policy, billing, watch = (
        scaled.evidence,
        scaled.policy,
        scaled.billing,
        scaled.watch,
    )
    prices = ", ".join(f'"{tier}" = {usd:g}' for tier, usd in billing.usd_per_minute.items())
    targets = "".join(
        f"""
[targets.{name}]
base_url = {_text(base_url)}
api_key_env = "{KEY_VARIABLE}"
requests_per_minute = {round(_CALLS * speed)}

[targets.{name}.evidence]
coverage = "{"complete" if name == COMPLETE else "partial"}"
"""
        for name, base_url in place.harbours.items()
    )
    return f"""# Written by `demurrage demo`: times run {speed:g} times faster than life.
mode = "enforce"
database_url = {_text(place.database_url)}

[watch]
interval = {watch.interval:g}
overlap = {watch.overlap:g}
reconcile_interval = {watch.reconcile_interval:g}

[evidence]
max_birth_delay = {evidence.max_birth_delay:g}
max_event_delay = {evidence.max_event_delay:g}
clock_skew = {evidence.clock_skew:g}
writer_timeout = {evidence.writer_timeout:g}
activity_tolerance = {evidence.activity_tolerance:g}

[policy]
idle_after = {policy.idle_after:g}
sweep_lead = {policy.sweep_lead:g}
unproven_after = {policy.unproven_after:g}

[billing]
minimum = {billing.minimum:g}
tick = {billing.tick:g}
idle_expiry = {billing.idle_expiry:g}
usd_per_minute = {{ {prices} }}

[alerts]
patience = {incidents.patience / speed:g}
quiet = {incidents.quiet / speed:g}

[http]
bind = "127.0.0.1:{place.port}"
events_token_env = "{TOKEN_VARIABLE}"

[log]
format = "json"
{targets}"""


def _text(value: str) -> str:
    """A TOML string; JSON's are."""
    return json.dumps(value)
