"""Ids that look like the real ones."""

from random import Random


class Ids:
    """Draws ids from a seeded source.

    A container's id is `cntr_` and 48 hex digits whose first 8 are its creation second: true
    in every recording, though undocumented.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def container(self, second: int) -> str:
        """An id for a container born in the given epoch second."""
        return f"cntr_{second & 0xFFFFFFFF:08x}{self._rng.getrandbits(160):040x}"

    def of(self, prefix: str) -> str:
        """An id of another kind: `resp`, `msg`, `ci`, `sh`, `conv`, `cfile`, `req` …."""
        return f"{prefix}_{self._rng.getrandbits(192):048x}"
