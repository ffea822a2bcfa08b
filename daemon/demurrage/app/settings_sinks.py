"""The tables that say who is told of incidents."""

from typing import Literal

from pydantic import SecretStr

from demurrage.app.settings_types import USUAL_SEVERITIES, Section, Severities, Variable


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
    severities: Severities = USUAL_SEVERITIES
    """Warnings and pages: a notice is for whoever looks, and calls nobody."""
