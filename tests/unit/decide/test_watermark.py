"""Whom the watermark waits for, and up to where it reaches."""

from collections.abc import Callable
from math import inf

import pytest
from tests.unit.decide.builders import TARGET, T, Writer, ledger_of

from demurrage.decide.ledger import NOBODY, Ledger
from demurrage.decide.watermark import Watermark, watermark
from demurrage.model.condition import ConditionKind
from demurrage.model.event import SetAside, Started
from demurrage.model.rules import EvidenceRules

RULES = EvidenceRules()


def mark(ledger: Ledger, target: str = TARGET, now: float = 100.0) -> Watermark:
    """The watermark when nobody is retired."""
    return watermark(ledger, target, {}, RULES, T + now)


def elsewhere() -> Writer:
    """A writer that has only ever spoken of another target."""
    app = Writer(target="other")
    app.starts("a", 10)
    app.beats(50, "a")
    return app


def _gap(ledger: Ledger, app: Writer) -> None:
    app.loses(app.starts("lost", 60))
    app.ends("lost", 61)
    ledger.fold(app.records)


def _conflict(ledger: Ledger, app: Writer) -> None:
    twin = Writer(app.name, target="other")
    twin.say(10, Started("b"), digest="twin")
    ledger.fold([*app.records, *twin.records])


def _dropped(ledger: Ledger, app: Writer) -> None:
    app.beats(60, "a", dropped=1)
    ledger.fold(app.records)


def _set_aside(ledger: Ledger, app: Writer) -> None:
    ledger.fold([*app.records, SetAside(1, "garbled", app.name, 3)])


def test_a_writer_counts_for_the_targets_that_it_has_mentioned() -> None:
    """One whose record is whole holds no other target."""
    ledger = ledger_of(elsewhere())
    assert mark(ledger).holder is None
    assert mark(ledger).through == inf
    holder = mark(ledger, "other").holder
    assert holder is not None
    assert (holder.source, holder.through, holder.fault) == ("app-1", T + 50, None)
    assert not holder.detail


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (_gap, ConditionKind.SEQUENCE_GAP),
        (_conflict, ConditionKind.EVENT_CONFLICT),
        (_dropped, ConditionKind.EVENTS_DROPPED),
        (_set_aside, ConditionKind.SEQUENCE_GAP),
    ],
)
def test_a_record_with_a_hole_holds_every_target(
    harm: Callable[[Ledger, Writer], None], fault: ConditionKind
) -> None:
    """What is missing may have been about any of them."""
    ledger, app = Ledger(), elsewhere()
    harm(ledger, app)
    holder = mark(ledger).holder
    assert holder is not None
    assert (holder.source, holder.fault) == ("app-1", fault)
    assert holder.detail


def test_a_line_of_nobody_holds_every_target() -> None:
    """It may have been anybody's."""
    ledger = ledger_of([SetAside(1, "garbled", None, None, T + 5.0)])
    holder = mark(ledger).holder
    assert holder is not None
    assert (holder.source, holder.through) == (NOBODY, -inf)
    assert holder.fault is ConditionKind.LINE_SET_ASIDE


def test_a_writer_is_silent_once_it_may_have_been_for_longer_than_its_time() -> None:
    """By the slower reading of its clock."""
    app = Writer(offset=10.0)
    app.beats(0)
    last = RULES.writer_timeout
    assert mark(ledger_of(app), now=last).faults == ()
    assert [each.fault for each in mark(ledger_of(app), now=last + 1).faults] == [
        ConditionKind.SILENT_WRITER
    ]


def test_the_writer_that_reaches_least_far_holds_it() -> None:
    """And the others are told of after it."""
    one, other = Writer("app-1"), Writer("app-2")
    one.beats(60)
    other.beats(40)
    found = mark(ledger_of(one, other))
    assert found.through == T + 40
    assert [each.source for each in found.holders] == ["app-2", "app-1"]


def test_a_line_set_aside_without_its_place_holds_every_target() -> None:
    """It shows no gap, and may have been about any of them."""
    app = elsewhere()
    ledger = ledger_of(app, [SetAside(1, "garbled", app.name)])
    holder = mark(ledger).holder
    assert holder is not None
    assert (holder.source, holder.through, holder.fault) == ("app-1", T + 50, None)


def test_without_a_heartbeat_it_reaches_no_further_than_the_first_event() -> None:
    """Less what its clock may be off, and only where that event is the very first."""
    bare = Writer()
    bare.starts("a", 50)
    bare.ends("a", 60)
    reach = T + 50 - RULES.max_event_delay - RULES.clock_skew
    assert mark(ledger_of(bare)).through == reach
    assert mark(ledger_of(bare.records[:1])).through == reach
    assert mark(ledger_of(bare.records[1:])).through == -inf


def test_who_has_lost_events_or_contradicts_itself_reaches_nowhere() -> None:
    """Until a kept promise from before that says more."""
    lossy, liar, torn = Writer(), Writer(), Writer()
    lossy.starts("a", 50)
    lossy.beats(60, "a", dropped=1)
    liar.starts("a", 50)
    liar.records.append(Writer().say(50, Started("b"), digest="twin"))
    assert mark(ledger_of(lossy)).through == -inf
    assert mark(ledger_of(liar)).through == -inf
    holder = mark(ledger_of([SetAside(1, "garbled", torn.name, 1)])).holder
    assert holder is not None
    assert (holder.through, holder.fault) == (-inf, ConditionKind.LINE_SET_ASIDE)


def test_a_gap_is_named_by_what_is_missing_first() -> None:
    """And by how far the record is known to go."""
    app = Writer()
    for number in range(5):
        app.starts(f"call-{number}", 10 + number)
    held = [each for each in app.records if each.position not in (3, 4)]
    holder = mark(ledger_of(held)).holder
    assert holder is not None
    assert holder.fault is ConditionKind.SEQUENCE_GAP
    assert "3 is missing" in holder.detail
    assert "up to 5" in holder.detail


def test_silence_is_judged_by_the_slowest_clock_that_it_told() -> None:
    """Its last word may have been as late as that."""
    app = Writer()
    app.beats(-500, clock_offset=20.0)
    app.beats(0, clock_offset=0.0)
    assert mark(ledger_of(app), now=RULES.writer_timeout).faults == ()
    assert mark(ledger_of(app), now=RULES.writer_timeout + 1).faults != ()
