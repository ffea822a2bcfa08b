"""How one target's API is reached, as a value that never shows its secrets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from demurrage.model.error import SettingsError

# Called before every request; must hold its own cache (see `entra`).
TokenProvider = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Connection:
    """What it takes to call one target.

    `base_url` ends where `/containers` begins: `https://api.openai.com/v1`, or
    `https://RESOURCE.openai.azure.com/openai/v1/`. `api_key` is the key itself, or a callable
    that yields a token. `timeout` bounds a whole call, seconds. `proxy` is a URL, which may
    carry credentials. `ca_file` replaces the trusted authorities. `beta_header` is sent as
    `OpenAI-Beta` with every call, when not empty.

    Raises:
        SettingsError: the base URL is no absolute http(s) URL, or carries credentials: URLs
            are logged, by HTTP libraries too, so a secret has no place in one.
    """

    provider: Literal["openai", "azure"]
    base_url: str
    api_key: str | TokenProvider = field(repr=False)
    timeout: float = 20.0
    proxy: str = field(default="", repr=False)
    ca_file: str = ""
    beta_header: str = ""

    def __post_init__(self) -> None:
        """Check what would otherwise fail on the first call, or leak."""
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError("base_url must be an absolute http or https URL")
        if parts.username is not None or parts.password is not None:
            raise SettingsError("base_url must not carry credentials; the key has its own setting")
        if parts.query or parts.fragment:
            raise SettingsError("base_url must end with its path, without a query or fragment")
        if not self.api_key:
            raise SettingsError("the API key is empty")
