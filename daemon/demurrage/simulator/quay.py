"""Where containers are handled: moored, touched, deleted, planted, refused."""

from random import Random
from typing import Any, Literal

from demurrage.simulator.ask import TIERS, Berthing
from demurrage.simulator.berths import Berth, Berths, Harm
from demurrage.simulator.clock import HarbourClock
from demurrage.simulator.ids import Ids
from demurrage.simulator.refusal import Refusal, container_expired, container_not_found
from demurrage.simulator.settings import HarbourSettings, Span
from demurrage.simulator.voyage import Voyage


class Quay:
    """Every change of a container's state goes through here."""

    def __init__(
        self,
        berths: Berths,
        clock: HarbourClock,
        ids: Ids,
        rng: Random,
        settings: HarbourSettings,
    ) -> None:
        self._berths = berths
        self._clock = clock
        self._ids = ids
        self._rng = rng
        self.settings = settings

    def moor(self, slot: Berthing, voyage: Voyage, at: float) -> Berth:
        """The container that an auto slot makes."""
        berth = self._new(at, slot.tier, self.settings.auto_name)
        berth.tool, berth.maker = slot.tool, voyage.id
        berth.metadata = dict(voyage.ask.metadata)
        if slot.network_policy:
            berth.network_policy = dict(slot.network_policy)
        self._berths.add(berth)
        return berth

    def create(self, body: dict[str, Any]) -> Berth:
        """What `POST /containers` makes; it is listed at once.

        Raises:
            Refusal: 400, a field is missing or out of range.
        """
        name, tier = body.get("name"), body.get("memory_limit") or TIERS[0]
        minutes = (body.get("expires_after") or {}).get("minutes")
        if not isinstance(name, str):
            raise Refusal(400, "Missing required parameter: 'name'.", param="name")
        if tier not in TIERS:
            raise Refusal(400, f"Invalid memory limit: '{tier}'.", param="memory_limit")
        if minutes is not None and not 1 <= minutes <= self.settings.idle_expiry / 60:
            raise Refusal(400, "Invalid 'expires_after.minutes'.", param="expires_after.minutes")
        now = self._clock.now()
        berth = self._new(now, tier, name)
        berth.explicit, berth.visible_at = True, now
        berth.network_policy = body.get("network_policy") or berth.network_policy
        if minutes is not None:
            berth.idle_expiry = minutes * 60 / self.settings.scale
            berth.idle_minutes = minutes if self.settings.scale == 1 else None
        self._berths.add(berth)
        return berth

    def plant(self, *, age: float, active_for: float, idle_for: float, tier: str) -> Berth:
        """A row with a past: born `age` seconds ago, active for a while, then idle."""
        now = self._clock.now()
        berth = self._new(now - age, tier, self.settings.auto_name)
        berth.planted, berth.visible_at = True, berth.born
        self.touch(berth, now - idle_for if active_for else berth.born)
        if active_for:
            berth.used_by.append("planted")
            berth.named_by.append("planted")
        self._berths.add(berth)
        return berth

    def touch(self, berth: Berth, at: float) -> None:
        """Activity: the idle clock starts anew."""
        berth.last_active = at
        berth.shown_active = int(self._clock.shown(at))

    def delete(self, berth: Berth, at: float) -> None:
        """Delete it; the listing goes on showing it for a while."""
        berth.deleted_at = at
        berth.listed_until = at + self._lag(self.settings.delete_lag)

    def alive(self, container_id: str) -> Berth:
        """The container, if it can be worked with.

        Raises:
            Refusal: 404 or 400, it is gone.
        """
        berth = self._berths.found(container_id)
        if berth.gone(self._clock.now()) is not None:
            raise container_expired()
        return berth

    def refuse_gone(self, berth: Berth, now: float) -> None:
        """Refuse a request that needs a dead container; one that was deleted does harm.

        Raises:
            Refusal: 400 expired, 404 deleted.
        """
        ended = berth.gone(now)
        if ended is not None and ended[1] == "delete":
            self.harm(berth, now, None, "later_request")
            raise container_not_found(berth.id)
        if ended is not None:
            raise container_expired() if berth.deleted_at is None else container_not_found(berth.id)

    def harm(
        self,
        berth: Berth,
        at: float,
        response_id: str | None,
        how: Literal["later_request", "in_flight"],
    ) -> None:
        """Note that a delete took what somebody needed."""
        berth.harms.append(Harm(at, response_id, how))

    def _new(self, born: float, tier: str, name: str) -> Berth:
        second = int(self._clock.shown(born))
        scale = self.settings.scale
        expiry = self.settings.idle_expiry
        return Berth(
            id=self._ids.container(second),
            created_at=second,
            born=born,
            tier=tier,
            name=name,
            idle_expiry=expiry / scale,
            last_active=born,
            shown_active=second,
            visible_at=born + self._lag(self.settings.visibility_lag),
            idle_minutes=int(expiry / 60) if scale == 1 else None,
        )

    def _lag(self, span: Span) -> float:
        return self._rng.uniform(*span) / self.settings.scale
