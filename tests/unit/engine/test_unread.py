"""When an unread response is tried again, and when a person is told."""

from base64 import b64encode

from tests.unit.provider.fake import BASE

from demurrage.engine.readings import events_of
from demurrage.engine.unread import Unread, unretrievable_condition
from demurrage.eventlog.parse import read_lines
from demurrage.model.condition import ConditionKind
from demurrage.model.event import (
    RESOLVER,
    Created,
    Ending,
    Finished,
    Slot,
    Started,
    Tool,
)
from demurrage.model.listing import Failure
from demurrage.model.resolution import Resolution, ResolveOutcome, ResponseReading

HOUR = 3600.0


def failed(
    kind: ConditionKind = ConditionKind.SERVER_ERROR,
    outcome: ResolveOutcome = ResolveOutcome.FAILED,
) -> Resolution:
    """An attempt that brought nothing."""
    return Resolution("resp_1", outcome, failure=Failure(kind, "no"))


def waits(unread: Unread, resolution: Resolution, count: int, now: float = 0.0) -> list[float]:
    """How long each of so many like attempts is waited for, tried as soon as it is due."""
    found = []
    for _ in range(count):
        unread.note(resolution, now)
        start = now
        while not unread.due(["resp_1"], now):
            now += 1.0
        found.append(now - start)
    return found


def test_a_failing_one_is_tried_ever_more_seldom() -> None:
    """From ten seconds to five minutes."""
    assert waits(Unread(10.0), failed(), 8) == [10, 20, 40, 80, 160, 300, 300, 300]


def test_one_that_is_gone_is_tried_once_an_hour() -> None:
    """The API may find it again, or the wrong key may be replaced."""
    gone = failed(ConditionKind.UNEXPECTED_ANSWER, ResolveOutcome.GONE)
    found = waits(Unread(10.0), gone, 12)
    assert found[:3] == [10, 20, 40]
    assert found[-1] == HOUR


def test_one_that_runs_is_looked_at_every_minute() -> None:
    """Its end is wanted soon: it blocks."""
    running = Resolution("resp_1", ResolveOutcome.RUNNING)
    assert waits(Unread(10.0), running, 6) == [10, 20, 40, 60, 60, 60]


def test_all_are_tried_and_the_least_tried_come_first() -> None:
    """One that fails for ever must not keep the others waiting."""
    unread = Unread(10.0)
    unread.due(["resp_1", "resp_2"], 0.0)
    unread.note(failed(), 0.0)
    assert unread.due(["resp_1", "resp_2", "resp_3"], 100.0) == ["resp_2", "resp_3", "resp_1"]


def test_a_person_is_told_after_three_times_gone() -> None:
    """Once could be too early: the API may not have shown it yet."""
    unread = Unread(10.0)
    gone = failed(ConditionKind.UNEXPECTED_ANSWER, ResolveOutcome.GONE)
    for expected in ((), (), ("resp_1",)):
        unread.note(gone, 0.0)
        assert unread.unretrievable(0.0) == expected


def test_a_person_is_told_after_an_hour_of_failures() -> None:
    """A success in between begins it anew."""
    unread = Unread(10.0)
    unread.note(failed(), 0.0)
    assert unread.unretrievable(HOUR - 1) == ()
    assert unread.unretrievable(HOUR) == ("resp_1",)
    unread.note(Resolution("resp_1", ResolveOutcome.RUNNING), HOUR)
    assert unread.unretrievable(HOUR) == ()
    unread.note(failed(), HOUR + 1)
    assert unread.unretrievable(HOUR + 2) == ()


def test_a_person_is_told_at_once_of_a_key_that_may_not_read() -> None:
    """No patience helps there."""
    for kind in (ConditionKind.MISSING_SCOPE, ConditionKind.UNAUTHORIZED):
        unread = Unread(10.0)
        unread.note(failed(kind), 0.0)
        assert unread.unretrievable(0.0) == ("resp_1",)


def test_one_that_is_settled_is_no_more_spoken_of() -> None:
    """Whoever settled it."""
    unread = Unread(10.0)
    unread.note(failed(ConditionKind.UNAUTHORIZED), 0.0)
    unread.due([], 1.0)
    assert unread.unretrievable(1.0) == ()


