"""When a response can have made a container, to the second."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

import pytest
from tests.unit.decide.builders import TARGET, T, Writer, ledger_of, sighting

from demurrage.decide.slots import _reused
from demurrage.decide.window import Window, window
from demurrage.model.rules import EvidenceRules

RULES = EvidenceRules()
SKEW, DELAY = RULES.clock_skew, RULES.max_birth_delay
UNKNOWN = RULES.max_event_delay


def span(
    *writers: Writer, whole_life: bool = False, retired: Mapping[str, float] | None = None
) -> tuple[float, float]:
    """When the window of call a opens and closes, in seconds after T."""
    response = ledger_of(*writers).book(TARGET).responses["a"]
    found = window(response, retired or {}, RULES, whole_life=whole_life)
    return (found.opens - T, found.closes - T)


@pytest.mark.parametrize(
    ("opens", "closes", "admitted"),
    [
        (11.0, 20.0, True),  # born within [10, 11]: at its very end, perhaps
        (11.5, 20.0, False),
        (10.5, 20.0, True),
        (0.0, 10.0, True),  # at the very beginning of its second, perhaps
        (0.0, 9.5, False),
        (0.0, inf, True),
    ],
)
def test_a_birth_of_whole_seconds_may_lie_anywhere_in_its_second(
    opens: float, closes: float, *, admitted: bool
) -> None:
    """Whoever may have made it is a candidate."""
    assert Window(opens, closes).admits(10) is admitted


@pytest.mark.parametrize(
    ("opens", "gone_at", "reused"),
    [
        (11.0, None, False),  # born in the same moment, perhaps
        (11.5, None, True),
        (12.0, None, True),
        (11.5, 11.5, False),  # gone in that moment, perhaps
        (11.5, 12.0, True),
        (9.0, None, False),
    ],
)
def test_only_what_was_older_and_still_alive_was_reused(
    opens: float, gone_at: float | None, *, reused: bool
) -> None:
    """A slot is spoken for by another container only if that one is certainly not its own."""
    row = sighting("cntr_0", 10, gone_at=gone_at)
    assert _reused(row, Window(T + opens, inf)) is reused


@pytest.mark.parametrize(
    ("opens", "active", "gone_at", "reused"),
    [
        (1310.9, 110, 1400, True),
        (1311.0, 110, 1400, False),  # its last activity was within a second of T + 110
        (1210.9, 5, 1400, True),  # it was born after that
        (1300.0, 110, 1250, False),  # deleted
        (1399.0, None, 1400, True),  # nobody knows when it was active
        (5000.0, 110, None, True),  # listed alive all the same
    ],
)
def test_what_expired_was_not_reused_however_late_that_was_noticed(
    opens: float, active: int | None, gone_at: float | None, *, reused: bool
) -> None:
    """A row tells by itself when it expires at the latest."""
    row = sighting("cntr_0", 10, active=active, gone_at=gone_at)
    row = replace(row, container=replace(row.container, idle_expiry=1200.0))
    assert _reused(row, Window(T + opens, inf)) is reused


@pytest.mark.parametrize(("created", "closes"), [(25, 25), (26, 26 + 10 + UNKNOWN + SKEW)])
def test_by_a_wrong_clock_only_what_passes_counts(created: int, closes: float) -> None:
    """By it the first output came before the server began, and ten seconds after the start."""
    app = Writer()
    app.starts("a", 10)
    app.created("a", 11, created_at=created)
    app.puts_out("a", 20)
    app.beats(30, "a")
    assert span(app) == (created - SKEW, closes)


def test_by_a_wrong_clock_a_background_response_began_to_run_no_sooner_than_it_was_made() -> None:
    """Its container is born up to a minute after that, for all that its writer's clock shows."""
    app = Writer()
    app.starts("a", 10, background=True)
    app.created("a", 12, created_at=110, status="in_progress")
    app.beats(30, "a")
    assert span(app) == (110 - SKEW, 110 + 2 + UNKNOWN + SKEW + 60)


