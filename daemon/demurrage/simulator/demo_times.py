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
    SpikeRules,
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
# What counts as a rise, for many of the harbour's containers are orphans on a usual day; containers
# between two false alarms; and containers that make a habit.
_RISE_FACTOR = 1.2
_FALSE_ALARM_EVERY = 10_000.0
_PAST = 15
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


def spikes(speed: float) -> SpikeRules:
    """What counts as a spike in the demo, in real seconds.

    It lives for minutes, in which there is no day and no week: its past is short and soon learned,
    and it may be wrong more often.
    """
    shipped = SpikeRules()
    window = shipped.fast_window / speed
    return SpikeRules(
        fast_window=window,
        fast_confirm=shipped.fast_confirm / speed,
        slow_window=shipped.slow_window / speed,
        slow_confirm=shipped.slow_confirm / speed,
        rise_factor=_RISE_FACTOR,
        false_alarm_every=_FALSE_ALARM_EVERY,
        # The past is learned in pieces as long as the lag, and the first takes up to three.
        baseline_lag=window,
        baseline_minimum=window / 2,
        baseline_containers=_PAST,
        settle_within=shipped.settle_within / speed,
        cost_warning_usd_per_hour=shipped.cost_warning_usd_per_hour * speed,
        cost_page_usd_per_hour=shipped.cost_page_usd_per_hour * speed,
    )


def settings_text(place: Place, speed: float) -> str:
    """The settings file: two targets, one whose makers all log and one whose makers do not."""
    scaled, incidents, spike = rules(speed), IncidentRules(), spikes(speed)
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
fast_window = {spike.fast_window:g}
fast_confirm = {spike.fast_confirm:g}
slow_window = {spike.slow_window:g}
slow_confirm = {spike.slow_confirm:g}
rise_factor = {spike.rise_factor:g}
false_alarm_every = {spike.false_alarm_every:g}
baseline_lag = {spike.baseline_lag:g}
baseline_minimum = {spike.baseline_minimum:g}
baseline_containers = {spike.baseline_containers}
settle_within = {spike.settle_within:g}
cost_warning_usd_per_hour = {spike.cost_warning_usd_per_hour:g}
cost_page_usd_per_hour = {spike.cost_page_usd_per_hour:g}

[http]
bind = "127.0.0.1:{place.port}"
events_token_env = "{TOKEN_VARIABLE}"

[log]
format = "json"
{targets}"""


def _text(value: str) -> str:
    """A TOML string; JSON's are."""
    return json.dumps(value)
