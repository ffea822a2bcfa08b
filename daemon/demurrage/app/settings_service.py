"""The tables that say how the daemon serves, logs, keeps and reports."""

from typing import Annotated, Literal

from pydantic import Field

from demurrage.app.settings_types import (
    USUAL_SEVERITIES,
    Address,
    ListenAddress,
    OptionalAddress,
    OptionalDuration,
    OptionalUrl,
    PositiveDuration,
    Section,
    Severities,
    Variable,
    parse_address,
)
from demurrage.model.rules import RetentionRules


class EventSettings(Section):
    """Where applications can leave events besides the HTTP API."""

    folder: str = ""
    """Empty: none. Whoever may write there can speak for any application, so sharing a folder is
    the operator's choice."""


class HttpSettings(Section):
    """The daemon's own HTTP API."""

    bind: ListenAddress = "127.0.0.1:9470"
    """Loopback: whoever can append events can make containers look released, so anything else
    requires tokens."""
    socket: str = ""
    """Empty: no Unix socket for events. Who may open it may also end things, so its file's mode
    is a guard: owner and group only."""
    ops_bind: OptionalAddress = ""
    """Empty: probes and metrics are served on `bind` alone."""
    events_token_env: Variable = ""
    """Empty: on loopback, anyone on the machine may append events, but for those that end things
    (`container.released`, `conversation.ended`): these need the token, or the Unix socket."""
    admin_token_env: Variable = ""
    """Empty: on loopback, anyone on the machine may read; nobody may resume a hold over HTTP."""

    @property
    def address(self) -> Address:
        """`bind`, taken apart."""
        return parse_address(self.bind)

    @property
    def ops_address(self) -> Address | None:
        """`ops_bind`, taken apart; None when it is empty."""
        return parse_address(self.ops_bind) if self.ops_bind else None


class LogSettings(Section):
    """What the daemon writes to its standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Info: changes and a summary every five minutes; debug adds every cycle."""
    format: Literal["auto", "json", "console"] = "auto"
    """Auto: readable lines on a terminal, JSON anywhere else."""


class RetentionSettings(Section):
    """How long the store keeps what no living container needs any more."""

    verdicts: PositiveDuration = 14 * 86400.0
    """Two weeks: long enough to ask, after a holiday, why something was kept."""
    events: PositiveDuration = 7 * 86400.0
    """A week: well past the three days for which webhooks are repeated, so that what they tell of
    is still known. The daemon holds it in memory, too, four to five kB a response. Evidence about
    the living stays regardless."""
    deletions: PositiveDuration = 365 * 86400.0
    """A year: the audit of what was deleted and why is kept longest."""

    def rules(self) -> RetentionRules:
        """The plain values."""
        return RetentionRules(**self.model_dump())


class CanarySettings(Section):
    """Experiments that tell how a provider behaves where no document does; each costs money."""

    every: OptionalDuration = None
    """Empty: none is made unless a person runs `demurrage canary`, for they cost money."""
    model: Annotated[str, Field(min_length=1, max_length=128)] = "gpt-5-mini"
    """A small model: it has to say hello and to multiply, and the cheapest that knows the tools
    will do. At Azure this is the name of a deployment."""


class SentrySettings(Section):
    """Where the daemon's own errors and the incidents go."""

    dsn_env: Variable = "SENTRY_DSN"
    """The usual variable; while it is not set, nothing of Sentry is even loaded."""
    environment: str = ""
    """Empty: Sentry's own default, production."""
    release: str = ""
    """Empty: demurrage and its version."""
    severities: Severities = USUAL_SEVERITIES
    """Warnings and pages, as for every sink: a notice is for whoever looks."""
    check_ins: bool = True
    """True: only from outside can be seen that the daemon hangs or is gone."""
    api_url: OptionalUrl = ""
    """Empty: an incident's end is one more event of its issue, for a DSN can end none."""
    api_token_env: Variable = ""
    """Empty: there is no token without an API to use it at."""