def test_the_condition_names_some_and_counts_all() -> None:
    """A line has room for a few."""
    told = unretrievable_condition("default", tuple(f"resp_{n}" for n in range(5)))
    assert told.kind is ConditionKind.UNRETRIEVABLE_RESPONSES
    assert "resp_0, resp_1, resp_2 and 2 more" in told.summary
    assert "resp_3" not in told.summary


def reading(**changes: object) -> ResponseReading:
    """A completed response."""
    values: dict[str, object] = {
        "response_id": "resp_1",
        "status": "completed",
        "ending": Ending.COMPLETED,
        "created_at": float(BASE),
        "completed_at": BASE + 20.0,
        "background": True,
        "model": "gpt-5",
        "previous_response_id": "resp_0",
        "conversation": "conv_1",
        "slots": (Slot(Tool.SHELL, "4g"),),
        "spreads": False,
        "named": frozenset({"cntr_2"}),
        "carried": frozenset({"cntr_1"}),
        "asked_at": BASE + 100.0,
        "answered_at": BASE + 101.0,
        **changes,
    }
    return ResponseReading(**values)  # type: ignore[arg-type]


def test_a_reading_to_the_end_becomes_a_start_and_an_end() -> None:
    """What the log's border makes of it is what was read."""
    start, end = [each.event for each in read_lines(events_of("default", reading(), begun=False))]
    assert start.source == end.source == RESOLVER
    assert start.sequence is end.sequence is None
    assert start.time == BASE
    assert start.fact == Started(
        "resp_1",
        (Slot(Tool.SHELL, "4g"),),
        frozenset({"cntr_1"}),
        "resp_0",
        "conv_1",
        background=True,
        model="gpt-5",
    )
    assert end.time == BASE + 21
    assert isinstance(end.fact, Finished)
    assert (end.fact.call_id, end.fact.response_id) == ("resp_1", "resp_1")
    assert (end.fact.created_at, end.fact.completed_at) == (BASE, BASE + 20)
    assert end.fact.containers == {"cntr_2"}


def test_an_end_without_a_moment_has_come_by_the_answer() -> None:
    """Nor is one believed that lies before the beginning or after the answer."""
    for completed_at in (None, BASE - 5.0, BASE + 500.0):
        (line,) = read_lines(events_of("default", reading(completed_at=completed_at), begun=True))
        assert line.event.time == BASE + 101


def test_what_is_queued_was_so_when_it_was_asked_for() -> None:
    """It may have begun while the answer travelled; what runs had begun when it came."""
    for status, at in (("queued", BASE + 100), ("in_progress", BASE + 101)):
        read = reading(status=status, ending=None, completed_at=None)
        (line,) = read_lines(events_of("default", read, begun=True))
        assert line.event.time == at
        assert isinstance(line.event.fact, Created)
        assert line.event.fact.status == status


def test_one_in_which_agents_run_is_open_as_long_as_it_runs() -> None:
    """That it was seen running closes no window of it, and nothing opens one late."""
    read = reading(
        status="in_progress", ending=None, completed_at=None, spreads=True, background=False
    )
    start, news = [each.event.fact for each in read_lines(events_of("default", read, begun=False))]
    assert isinstance(start, Started)
    assert start.background
    assert isinstance(news, Created)
    assert news.status is None


def test_what_stands_for_other_items_is_told() -> None:
    """Any container may be in its context."""
    start = next(iter(read_lines(events_of("default", reading(opaque=True), begun=False))))
    assert isinstance(start.event.fact, Started)
    assert start.event.fact.opaque


def test_ids_that_a_proxy_has_rewritten_come_out_as_the_providers() -> None:
    """Unless they can be decoded they may mean any container, and the log says so."""
    inner = "cntr_" + "a" * 48
    text = f"litellm:custom_llm_provider:openai;model_id:gpt;container_id:{inner}"
    wrapped = "cntr_" + b64encode(text.encode()).decode()
    broken = "cntr_bGl0ZWxsbTp!"
    for name, containers, undecodable in ((wrapped, {inner}, False), (broken, {broken}, True)):
        read = reading(named=frozenset({name}))
        (line,) = read_lines(events_of("default", read, begun=True))
        assert isinstance(line.event.fact, Finished)
        assert line.event.fact.containers == containers
        assert line.event.undecodable is undecodable
