"""Requests of which the log says two different things."""

from collections.abc import Callable

from tests.unit.decide.builders import (
    PERSON,
    T,
    Writer,
    auto,
    facts,
    ledger_of,
    sighting,
    verdict_of,
)

from demurrage.model.event import Ending, Entry, Finished, Started
from demurrage.model.verdict import VerdictKind


def turn(writer: Writer, call: str = "a", at: float = 10) -> None:
    """A finished turn that names nothing."""
    writer.starts(call, at)
    writer.ends(call, at + 20)


def test_one_call_started_by_two_writers_discredits_both() -> None:
    """Neither's record of it can be told apart, in whatever order they come."""
    one, other = Writer(), Writer("app-2")
    one.starts("a", 10)
    other.starts("a", 11)
    other.ends("a", 20)
    for each in (one, other):
        each.beats(390)
    for sources in ((one, other), (other, one)):
        ledger = ledger_of(*sources)
        assert all(source.conflict_at == 0 for source in ledger.sources.values())


def test_a_call_with_two_starts_is_never_taken_for_done() -> None:
    """The end of one request must not pass for the end of another."""
    one, other, app = Writer(), Writer("app-2"), Writer("app-3")
    one.starts("a", 10)
    other.starts("a", 11)
    other.ends("a", 20)
    turn(app, "c")
    for each in (one, other, app):
        each.beats(390)
    known = facts(retired={"app-1": T + 395.0, "app-2": T + 395.0})
    assert verdict_of(sighting(), one, other, app, known=known).kind is VerdictKind.PENDING


def claimed_twice(first: Callable[[Writer], object]) -> VerdictKind:
    """The verdict beside a call that two retired writers claim, one of them by the scene given."""
    one, other, app = Writer(), Writer("app-2"), Writer("app-3")
    first(one)
    other.starts("a", 10, auto("1g"))
    turn(app, "c")
    for each in (one, other, app):
        each.beats(390)
    known = facts(retired={"app-1": T + 395.0, "app-2": T + 395.0})
    return verdict_of(sighting(), one, other, app, known=known).kind


def test_the_early_end_of_one_start_is_not_that_of_the_other() -> None:
    """The one was over long before the container was born; the other still runs."""

    def scene(one: Writer) -> None:
        one.starts("a", -500)
        one.ends("a", -490)

    assert claimed_twice(scene) is VerdictKind.PENDING


def test_what_is_told_of_one_start_does_not_bound_the_other() -> None:
    """The server's time for the one says nothing of when the other can have made something."""

    def scene(one: Writer) -> None:
        one.starts("a", -100)
        one.created("a", -99, created_at=-100)
        one.puts_out("a", -90)

    assert claimed_twice(scene) is VerdictKind.PENDING


def test_the_slots_of_one_start_are_not_those_of_the_other() -> None:
    """A container of either's tier may be the other's."""
    assert claimed_twice(lambda one: one.starts("a", 9, auto("4g"))) is VerdictKind.PENDING


def test_a_persons_word_ends_a_call_with_two_starts() -> None:
    """Or it would block whatever is born after it for ever."""
    one, other, app, person = Writer(), Writer("app-2"), Writer("app-3"), Writer(PERSON)
    one.starts("a", 5)
    other.starts("a", 8)
    turn(app, "c")
    person.ends("a", 50)
    for each in (one, other, app):
        each.beats(390)
    known = facts(retired={"app-1": T + 395.0, "app-2": T + 395.0})
    for sources in ((one, other, app, person), (person, app, other, one)):
        assert verdict_of(sighting(), *sources, known=known).kind is VerdictKind.ORPHAN


def test_one_request_with_two_sets_of_slots_is_a_conflict() -> None:
    """Which of them it had cannot be told."""
    app = Writer()
    app.starts("a", 10, auto("1g"))
    app.starts("a", 10, auto("4g"))
    assert ledger_of(app).sources["app-1"].conflict_at == 0


def test_two_response_ids_of_one_call_stand_in_one_lineage() -> None:
    """Whichever comes first, both lead to it."""
    for ids in (("resp_1", "resp_2"), ("resp_2", "resp_1")):
        app = Writer()
        app.starts("a", 10)
        for at, response_id in enumerate(ids, start=11):
            app.say(at, Finished("a", Ending.COMPLETED, response_id))
        app.starts("b", 20, previous_response_id="resp_2")
        app.starts("c", 21, previous_response_id="resp_1")
        book = ledger_of(app).book("default")
        assert book.lineages.members("a") == {"a", "b", "c"}


def test_the_same_moment_on_two_clocks_folds_alike() -> None:
    """Which of two equal times counts must not depend on the order of arrival."""
    one, other = Writer(offset=10.0), Writer("app-2", offset=-10.0)
    one.starts("a", 10)
    entries: list[Entry] = []
    for each in (one, other):
        each.sequence = 5
        entries.append(each.say(50 - each.offset, Finished("a", Ending.COMPLETED, "resp_a")))
        each.beats(390)
    forth, back = ledger_of(one, other), ledger_of(other, one)
    finished = [each.book("default").responses["a"].finished for each in (forth, back)]
    assert finished[0] is not None
    assert finished[1] is not None
    assert finished[0].source.id == finished[1].source.id
    assert isinstance(one.records[0], Entry)
    assert isinstance(one.records[0].event.fact, Started)
