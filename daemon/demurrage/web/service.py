"""What the HTTP face shows and touches, handed to it by whoever runs the daemon."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import SecretStr

from demurrage.eventlog.log import EventLog
from demurrage.model.plan import Mode
from demurrage.model.rules import Rules
from demurrage.model.webhook import WebhookOutcome
from demurrage.provider.budget import BudgetSnapshot
from demurrage.store.sqlstore import SqlStore

# A cycle that sweeps under a tight budget takes many intervals; a short interval makes no
# shorter patience than a minute.
_PATIENCE = 60.0
_INTERVALS = 6


class Wheel(Protocol):
    """What turns the cycles, as far as HTTP looks at it."""

    @property
    def statuses(self) -> Mapping[str, Mapping[str, Any]]:
        """By target, what its last cycle came to; plain data."""
        ...

    @property
    def turned_at(self) -> Mapping[str, float]:
        """By target, when its last cycle ended, on the event loop's clock."""
        ...

    def provider_time(self, target: str) -> float | None:
        """The time at a target's API, in epoch seconds; None while it is not known for certain."""
        ...

    def miss(self) -> None:
        """An event could not be taken in: until it is told again nothing is proven."""
        ...


@dataclass(frozen=True, slots=True)
class Service:
    """One daemon, seen from its doors.

    `rules` holds every target that is watched, by name. `started_at` is on the event loop's
    clock, `clock` gives epoch seconds. `budget` gives the call budget's figures of a target.
    `exposition` renders the metrics. `webhook_secrets` are the signing secrets of the targets that
    take webhooks; `on_webhook` is told what became of each. `runbooks_url` is where people find the
    runbooks; empty for their place in the project.
    """

    engine: Wheel
    store: SqlStore
    log: EventLog
    rules: Mapping[str, Rules]
    mode: Mode
    version: str
    started_at: float
    clock: Callable[[], float]
    budget: Callable[[str], BudgetSnapshot]
    exposition: Callable[[], bytes]
    on_webhook: Callable[[str, WebhookOutcome], None]
    webhook_secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    runbooks_url: str = ""

    @property
    def uptime(self) -> float:
        """Seconds since the start; asked for inside the event loop."""
        return asyncio.get_running_loop().time() - self.started_at

    def patience(self, target: str) -> float:
        """How old the last cycle of a target may be, in seconds."""
        return max(_PATIENCE, _INTERVALS * self.rules[target].watch.interval)

    def idle_for(self, target: str) -> float | None:
        """Seconds since the target's last cycle ended; None before the first."""
        turned_at = self.engine.turned_at.get(target)
        return None if turned_at is None else asyncio.get_running_loop().time() - turned_at
