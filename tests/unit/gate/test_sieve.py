"""Which events of a streamed probe go on, and when."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from demurrage_recorder.gate.sieve import Sieve
from demurrage_recorder.gate.turn import Opener, turn_of

OPENER = Opener("open_code", "Opens it.")
Event = dict[str, Any]


def _sieve() -> Sieve:
    return Sieve(turn_of({"tools": []}, OPENER))


def _added(kind: str, name: str | None = None) -> Event:
    return {"type": "response.output_item.added", "item": {"type": kind, "name": name}}


CREATED: Event = {"type": "response.created"}
DELTA: Event = {"type": "response.some.delta"}
ENDED: Event = {"type": "response.completed", "response": {"id": "resp_1"}}
CALLED = _added("function_call", "open_code")
KINDS = [_added(kind) for kind in ("message", "reasoning", "web_search_call")]
KINDS.append(_added("function_call", "weather"))


def test_reasoning_waits_for_the_message_after_it() -> None:
    """Then all goes on in its order, and what follows goes on at once."""
    sieve, reasoning, message = _sieve(), _added("reasoning"), _added("message")
    held = [event for sent in (CREATED, reasoning, DELTA) for event in sieve.passed(sent)]
    assert held == []
    assert list(sieve.passed(message)) == [CREATED, reasoning, DELTA, message]
    assert list(sieve.passed(DELTA)) == [DELTA]


def test_another_call_waits_for_the_end() -> None:
    """The opener may be called beside it; then neither reaches the caller."""
    sieve, weather = _sieve(), _added("function_call", "weather")
    assert [event for sent in (weather, DELTA, CALLED) for event in sieve.passed(sent)] == []
    assert list(sieve.passed(ENDED)) == []
    assert sieve.asked
    assert sieve.response == {"id": "resp_1"}


@given(st.lists(st.sampled_from([*KINDS, DELTA])))
def test_without_a_call_of_the_opener_every_event_goes_on(events: list[Event]) -> None:
    """All of them, in their order, whatever was held on the way."""
    sieve = _sieve()
    sent = [CREATED, *events, ENDED]
    assert [event for one in sent for event in sieve.passed(one)] == sent
    assert list(sieve.rest()) == []


@given(st.lists(st.sampled_from([*KINDS, DELTA])), st.lists(st.sampled_from([*KINDS, DELTA])))
def test_after_a_call_of_the_opener_nothing_goes_on(
    before: list[Event], after: list[Event]
) -> None:
    """What has gone on ends with a message's events."""
    sieve = _sieve()
    sent = [CREATED, *before, CALLED, *after, ENDED]
    passed = [event for one in sent for event in sieve.passed(one)] + list(sieve.rest())
    assert passed == sent[: len(passed)]
    assert len(passed) <= len(before) + 1
    if passed:
        kinds = [event["item"]["type"] for event in passed if "item" in event]
        assert kinds[-1] == "message"
