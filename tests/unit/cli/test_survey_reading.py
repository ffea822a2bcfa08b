"""How a survey reads a listing that misbehaves."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from demurrage.app.survey import Progress, Sample, Survey
from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container
from demurrage.model.listing import Failure, Listing, Region, Stretch

NOW = 1_800_000_000.0
PAGE = 10
MORE = Failure(ConditionKind.ENDLESS_LISTING, "no end after 1 pages")
DOWN = Failure(ConditionKind.SERVER_ERROR, "the server failed")

Answer = Callable[[Region], Listing]


def _row(age: int) -> Container:
    born = int(NOW) - age
    return Container(f"cntr_{age:04}", born, "expired", born, "1g", "auto")


class Shelf:
    """A listing of one row a second, newest first; `faults` are used up before it answers."""

    def __init__(self, rows: int, faults: Sequence[Failure] = ()) -> None:
        self.rows = [_row(age) for age in range(rows)]
        self.faults = list(faults)
        self.unusable: set[str] = set()
        self.calls = 0

    async def read(self, regions: tuple[Region, ...]) -> Listing:
        """One page, as the provider's edge gives it when it may read one page only."""
        (region,) = regions
        self.calls += 1
        if self.faults:
            return self._listing(region, (), finished=False, failure=self.faults.pop(0))
        if region.after in self.unusable:
            return self._listing(region, (), finished=True)
        ids = [each.id for each in self.rows]
        start = 0 if region.after is None else ids.index(region.after) + 1
        page = tuple(self.rows[start : start + PAGE])
        edge = region.down_to is not None and page[-1].created_at + 1 <= region.down_to
        finished = edge or start + PAGE >= len(self.rows)
        return self._listing(region, page, finished=finished, failure=None if finished else MORE)

    @staticmethod
    def _listing(
        region: Region,
        rows: tuple[Container, ...],
        *,
        finished: bool,
        failure: Failure | None = None,
    ) -> Listing:
        stretch = Stretch(region, rows, finished, reached_end=finished, listed_at=NOW)
        return Listing(NOW, (stretch,), 1, failure)


async def _no_pause(seconds: float) -> None:
    assert seconds <= 60


def _survey(
    shelf: Shelf, *, back: float = 1e6, tell: Callable[[Progress], None] = lambda _: None
) -> Survey:
    return Survey(shelf, since=NOW - back, now=lambda: NOW, tell=tell, pause=_no_pause)


async def _taken(shelf: Shelf, back: float = 1e6) -> Sample:
    return await _survey(shelf, back=back).run()


async def test_it_reads_page_after_page_to_the_end() -> None:
    """Every row is there once, and the sample is complete."""
    sample = await _taken(Shelf(95))
    assert len(sample.rows) == 95
    assert sample.complete
    assert sample.read_down_to == NOW - 1e6


async def test_it_stops_at_the_days_asked_for() -> None:
    """Rows born before are neither read for long nor counted."""
    shelf = Shelf(500)
    sample = await _taken(shelf, back=35)
    assert len(sample.rows) == 36
    assert shelf.calls == 4
    assert sample.complete


async def test_three_failures_in_a_row_are_got_over() -> None:
    """The fourth try succeeds, and nothing is missing."""
    sample = await _taken(Shelf(25, [DOWN, DOWN, DOWN]))
    assert len(sample.rows) == 25
    assert sample.complete


async def test_trouble_that_stays_makes_it_partial() -> None:
    """What was read is kept, and why there is no more is named."""
    shelf = Shelf(25)
    survey = _survey(shelf, tell=lambda progress: shelf.faults.extend([DOWN] * progress.pages))
    sample = await survey.run()
    assert len(sample.rows) == PAGE
    assert sample.failure == DOWN
    assert not sample.complete
    assert sample.read_down_to == sample.rows[-1].created_at + 1


@pytest.mark.parametrize(
    "kind",
    [ConditionKind.UNAUTHORIZED, ConditionKind.MISSING_SCOPE, ConditionKind.SPEND_LIMIT],
)
async def test_what_no_patience_cures_ends_it_at_once(kind: ConditionKind) -> None:
    """One call, and the failure's own name."""
    shelf = Shelf(25, [Failure(kind, "no")] * 9)
    sample = await _taken(shelf)
    assert shelf.calls == 1
    assert sample.failure is not None
    assert sample.failure.kind is kind


async def test_a_cursor_that_was_deleted_meanwhile_is_no_end() -> None:
    """An empty page after a cursor is asked for again by an earlier row."""
    shelf = Shelf(40)
    shelf.unusable = {shelf.rows[PAGE - 1].id}
    sample = await _taken(shelf)
    assert len(sample.rows) == 40
    assert sample.complete


async def test_a_list_that_goes_round_in_circles_is_given_up() -> None:
    """Rows shown again and again never count twice, and the sample is partial."""

    class Circle(Shelf):
        async def read(self, regions: tuple[Region, ...]) -> Listing:
            (region,) = regions
            return self._listing(region, tuple(self.rows[:PAGE]), finished=False, failure=MORE)

    sample = await _taken(Circle(30))
    assert len(sample.rows) == PAGE
    assert sample.failure is not None
    assert sample.failure.kind is ConditionKind.REPEATED_CURSOR


async def test_an_interrupted_survey_gives_what_it_has() -> None:
    """Cancelled in the middle, it still has its rows, and says that it was interrupted."""
    holder: list[asyncio.Task[Sample]] = []

    def cancel(progress: Progress) -> None:
        if progress.pages == 2:
            holder[0].cancel()

    class Slow(Shelf):
        async def read(self, regions: tuple[Region, ...]) -> Listing:
            await asyncio.sleep(0)
            return await super().read(regions)

    survey = _survey(Slow(95), tell=cancel)
    holder.append(asyncio.ensure_future(survey.run()))
    with pytest.raises(asyncio.CancelledError):
        await holder[0]
    sample = survey.sample()
    assert len(sample.rows) == 2 * PAGE
    assert sample.interrupted
    assert not sample.complete
