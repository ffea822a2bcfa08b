"""What the Containers API says of one container, and what the daemon knows of it over time."""

from dataclasses import dataclass
from enum import StrEnum


class Life(StrEnum):
    """Whether a container can still cost money."""

    LIVE = "live"
    GONE = "gone"
    UNKNOWN = "unknown"


# `status` has no enumeration in the specification; these four are documented or seen.
_LIFE = {
    "running": Life.LIVE,
    "active": Life.LIVE,
    "expired": Life.GONE,
    "deleted": Life.GONE,
}


# How every container id begins that was ever seen; references are recognised by it.
ID_PREFIX = "cntr_"


@dataclass(frozen=True, slots=True)
class Container:
    """One row of a target's listing.

    `created_at` and `last_active_at` are whole seconds: the birth lies in
    `[created_at, created_at + 1)`. `tier` is the row's `memory_limit` ("1g" … "64g").
    """

    id: str
    created_at: int
    status: str
    last_active_at: int | None = None
    tier: str | None = None
    name: str = ""
    idle_expiry: float | None = None

    @property
    def life(self) -> Life:
        """LIVE, GONE, or UNKNOWN for a status that the daemon has never heard of."""
        return _LIFE.get(self.status, Life.UNKNOWN)

    @property
    def recognisable(self) -> bool:
        """True when a reference to it, wherever it stands, would be seen as one."""
        return self.id.startswith(ID_PREFIX)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One container as the daemon has come to know it.

    `listed_at` is when a listing last showed the row. `gone_at` is when it was first known to
    be gone, for whatever reason; `deleted_at` is when the API confirmed our own delete. A row
    with `deleted_at` that is still listed is a tombstone. `missing_since`: the listing that
    first should have shown the row and did not; one such absence proves nothing yet.
    """

    container: Container
    first_seen_at: float
    listed_at: float
    gone_at: float | None = None
    deleted_at: float | None = None
    missing_since: float | None = None

    @property
    def id(self) -> str:
        """The container's id."""
        return self.container.id

    @property
    def alive(self) -> bool:
        """True while the container may cost money, an unknown status included."""
        return (
            self.gone_at is None
            and self.deleted_at is None
            and _LIFE.get(self.container.status) is not Life.GONE
        )
