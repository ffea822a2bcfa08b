"""The settings: one frozen tree, read once at start.

`settings` reads it; building one by hand reads nothing and checks only types.
"""

from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from demurrage.app.settings_alerts import AlertSettings
from demurrage.app.settings_secrets import Secrets
from demurrage.app.settings_sections import (
    BillingSettings,
    EvidenceSettings,
    PolicySettings,
    RailSettings,
    WatchSettings,
)
from demurrage.app.settings_service import (
    CanarySettings,
    EventSettings,
    HttpSettings,
    LogSettings,
    RetentionSettings,
    SentrySettings,
)
from demurrage.app.settings_sinks import SinkSettings
from demurrage.app.settings_target import TargetSettings
from demurrage.app.settings_types import Section, SinkName, TargetName
from demurrage.model.plan import Mode
from demurrage.model.rules import Rules

_S = TypeVar("_S", bound=Section)


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        case_sensitive=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    mode: Mode = Mode.OBSERVE
    """Observe: deleting starts with a person's decision, never with a default."""
    database_url: SecretStr = SecretStr("")
    """Empty: SQLite in `$STATE_DIRECTORY`, else in the user's state folder. A URL may hold a
    password, so it is never shown."""
    targets: dict[TargetName, TargetSettings] = Field(default_factory=dict)
    """None: without any file, `OPENAI_API_KEY` implies one named `default`."""
    watch: WatchSettings = Field(default_factory=WatchSettings)
    """How often targets are listed."""
    evidence: EvidenceSettings = Field(default_factory=EvidenceSettings)
    """What counts as proof."""
    policy: PolicySettings = Field(default_factory=PolicySettings)
    """What is done with what is proven."""
    rails: RailSettings = Field(default_factory=RailSettings)
    """The guards that can hold a sweep."""
    billing: BillingSettings = Field(default_factory=BillingSettings)
    """How containers are billed."""
    events: EventSettings = Field(default_factory=EventSettings)
    """Where events come from besides HTTP."""
    http: HttpSettings = Field(default_factory=HttpSettings)
    """The daemon's own HTTP API."""
    log: LogSettings = Field(default_factory=LogSettings)
    """What the daemon writes."""
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    """How long the store keeps things."""
    canary: CanarySettings = Field(default_factory=CanarySettings)
    """Paid experiments."""
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    """Detection."""
    sentry: SentrySettings = Field(default_factory=SentrySettings)
    """Where the daemon's own errors go."""
    sinks: dict[SinkName, SinkSettings] = Field(default_factory=dict)
    """None: incidents are in the log, in `demurrage incidents` and in the metrics; whom else to
    tell is the operator's to say."""

    _secrets: Secrets = PrivateAttr(default_factory=Secrets)
    _state_folder: Path | None = PrivateAttr(default=None)

    sources: ClassVar[tuple[PydanticBaseSettingsSource, ...]] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments and `sources` only: nothing is read that was not handed in."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings, *cls.sources)

    def with_secrets(self, secrets: Secrets, state_folder: Path) -> "Settings":
        """The same settings, holding these secrets, on a host with this folder for state."""
        held = self.model_copy()
        # Our own kind, not yet handed to anyone.
        held._secrets, held._state_folder = secrets, state_folder  # noqa: SLF001
        return held

    @property
    def state_folder(self) -> Path | None:
        """What this host remembers is kept here; it need not be there yet."""
        return self._state_folder

    @property
    def secrets(self) -> Secrets:
        """What was found at start, by the names that the settings give."""
        return self._secrets

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the store, the default applied. It may hold a password."""
        url = self._secrets.database_url or self.database_url
        return url.get_secret_value()

    def rules(self, target: str) -> Rules:
        """The plain values by which one target's containers are judged."""
        own = self.targets[target]
        return Rules(
            evidence=_overlay(self.evidence, own.evidence).rules(),
            policy=_overlay(self.policy, own.policy).rules(),
            rails=_overlay(self.rails, own.rails).rules(),
            billing=_overlay(self.billing, own.billing).rules(),
            watch=_overlay(self.watch, own.watch).rules(),
        )

    def canary_of(self, target: str) -> CanarySettings:
        """What holds for one target's experiments."""
        return _overlay(self.canary, self.targets[target].canary)

    def budget_group(self, target: str) -> str:
        """The call budget that a target draws on: its own unless it names a shared one."""
        return self.targets[target].budget_group or target


def _overlay(common: _S, own: _S) -> _S:
    """The common table, with the keys that a target's own table sets in their place."""
    changes = {key: getattr(own, key) for key in own.model_fields_set}
    for key, value in changes.items():
        if isinstance(value, dict):
            changes[key] = getattr(common, key) | value
    return common.model_copy(update=changes)
