"""Values for the store's tests, with as little said as each test needs."""

from itertools import count
from pathlib import Path

from demurrage.model.container import Container, Sighting
from demurrage.model.plan import PlannedDelete
from demurrage.model.record import Intent, Ruling
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind
from demurrage.store import open_store

_numbers = count()

NOW = 1_800_000_000.0
DAY = 86_400.0


def container(
    id_: str = "cntr_1", *, born: float = NOW, status: str = "running", tier: str | None = "1g"
) -> Container:
    """One listed row."""
    return Container(id_, int(born), status, int(born), tier, "auto", 1200.0)


def sighting(
    id_: str = "cntr_1",
    *,
    born: float = NOW,
    status: str = "running",
    tier: str | None = "1g",
    gone_at: float | None = None,
) -> Sighting:
    """A container as first seen at its birth."""
    row = container(id_, born=born, status=status, tier=tier)
    return Sighting(row, first_seen_at=born, listed_at=born, gone_at=gone_at)


def ruling(
    id_: str = "cntr_1",
    kind: VerdictKind = VerdictKind.ORPHAN,
    *,
    at: float = NOW,
    born: float = NOW,
    proven_at: float | None = None,
) -> Ruling:
    """A verdict about to be recorded."""
    reasons = (Reason(Code.NO_REFERENCE, "No response names it."),)
    verdict = Verdict(id_, kind, reasons, due_at=at, proven_at=proven_at)
    return Ruling(container(id_, born=born), verdict, at)


def intent(verdict_id: int, id_: str = "cntr_1", *, hold_id: str | None = None) -> Intent:
    """A delete about to be made."""
    return Intent(planned(id_), verdict_id, hold_id)


def planned(id_: str = "cntr_1", *, born: float = NOW, saves: float = 0.5) -> PlannedDelete:
    """A container that is due."""
    verdict = ruling(id_, born=born).verdict
    return PlannedDelete(id_, verdict, int(born), "1g", saves, born + 300)


def fresh_target() -> str:
    """A target that nobody has used yet."""
    return f"target-{next(_numbers)}"


def put_back(url: str, path: Path) -> None:
    """Make a store that went back in time: the copy from `NOW` is where the later one was."""
    with open_store(url) as store:
        store.touch(NOW)
    older = path.read_bytes()
    with open_store(url) as store:
        store.touch(NOW + 10)
    path.write_bytes(older)
