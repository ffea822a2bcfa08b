"""For each question, each answer, from a provider that behaves so."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from tests.integration.canary.conftest import PACE, Lab

from demurrage.model.finding import Answer
from demurrage.provider.budget import CallBudget, Priority

YES, NO, UNCLEAR = Answer.YES, Answer.NO, Answer.UNCLEAR
EVERY_TURN = "replayed 2 of 2, previous_response_id 2 of 2, conversation 2 of 2"


async def test_whether_the_leak_exists(labs: Callable[[], Lab]) -> None:
    """Each tool-less turn makes a container, named or not; or none does, all being waited for."""
    await asyncio.gather(
        leaks_and_not(labs(), "leak-code-interpreter", "lazy_code_interpreter", "lazy_shell"),
        leaks_and_not(labs(), "leak-hosted-shell", "lazy_shell", "lazy_code_interpreter"),
    )


async def leaks_and_not(lab: Lab, question: str, knob: str, other: str) -> None:
    """Ask where the leak is mended, and where it is there for this tool alone."""
    lab.turn(**{knob: True})
    lab.pace = replace(PACE, patience=0.15)
    found = (await lab.ask(question))[question]
    assert (found.answer, lab.cases()) == (NO, [])
    lab.turn(**{knob: False, other: True})
    lab.pace = PACE
    found = (await lab.ask(question))[question]
    assert (found.answer, found.says) == (YES, EVERY_TURN)
    assert len(lab.cases()) == 6


async def test_what_needs_whole_seconds(labs: Callable[[], Lab]) -> None:
    """How late containers show, their name, and whether listing refreshes them: each answer."""
    prompt, late, nameless, refreshing, quiet = (labs() for _ in range(5))
    late.turn(visibility_lag=[300.0, 300.0], auto_name="auto-0a1b2c3d")
    late.pace = replace(PACE, patience=20.0)
    nameless.turn(auto_name="")
    refreshing.turn(list_refreshes_activity=True)
    answers = await asyncio.gather(
        prompt.ask("listed-late"),
        late.ask("listed-late", "auto-name"),
        nameless.ask("auto-name"),
        refreshing.ask("listing-refreshes"),
        quiet.ask("listing-refreshes"),
    )
    said = [(each.question, each.answer, each.says) for one in answers for each in one.values()]
    assert said == [
        ("listed-late", NO, "within 1 s"),
        ("auto-name", YES, "auto"),
        ("listed-late", YES, "later than 1 s"),
        ("auto-name", YES, "auto-…"),
        ("listed-late", NO, "within 1 s"),
        ("auto-name", NO, ""),
        ("listing-refreshes", YES, ""),
        ("listing-refreshes", NO, ""),
    ]


async def test_what_delete_does(lab: Lab) -> None:
    """The second DELETE tells what the first did."""
    for knobs, answer, says in (
        ({}, YES, "without a header"),
        ({"delete_needs_beta": True}, YES, "with OpenAI-Beta: containers=v1"),
        ({"delete_does_nothing": True}, NO, ""),
    ):
        lab.turn(**knobs)
        found = (await lab.ask("delete-removes"))["delete-removes"]
        assert (found.answer, found.says) == (answer, says)


async def test_what_a_call_in_flight_gets(lab: Lab) -> None:
    """Its container is taken away from under it, and it tells what came of that."""
    for lost, answer, says in (
        ("failed", YES, "the response is failed (server_error)"),
        ("404", YES, "HTTP 404"),
        ("400", YES, "HTTP 400"),
        ("500", YES, "HTTP 500"),
        ("unharmed", NO, "it completes"),
    ):
        lab.turn(lost_container=lost, default_seconds=[60.0, 60.0])
        found = (await lab.ask("in-flight-fails"))["in-flight-fails"]
        assert (found.answer, found.says) == (answer, says)


class SlowBudget(CallBudget):
    """Lets calls of the model wait for their turn."""

    async def acquire(self, priority: Priority) -> float:
        """Wait for longer than a call's head start."""
        if priority is Priority.RESOLVE:
            await asyncio.sleep(4 * PACE.head_start)
        return await super().acquire(priority)


async def test_a_call_that_has_not_left_is_not_in_flight(lab: Lab) -> None:
    """However late the budget lets it go, its container is there when it begins."""
    lab.turn(default_seconds=[60.0, 60.0])
    lab.budget = SlowBudget(100_000)
    found = (await lab.ask("in-flight-fails"))["in-flight-fails"]
    assert (found.answer, found.says) == (YES, "the response is failed (server_error)")


async def test_a_call_that_ends_too_soon_tells_nothing(lab: Lab) -> None:
    """What had ended before its container went proves nothing."""
    lab.pace = replace(PACE, head_start=20.0)
    assert (await lab.ask("in-flight-fails"))["in-flight-fails"].answer is UNCLEAR


async def test_trouble_is_unclear(lab: Lab) -> None:
    """An API that fails answers no question, in neither direction."""
    for kind, match in (
        ("missing_scope", "GET *"),
        ("spend_limit", "POST *"),
        ("server_error", "POST *"),
        ("html", "POST *"),
        ("no_data", "GET *"),
    ):
        lab.server.admin.fault(kind, match)
        found = await lab.ask()
        assert len(found) == 7
        assert {each.answer for each in found.values()} == {UNCLEAR}, kind
        lab.server.admin.clear_faults()
    assert not any(case["deleted_at"] for case in lab.cases())
