"""One target: an API project or an Azure resource."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from demurrage.app.settings_sections import (
    BillingSettings,
    EvidenceSettings,
    PolicySettings,
    RailSettings,
    WatchSettings,
)
from demurrage.app.settings_service import CanarySettings
from demurrage.app.settings_types import (
    BaseUrl,
    HeaderValue,
    PositiveDuration,
    Section,
    Variable,
)

_USUAL_VARIABLE = {"openai": "OPENAI_API_KEY", "azure": "AZURE_OPENAI_API_KEY"}


class TargetSettings(Section):
    """One base URL, one key, its containers."""

    provider: Literal["openai", "azure"] = "openai"
    """OpenAI: where the leak was first seen."""
    auth: Literal["key", "entra"] = "key"
    """Key: works at both providers; `entra` (Azure) needs the `azure` extra."""
    base_url: BaseUrl = "https://api.openai.com/v1"
    """OpenAI's own address; an Azure target must name its resource's."""
    api_key_env: Variable = "OPENAI_API_KEY"
    """The variable that the SDK itself reads; `AZURE_OPENAI_API_KEY` for an Azure target."""
    api_key_file: str = ""
    """Empty: a file with the key, if given, goes before every other place."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 60
    """Sixty: a hundred a minute is all that an organisation has; the applications need some."""
    budget_group: str = ""
    """Empty: the target has its own call budget. Targets that name one group share one."""
    webhook_secret_env: Variable = ""
    """Empty: no webhooks are accepted for the target."""
    beta_header: HeaderValue = ""
    """Empty: deletes have been seen to work without an `OpenAI-Beta` header; one report says
    that they need `containers=v1`."""
    timeout: PositiveDuration = 20.0
    """Twenty seconds for one call: two cycles; listings have been seen to hang."""
    proxy: SecretStr = SecretStr("")
    """Empty: what `HTTPS_PROXY` and `NO_PROXY` say, as for the SDK in the applications. A
    proxy's URL may hold a password, so it is never shown."""
    ca_file: str = ""
    """Empty: the operating system's certificates."""

    watch: WatchSettings = Field(default_factory=WatchSettings)
    """What differs from `[watch]` for this target."""
    evidence: EvidenceSettings = Field(default_factory=EvidenceSettings)
    """What differs from `[evidence]` for this target: coverage is a word about one project."""
    policy: PolicySettings = Field(default_factory=PolicySettings)
    """What differs from `[policy]` for this target."""
    rails: RailSettings = Field(default_factory=RailSettings)
    """What differs from `[rails]` for this target."""
    billing: BillingSettings = Field(default_factory=BillingSettings)
    """What differs from `[billing]` for this target: prices are set per provider."""
    canary: CanarySettings = Field(default_factory=CanarySettings)
    """What differs from `[canary]` for this target: each provider has its own models."""

    @property
    def key_variable(self) -> str:
        """The environment variable that holds the key; each provider has its usual one."""
        if "api_key_env" in self.model_fields_set and self.api_key_env:
            return self.api_key_env
        return _USUAL_VARIABLE[self.provider]