def test_no_end_comes_before_the_server_was_done() -> None:
    """Whatever its writer's clock shows."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 20, created_at=10, completed_at=40)
    app.beats(30)
    assert span(app, whole_life=True)[1] == 40 + SKEW


@pytest.mark.parametrize("output", [False, True])
def test_what_a_wrong_clock_tells_of_an_end_closes_whole_life_windows_late(*, output: bool) -> None:
    """Nothing that is born for ever after may pass for its container."""
    app = Writer()
    app.starts("a", 10)
    if output:
        app.puts_out("a", 12)
    app.ends("a", 20, created_at=26)
    app.beats(30)
    assert span(app, whole_life=True) == (26 - SKEW, 26 + 10 + UNKNOWN + SKEW)


def test_whatever_another_clock_tells_of_the_start_bounds_no_end() -> None:
    """How long it took is known by one clock alone; the end may come with the start."""
    app, other = Writer(), Writer("app-2")
    app.starts("a", 20)
    app.ends("a", 20, created_at=26)
    app.beats(30)
    assert span(app, whole_life=True)[1] == 26 + UNKNOWN + SKEW
    begun = Writer()
    begun.starts("a", 10)
    other.ends("a", 20, created_at=26)
    for each in (begun, other):
        each.beats(30)
    assert span(begun, other, whole_life=True)[1] == inf


@pytest.mark.parametrize(("more", "closes"), [({}, inf), ({"completed_at": 40}, 40 + SKEW)])
def test_where_no_start_tells_how_long_it_took_the_server_alone_tells_of_the_end(
    more: dict[str, Any], closes: float
) -> None:
    """Or nobody; such a response has no slot that is known."""
    app = Writer()
    app.ends("a", 20, created_at=26, **more)
    app.beats(30)
    assert span(app, whole_life=True)[1] == closes


def test_it_opens_at_the_start_and_closes_at_the_end() -> None:
    """Each widened by what clocks may be off."""
    app = Writer()
    app.starts("a", 10)
    app.beats(20, "a")
    assert span(app) == (10 - SKEW, inf)
    app.ends("a", 200)
    assert span(app) == (10 - SKEW, 200 + SKEW)


def test_a_clock_that_nobody_knows_widens_it() -> None:
    """By what it may be off, either way."""
    app = Writer()
    app.starts("a", 10)
    app.ends("a", 200)
    unknown = RULES.max_event_delay
    assert span(app) == (10 - unknown - SKEW, 200 + unknown + SKEW)


def test_the_servers_time_and_the_first_output_narrow_it() -> None:
    """But not whole-life windows, which only the end closes."""
    app = Writer()
    app.beats(0)
    app.starts("a", 10)
    app.created("a", 12, created_at=11)
    assert span(app) == (11 - SKEW, 11 + SKEW + DELAY)
    app.puts_out("a", 20)
    assert span(app) == (11 - SKEW, 20 + SKEW)
    app.ends("a", 300)
    assert span(app, whole_life=True) == (11 - SKEW, 300 + SKEW)


def test_a_background_response_counts_from_when_it_ran() -> None:
    """It opens when last seen queued, and has its delay from when first seen running."""
    app = Writer()
    app.beats(0)
    app.starts("a", 10, background=True)
    app.created("a", 12, created_at=11, status="queued")
    app.created("a", 40, created_at=11, status="queued")
    assert span(app) == (40 - SKEW, inf)
    app.created("a", 50, created_at=11, status="in_progress")
    assert span(app) == (40 - SKEW, 50 + SKEW + DELAY)


def test_a_direct_connection_bounds_it_by_the_last_byte() -> None:
    """Sent, or cut off by a goodbye."""
    app = Writer()
    app.beats(0)
    app.starts("a", 10, direct=True)
    assert span(app)[1] == inf
    app.created("a", 15, sent_at=14)
    assert span(app)[1] == 14 + SKEW + DELAY
    gone = Writer()
    gone.beats(0)
    gone.starts("a", 10, direct=True)
    gone.beats(30, "a", final=True)
    assert span(gone)[1] == 30 + SKEW + DELAY
    assert span(app, retired={"app-1": T + 12})[1] == 12 + SKEW + DELAY
    assert span(app, retired={"app-1": T + 20})[1] == 14 + SKEW + DELAY


def test_a_request_that_has_arrived_bounds_a_call_that_runs() -> None:
    """From the moment by which it had, by the writer's own clock; of several the latest counts."""
    app = Writer(offset=7)
    app.beats(0)
    app.starts("a", 10, direct=True)
    app.sent("a", 10)
    assert span(app)[1] == 10 + SKEW + DELAY
    app.sent("a", 11.25)
    assert span(app)[1] == 11.25 + SKEW + DELAY
    app.sent("a", 90, sent_at=20 + 7)
    app.sent("a", 91, sent_at=15 + 7)
    assert span(app)[1] == 20 + SKEW + DELAY
    assert span(app, whole_life=True)[1] == inf
    app.ends("a", 60)
    assert span(app)[1] == 60 + SKEW


@pytest.mark.parametrize(
    ("direct", "background", "teller", "sent_at"),
    [
        (False, False, "app-1", 11),  # a proxy may hold it back
        (True, True, "app-1", 11),  # it may be queued
        (True, False, "app-2", 11),  # only who sent it can know
        (True, False, "app-1", 9.5),  # before it was begun: a clock was set
        (True, False, None, 11),  # its start is not known yet
    ],
)
def test_who_cannot_know_that_a_request_has_arrived(
    direct: Any, background: Any, teller: str | None, sent_at: float
) -> None:
    """What they say of it leaves the window open, whichever is read first."""
    app, other = Writer(), Writer("app-2")
    app.beats(0)
    other.beats(0)
    if teller is not None:
        app.starts("a", 10, direct=direct, background=background)
    (other if teller == "app-2" else app).sent("a", 12, sent_at)
    assert span(app, other)[1] == span(other, app)[1] == inf


def test_that_a_request_has_arrived_bounds_no_contradicted_call() -> None:
    """The other of the two starts may be another request."""
    one, other = Writer(), Writer("app-2")
    one.starts("a", 10, direct=True)
    other.starts("a", 30, direct=True)
    one.sent("a", 11)
    other.sent("a", 31)
    assert span(one, other)[1] == span(other, one)[1] == inf


@pytest.mark.parametrize("known", [True, False])
def test_of_a_call_with_two_starts_the_earliest_opens_it(*, known: bool) -> None:
    """And nothing but a person's word closes it, whatever the clocks are."""
    one, other = Writer(), Writer("app-2")
    if known:
        one.beats(0)
        other.beats(0)
    one.starts("a", 10)
    other.starts("a", 30)
    ahead = 0 if known else RULES.max_event_delay
    assert span(one, other) == (10 - ahead - SKEW, inf)
    one.created("a", 31, created_at=-100)
    one.puts_out("a", 32)
    assert span(one, other) == (-100 - SKEW, inf)
    other.created("a", 33, created_at=500)
    assert span(one, other) == (-100 - SKEW, inf)
