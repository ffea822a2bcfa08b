"""Deletes that proved wrong."""

from tests.unit.decide.builders import TARGET, Writer, ledger_of, sighting

from demurrage.decide.regret import regretted

DELETED = sighting("cntr_1", 12, deleted_at=300)
LIVING = sighting("cntr_2", 12)


def regrets(*writers: Writer, released: bool = False) -> tuple[str, ...]:
    """Which of a tombstone and a living container were deleted wrongly."""
    rows = {each.id: each for each in (DELETED, LIVING)}
    gone = {DELETED.id} if released else frozenset()
    return regretted(ledger_of(*writers).book(TARGET), rows, gone, 30.0)


def test_an_orphan_that_a_response_names_was_none() -> None:
    """Whenever that response began."""
    app = Writer()
    app.starts("a", 10)
    assert regrets(app) == ()
    app.ends("a", 20, "cntr_1", "cntr_2")
    assert regrets(app) == ("cntr_1",)


def test_an_orphan_that_a_pin_names_was_none() -> None:
    """A pin is a reference."""
    app = Writer()
    app.pins("cntr_1", 20)
    assert regrets(app) == ("cntr_1",)


def test_a_released_one_is_regretted_only_for_what_began_after_its_delete() -> None:
    """What named it before had ended."""
    app = Writer()
    app.beats(1)
    app.starts("a", 10)
    app.ends("a", 20, "cntr_1")
    app.pins("cntr_1", 300)
    assert regrets(app, released=True) == ()
    app.pins("cntr_1", 301)
    assert regrets(app, released=True) == ("cntr_1",)


def test_a_clock_that_nobody_knows_may_be_behind() -> None:
    """What may have begun after the delete counts: here, for all that is known."""
    app = Writer(offset=0.0)
    app.reports = None
    app.starts("a", 275, containers={"cntr_1"})
    app.beats(276, "a", clock_offset=None)
    assert regrets(app, released=True) == ("cntr_1",)
    early = Writer()
    early.starts("a", 265, containers={"cntr_1"})
    early.beats(266, "a", clock_offset=None)
    assert regrets(early, released=True) == ()
