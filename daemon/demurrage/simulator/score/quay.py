"""The target's containers as listings show them, on virtual time."""

from collections.abc import Iterable
from dataclasses import replace
from heapq import heapify, heappop

from demurrage.model.container import Container, Sighting
from demurrage.simulator.score.truth import Truth, uses_in_order

# Gone containers are remembered so long, as by the engine.
REMEMBERED = 3600.0


class Quay:
    """What a daemon that lists in every cycle knows of a target's containers.

    Rows are shown as they are at the look; a container appears once its listing lag is over.
    """

    def __init__(self, truth: Truth) -> None:
        self.sightings: dict[str, Sighting] = {}
        self._boxes = truth.boxes
        self._appearing = [(box.visible_at, box.id) for box in truth.boxes.values()]
        self._expiring = [(box.expires_at, box.id) for box in truth.boxes.values()]
        heapify(self._appearing)
        heapify(self._expiring)
        self._uses = list(uses_in_order(truth))[::-1]

    def look(self, now: float) -> list[str]:
        """List; returns the containers that are seen for the first time and live."""
        born = []
        while self._appearing and self._appearing[0][0] <= now:
            container_id = heappop(self._appearing)[1]
            box = self._boxes[container_id]
            if box.expires_at > now:
                row = Container(container_id, box.created_at, "running", box.created_at, box.tier)
                self.sightings[container_id] = Sighting(row, now, now)
                born.append(container_id)
        while self._uses and self._uses[-1][0] <= now:
            self._use(*self._uses.pop())
        while self._expiring and self._expiring[0][0] <= now:
            self._end(heappop(self._expiring)[1], now)
        for container_id in born:
            for at in self._boxes[container_id].activity:
                if at <= now:
                    self._use(at, container_id)
        return born

    def _use(self, at: float, container_id: str) -> None:
        sighting = self.sightings.get(container_id)
        if sighting is not None and sighting.alive:
            row = replace(sighting.container, last_active_at=int(at))
            self.sightings[container_id] = replace(sighting, container=row)

    def _end(self, container_id: str, now: float) -> None:
        sighting = self.sightings.get(container_id)
        if sighting is not None and sighting.alive:
            row = replace(sighting.container, status="expired")
            self.sightings[container_id] = replace(
                sighting, container=row, listed_at=now, gone_at=now
            )

    def refresh(self, container_ids: Iterable[str], now: float) -> None:
        """List certain rows afresh."""
        for container_id in container_ids:
            self.sightings[container_id] = replace(self.sightings[container_id], listed_at=now)

    def bury(self, container_ids: Iterable[str], now: float) -> None:
        """Deletes were confirmed."""
        for container_id in container_ids:
            self.sightings[container_id] = replace(
                self.sightings[container_id], gone_at=now, deleted_at=now
            )

    def forget(self, now: float) -> None:
        """Let go of what went long ago, as the engine does."""
        oldest = now - REMEMBERED
        self.sightings = {
            key: each
            for key, each in self.sightings.items()
            if each.alive
            or each.container.created_at >= oldest
            or (each.gone_at is not None and each.gone_at >= oldest)
        }
