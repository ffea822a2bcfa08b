"""All couriers together: woken by the engine's hook, and watched for those that fail."""

import time
from collections.abc import Sequence

from demurrage.alerts.courier import Courier
from demurrage.engine.fan import Fan
from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.incident import Incident, IncidentChanges

# Seconds that the end of the daemon waits for what is on its way to sinks.
_PATIENCE = 3.0


class Dispatch(Fan):
    """Has the couriers look whenever an incident has changed.

    Args:
        couriers: one a sink.
    """

    def __init__(self, couriers: Sequence[Courier]) -> None:
        super().__init__()  # all else that the engine tells is nothing to sinks
        self._couriers = tuple(couriers)
        self._unkept: dict[str, tuple[Incident, ...]] = {}

    def start(self) -> None:
        """Let them begin: what was owed when the daemon ended is owed still."""
        for each in self._couriers:
            each.start()

    def stop(self) -> None:
        """End them; one that hangs is left behind. What they have not told is told next time."""
        for each in self._couriers:
            each.stop()
        deadline = time.monotonic() + _PATIENCE
        for each in self._couriers:
            each.join(max(0.0, deadline - time.monotonic()))

    def conditions(
        self, target: str, standing: Sequence[Condition], changes: IncidentChanges
    ) -> None:
        """Wake them if there is anything to tell."""
        del standing  # people are told of what lasts
        unkept = tuple(each for each in changes.standing if not each.id)
        changed = changes.opened or changes.escalated or changes.resolved
        if not changed and unkept == self._unkept.get(target, ()):
            return
        self._unkept[target] = unkept
        every = [incident for some in self._unkept.values() for incident in some]
        for each in self._couriers:
            each.wake(every)

    def troubles(self) -> tuple[Condition, ...]:
        """The sinks that cannot be told now."""
        return tuple(_failing(each) for each in self._couriers if each.trouble)


def _failing(courier: Courier) -> Condition:
    summary = f"the sink {courier.name} does not hear of incidents: {courier.trouble}"
    return Condition(ConditionKind.SINK_FAILED, "", summary, scope=courier.name)
