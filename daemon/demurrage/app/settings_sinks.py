"""The tables that say who is told of incidents."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from demurrage.app.settings_types import Section, Variable
from demurrage.model.condition import Severity


def _parse_severities(value: Any) -> Any:
    # One string is how an environment variable says a short list.
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Severities = Annotated[
    tuple[Severity, ...], BeforeValidator(_parse_severities), Field(min_length=1)
]
USUAL = (Severity.WARNING, Severity.PAGE)


class SinkSettings(Section):
    """One sink of incidents. Its address comes from one of three places."""

    type: Literal["alertmanager", "apprise"]
    """No default: a sink is either Prometheus' Alertmanager, or one of the many services that
    Apprise reaches."""
    url: SecretStr = SecretStr("")
    """Empty: the address is a secret, as those of most services are, and comes from elsewhere.
    It is never shown wherever it comes from."""
    url_env: Variable = ""
    """Empty: no variable holds the address."""
    url_file: str = ""
    """Empty: no file holds the address; it goes before the variable."""
    severities: Severities = USUAL
    """Warnings and pages: a notice is for whoever looks, and calls nobody."""
