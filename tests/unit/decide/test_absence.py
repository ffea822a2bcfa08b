"""What a listing proves by not showing a row, where one second or one row decides."""

from collections.abc import Iterable

from demurrage.decide.absence import Absences, find_absences
from demurrage.model.container import Container, Sighting
from demurrage.model.listing import Listing, Region, Stretch
from demurrage.model.rules import BillingRules

NOW = 1_800_000_000


def row(key: str, age: int = 100) -> Container:
    """A live row that was born so many seconds ago, and never used."""
    return Container(key, NOW - age, "running", NOW - age, "1g")


def found(
    known: Iterable[Container], shown: Iterable[Container], region: Region | None = None
) -> Absences:
    """What a stretch to the end of the list says of the known rows."""
    sightings = {each.id: Sighting(each, NOW - 60.0, NOW - 10.0) for each in known}
    stretch = Stretch(region or Region(), tuple(shown), True, True, float(NOW))
    return find_absences(sightings, Listing(NOW, (stretch,), 1), BillingRules(), float(NOW))


def test_rows_of_one_second_are_in_order() -> None:
    """At the cursor, too, which says only that nothing younger follows it."""
    rows = [row("a", 50), row("b", 50), row("c", 150)]
    assert found([row("gap")], rows) == Absences(frozenset({"gap"}))
    after = Region(after="new", born_by=NOW - 50)
    assert found([row("gap")], rows, after) == Absences(frozenset({"gap"}))
    younger = Region(after="new", born_by=NOW - 51)
    assert found([row("gap")], rows, younger) == Absences()


def test_most_of_five_gone_at_once_is_the_list_s_fault() -> None:
    """Most of four is not."""
    rows = [row(str(each)) for each in range(5)]
    assert found(rows, rows[:2]) == Absences(shrank=True)
    assert found(rows[:4], rows[:1]) == Absences(frozenset("123"))


def test_one_that_ends_this_moment_may_be_gone() -> None:
    """So its absence is no fault of the list."""
    assert found([row("a", 1200)], []) == Absences(frozenset("a"))
    assert found([row("a", 1199)], []) == Absences(shrank=True)
