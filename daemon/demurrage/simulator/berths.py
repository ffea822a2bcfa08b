"""The harbour's containers: born, listed, refreshed, expired, deleted."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from demurrage.simulator.refusal import container_not_found

Gone = Literal["delete", "expiry"]


@dataclass(frozen=True, slots=True)
class Harm:
    """One time that somebody needed a container which a DELETE had taken."""

    at: float
    response_id: str | None
    how: Literal["later_request", "in_flight"]


@dataclass(slots=True)
class Berth:
    """One container. Moments are inner time; `created_at` and `shown_active` are as shown.

    Attributes:
        maker: the response that made it, None for an explicit or planted one.
        metadata: the metadata of the request that made it.
        used_by: responses whose model ran code in it.
        named_by: responses whose own body names it.
        idle_expiry: real seconds from the last activity to the end.
    """

    id: str
    created_at: int
    born: float
    tier: str
    name: str
    idle_expiry: float
    last_active: float
    shown_active: int
    visible_at: float
    explicit: bool = False
    planted: bool = False
    tool: str | None = None
    maker: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    network_policy: dict[str, Any] = field(default_factory=lambda: {"type": "disabled"})
    idle_minutes: int | None = None
    deleted_at: float | None = None
    listed_until: float = float("inf")
    used_by: list[str] = field(default_factory=list)
    named_by: list[str] = field(default_factory=list)
    harms: list[Harm] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def expires_at(self) -> float:
        """When it dies of idleness if nothing touches it."""
        return self.last_active + self.idle_expiry

    def gone(self, now: float) -> tuple[float, Gone] | None:
        """When and how it ended, None while it lives."""
        if self.deleted_at is not None and self.deleted_at < self.expires_at:
            return self.deleted_at, "delete"
        if now >= self.expires_at:
            return self.expires_at, "expiry"
        return None

    def row(self, now: float) -> dict[str, Any]:
        """The row that the API shows; a tombstone still claims to run."""
        minutes = self.idle_minutes
        return {
            "id": self.id,
            "object": "container",
            "created_at": self.created_at,
            "status": "expired" if now >= self.expires_at else "running",
            "last_active_at": self.shown_active,
            "expires_after": {"anchor": "last_active_at", "minutes": minutes} if minutes else None,
            "memory_limit": self.tier,
            "name": self.name,
            "network_policy": self.network_policy,
        }


class Berths:
    """All containers of a target, in the order of their creation."""

    def __init__(self) -> None:
        self._by_id: dict[str, Berth] = {}
        self._order: list[tuple[int, int]] = []
        self._at: dict[tuple[int, int], Berth] = {}
        self._key: dict[str, tuple[int, int]] = {}

    def __iter__(self) -> Iterator[Berth]:
        """Every container that ever was, oldest first."""
        return (self._at[key] for key in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def add(self, berth: Berth) -> None:
        """Moor a new container."""
        key = (berth.created_at, len(self._order))
        insort(self._order, key)
        self._by_id[berth.id] = berth
        self._at[key] = berth
        self._key[berth.id] = key

    def found_or_gone(self, container_id: str) -> Berth:
        """The container of an id that the harbour itself gave out, living or gone."""
        return self._by_id[container_id]

    def known(self, container_id: str) -> Berth | None:
        """The container of that id, living or gone."""
        return self._by_id.get(container_id)

    def found(self, container_id: str) -> Berth:
        """The container of that id unless it was deleted.

        Raises:
            Refusal: 404, unknown or deleted.
        """
        berth = self._by_id.get(container_id)
        if berth is None or berth.deleted_at is not None:
            raise container_not_found(container_id)
        return berth

    def page(
        self, now: float, *, after: str | None, limit: int, newest_first: bool, name: str | None
    ) -> tuple[list[Berth], bool]:
        """One page of the listing and whether more follow.

        A cursor of a deleted container still marks its place: what the real API does with one
        is unknown.

        Raises:
            Refusal: 404 for a cursor that never was.
        """
        rows: list[Berth] = []
        for key in self._walk(after, newest_first=newest_first):
            berth = self._at[key]
            if berth.visible_at > now or now >= berth.listed_until:
                continue
            if name is not None and berth.name != name:
                continue
            if len(rows) == limit:
                return rows, True
            rows.append(berth)
        return rows, False

    def _walk(self, after: str | None, *, newest_first: bool) -> Iterator[tuple[int, int]]:
        key = None
        if after is not None:
            key = self._key.get(after)
            if key is None:
                raise container_not_found(after)
        if newest_first:
            start = len(self._order) if key is None else bisect_left(self._order, key)
            return (self._order[place] for place in range(start - 1, -1, -1))
        start = 0 if key is None else bisect_right(self._order, key)
        return (self._order[place] for place in range(start, len(self._order)))
