"""The target's past as the rails see it, kept in memory."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace

from demurrage.model.container import Sighting
from demurrage.model.history import HourTally, RailHistory
from demurrage.model.plan import PlannedDelete

_HOUR = 3600.0
_WEEK_IN_HOURS = 168


class RailPast:
    """What the store keeps for the rails: births, makers and deletes by the hour of birth."""

    def __init__(self) -> None:
        self._hours: dict[int, HourTally] = {}
        self._deleted_at: deque[float] = deque()
        self._last_sweep_at: float | None = None

    def born(self, created_at: int) -> None:
        """A container was seen for the first time."""
        tally = self._tally(created_at)
        self._hours[created_at // int(_HOUR)] = replace(tally, births=tally.births + 1)

    def accounted(self, created_at: int) -> None:
        """A logged slot accounts for a container."""
        tally = self._tally(created_at)
        self._hours[created_at // int(_HOUR)] = replace(tally, logged=tally.logged + 1)

    def swept(self, deletes: Iterable[PlannedDelete], now: float) -> None:
        """Containers were deleted."""
        for delete in deletes:
            tally = self._tally(delete.created_at)
            hour = delete.created_at // int(_HOUR)
            self._hours[hour] = replace(tally, deleted=tally.deleted + 1)
            self._deleted_at.append(now)
            self._last_sweep_at = now

    def history(self, sightings: Mapping[str, Sighting], now: float) -> RailHistory:
        """The past week and the last hour."""
        while self._deleted_at and self._deleted_at[0] <= now - _HOUR:
            self._deleted_at.popleft()
        hour = int(now // _HOUR)
        recent = [each for each in sightings.values() if each.container.created_at > now - _HOUR]
        return RailHistory(
            hours={
                each: tally
                for each, tally in self._hours.items()
                if hour - _WEEK_IN_HOURS < each <= hour
            },
            deletes_last_hour=len(self._deleted_at),
            born_last_hour=len(recent),
            deleted_of_those=sum(each.deleted_at is not None for each in recent),
            last_sweep_at=self._last_sweep_at,
        )

    def _tally(self, created_at: int) -> HourTally:
        return self._hours.get(created_at // int(_HOUR), HourTally())
