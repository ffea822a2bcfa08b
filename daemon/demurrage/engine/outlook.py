"""Watching the cycles from outside: one that hangs, or is never complete, cannot say so itself."""

import asyncio

from demurrage.engine.engine import Engine
from demurrage.model.condition import Condition, ConditionKind, Severity

# Seconds without a complete cycle. A long first listing, or a sweep under a tight budget, takes
# minutes; past this, containers run beyond their floor and nobody looks.
STALE = 600.0
_INTERVALS = 30


class Outlook:
    """Looks at all targets of one engine, from its making on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._since: float | None = None

    async def look(self) -> None:
        """Say of each target whether its cycles come to their end; to be called now and then."""
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        for name, target in self._engine.targets.items():
            age = now - self._engine.completed_at.get(name, self._since)
            patience = max(STALE, _INTERVALS * target.rules.watch.interval)
            stale = [_stale(name, age)] if age > patience else []
            await self._engine.note(name, stale, {ConditionKind.CYCLE_STALE})


def _stale(target: str, age: float) -> Condition:
    summary = (
        f"no cycle has been complete for {age / 60:.0f} minutes; nothing is decided meanwhile, "
        "and nothing deleted"
    )
    return Condition(ConditionKind.CYCLE_STALE, target, summary, Severity.PAGE)
