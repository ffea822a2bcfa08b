"""What the rails' past is told: of each container once, whatever becomes of its proof."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from tests.integration.engine.hooks import Recorded
from tests.unit.decide.builders import COMPLETE, T, Writer, decision_of, sighting

from demurrage.decide.decision import Decision
from demurrage.engine.chronicle import Chronicle
from demurrage.model.error import StoreFailedError
from demurrage.model.facts import TargetFacts
from demurrage.model.history import Figure, HourTally
from demurrage.model.verdict import VerdictKind
from demurrage.store import SqlStore, open_store

ROWS = [sighting("cntr_1", 12), sighting("cntr_2", 13)]
SIGHTINGS = {each.id: each for each in ROWS}
# When the series of readings began: long ago, or so lately that nothing can be proven yet.
UNBROKEN, BROKEN = -1000.0, 390.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store that knows two containers."""
    with open_store(f"sqlite:///{tmp_path}/store.db") as store:
        store.save_sightings("default", ROWS)
        yield store


def judged(*, read_since: float, known: TargetFacts = COMPLETE) -> Decision:
    """Two requests that are over have made two containers, which nothing names."""
    app = Writer()
    for call in ("a", "b"):
        app.starts(call, 10)
        app.ends(call, 30)
    app.beats(390)
    return decision_of(app, rows=ROWS, read_since=read_since, known=known)


async def put_off(chronicle: Chronicle, known: TargetFacts = COMPLETE) -> set[VerdictKind | None]:
    """Proof comes, is put off by a standstill, and comes again; returns all that was thought."""
    thought: set[VerdictKind | None] = set()
    for read_since in (UNBROKEN, BROKEN, UNBROKEN, BROKEN, UNBROKEN):
        decision = judged(read_since=read_since, known=known)
        await chronicle.decided(decision, None, SIGHTINGS)
        thought |= {each.shadow or each.kind for each in decision.verdicts.values()}
    return thought


def tally(store: SqlStore) -> HourTally:
    """The figures of the one hour there is."""
    (found,) = store.history("default", T + 400.0).hours.values()
    return found


@pytest.mark.parametrize("known", [COMPLETE, TargetFacts()])
async def test_a_birth_is_accounted_for_once(store: SqlStore, known: TargetFacts) -> None:
    """However often its proof is put off, and by whichever process: it sets the allowance."""
    for _ in range(2):
        chronicle = Chronicle("default", store, Recorded())
        await chronicle.load()
        thought = await put_off(chronicle, known)
        assert thought == {VerdictKind.ORPHAN, VerdictKind.PENDING}
        assert tally(store).logged == len(ROWS)


@dataclass
class Failing:
    """A store that cannot take the first figure it is told."""

    store: SqlStore
    failed: bool = False

    def tally_once(self, target: str, figure: Figure, container_ids: Iterable[str]) -> None:
        """Fail once."""
        if not self.failed:
            self.failed = True
            raise StoreFailedError("the disk is full")
        self.store.tally_once(target, figure, container_ids)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


async def test_a_birth_is_accounted_for_though_its_verdict_was_recorded_before(
    store: SqlStore,
) -> None:
    """The cycle that recorded it came no further."""
    chronicle = Chronicle("default", cast("SqlStore", Failing(store)), Recorded())
    with pytest.raises(StoreFailedError):
        await chronicle.decided(judged(read_since=UNBROKEN), None, SIGHTINGS)
    await chronicle.decided(judged(read_since=UNBROKEN), None, SIGHTINGS)
    assert tally(store).logged == len(ROWS)


async def test_what_complete_coverage_would_have_deleted_counts_once(store: SqlStore) -> None:
    """Or the share that is plausible would grow with every standstill, and so would what may go.

    It is one and the same container that is deleted in the end, if it ever is.
    """
    for _ in range(2):
        chronicle = Chronicle("default", store, Recorded())
        await chronicle.load()
        await put_off(chronicle, TargetFacts())
        assert tally(store).deleted == len(ROWS)
    await Chronicle("default", store, Recorded()).swept(["cntr_1"])
    assert tally(store).deleted == len(ROWS)
