import asyncio
import itertools

import pytest
from tests.unit.provider.conftest import Make
from tests.unit.provider.fake import error, page, reply

from demurrage.model.condition import ConditionKind as Kind
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.listing import Failure, Region
from demurrage.provider.budget import CallBudget, PausedError, Priority

pytestmark = pytest.mark.looptime(start=1000)

LIST, DELETE, RESOLVE = Priority.LIST, Priority.DELETE, Priority.RESOLVE


def now() -> float:
    """Virtual time."""
    return asyncio.get_running_loop().time()


async def spend(budget: CallBudget, count: int, priority: Priority = LIST) -> list[float]:
    """Acquire one after the other; the moments of the grants."""
    return [await budget.acquire(priority) for _ in range(count)]


def limited(after: float | None = None, kind: Kind = Kind.RATE_LIMITED) -> Failure:
    """An answer that asks for silence."""
    return Failure(kind, "x", 429, after)


@pytest.mark.parametrize("per_minute", [1, 7, 60, 100, 1000])
async def test_no_sixty_seconds_hold_more_than_the_limit(per_minute: int) -> None:
    """However the calls fall, the budget is never exceeded, and is used to the full."""
    budget = CallBudget(per_minute)
    grants = await spend(budget, per_minute * 3)
    for first, later in itertools.pairwise(grants[:: max(1, per_minute)]):
        assert later - first >= 60 - 1e-6
    assert grants[-1] - grants[0] == pytest.approx(180 - 60 / per_minute, rel=0.2, abs=60)
    assert budget.snapshot().used_last_minute <= per_minute


async def test_a_cycles_few_calls_go_out_together() -> None:
    """A small burst is free, the rest is paced."""
    grants = await spend(CallBudget(60), 8)
    assert grants[4] - grants[0] < 0.001
    assert [round(grants[n + 1] - grants[n]) for n in (4, 5, 6)] == [1, 1, 1]


async def test_lists_come_first_and_deletes_still_go_on() -> None:
    """While both wait, every fourth grant is a delete: neither starves the other."""
    budget = CallBudget(60)
    await spend(budget, 5)
    order: list[Priority] = []

    async def one(priority: Priority) -> None:
        await budget.acquire(priority)
        order.append(priority)

    async with asyncio.TaskGroup() as group:
        for priority in [DELETE] * 6 + [LIST] * 9:
            group.create_task(one(priority))
    assert order == [LIST, LIST, LIST, DELETE] * 3 + [DELETE] * 3


async def test_targets_that_share_a_budget_take_turns() -> None:
    """Calls of one priority are granted in the order they came."""
    budget = CallBudget(60)
    order: list[int] = []

    async def one(number: int) -> None:
        await budget.acquire(LIST)
        order.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(one(number))
    assert order == list(range(20))


async def test_no_call_goes_out_before_retry_after() -> None:
    """A short silence is waited out."""
    budget = CallBudget(60)
    (granted,) = await spend(budget, 1)
    budget.note(granted, limited(4.0), {})
    start = now()
    await budget.acquire(DELETE)
    assert now() - start >= 4.0


async def test_a_long_silence_fails_calls_at_once_by_name() -> None:
    """Waiting and new calls are told why and for how long, so that a cycle can end."""
    budget = CallBudget(60)
    granted = (await spend(budget, 5))[-1]
    waiting = asyncio.create_task(budget.acquire(DELETE))
    await asyncio.sleep(0)
    budget.note(granted, limited(90.0), {})
    start = now()
    for pending in (waiting, budget.acquire(LIST)):
        with pytest.raises(PausedError) as caught:
            await pending
        assert (caught.value.kind, round(caught.value.seconds)) == (Kind.RATE_LIMITED, 90)
    assert now() == start
    figures = budget.snapshot()
    assert (figures.paused_by, round(figures.paused_for)) == (Kind.RATE_LIMITED, 90)
    await asyncio.sleep(91)
    await budget.acquire(LIST)
    assert budget.snapshot().paused_by is None


async def test_a_complaint_halves_the_rate_and_it_comes_back_slowly() -> None:
    """Multiplicative decrease, additive recovery: a twentieth of the limit a minute."""
    budget = CallBudget(60)
    for expected in (30, 15, 7.5, 3.75, 3.75):
        granted = await budget.acquire(LIST)
        budget.note(granted, limited(0.0), {})
        assert budget.snapshot().effective == pytest.approx(expected, abs=2)
        await asyncio.sleep(1)
    before = budget.snapshot().effective
    await asyncio.sleep(60)
    assert budget.snapshot().effective == pytest.approx(before + 3, abs=0.1)
    await asyncio.sleep(3600)
    assert budget.snapshot().effective == 60


async def test_complaints_of_one_volley_count_once() -> None:
    """Calls already under way when the rate was cut say nothing new."""
    budget = CallBudget(60)
    grants = await spend(budget, 5)
    for granted in grants:
        budget.note(granted, limited(0.0), {})
    assert budget.snapshot().effective == 30


async def test_without_retry_after_the_silence_doubles_and_a_success_ends_that() -> None:
    """1, 2, 4 … seconds; after a good answer it starts from 1 again."""
    budget = CallBudget(6000)
    for expected in (1, 2, 4):
        granted = await budget.acquire(LIST)
        budget.note(granted, limited(), {})
        assert budget.snapshot().paused_for == pytest.approx(expected)
        await asyncio.sleep(10)
    budget.note(await budget.acquire(LIST), None, {})
    budget.note(await budget.acquire(LIST), limited(kind=Kind.OVERLOADED), {})
    assert budget.snapshot().paused_for == pytest.approx(1)
    assert budget.snapshot().paused_by == Kind.OVERLOADED


async def test_a_spend_limit_pauses_for_long_under_its_own_name() -> None:
    """No backoff cures it, so it is asked about every five minutes."""
    budget = CallBudget(60)
    budget.note(await budget.acquire(LIST), limited(1.0, Kind.SPEND_LIMIT), {})
    figures = budget.snapshot()
    assert figures.paused_by == Kind.SPEND_LIMIT
    assert figures.paused_for == pytest.approx(300)
    assert figures.effective == 60


async def test_the_apis_own_limit_counts_where_it_is_lower() -> None:
    """`x-ratelimit-limit-requests` lowers the limit, and never raises it above the settings."""
    budget = CallBudget(60)
    granted = await budget.acquire(LIST)
    for header, expected in (("20", 20), ("10000", 60), ("garbage", 60), ("0", 1), ("-1", 1)):
        budget.note(granted, None, {"x-ratelimit-limit-requests": header})
        assert budget.snapshot().limit == expected


@pytest.mark.parametrize(
    ("reset", "seconds"), [("2s", 2), ("120ms", 0.12), ("1m0s", 60), ("6m0s", 60), ("?", 0)]
)
async def test_when_nothing_remains_it_waits_for_the_reset(reset: str, seconds: float) -> None:
    """`x-ratelimit-remaining-requests: 0` is heeded before a 429 says so, for a minute at most."""
    budget = CallBudget(6000)
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": reset}
    budget.note(await budget.acquire(LIST), None, headers)
    assert budget.snapshot().paused_for == pytest.approx(seconds)


async def test_a_burst_never_exceeds_what_remains() -> None:
    """With two requests left, two go out at once and no third."""
    budget = CallBudget(60)
    budget.note(await budget.acquire(LIST), None, {"x-ratelimit-remaining-requests": "2"})
    grants = await spend(budget, 3)
    assert grants[1] - grants[0] < 0.001
    assert grants[2] - grants[1] > 0.9


async def test_a_cancelled_call_gives_its_place_back() -> None:
    """Stopping a waiting call neither wedges the queue nor spends the budget."""
    budget = CallBudget(60)
    await spend(budget, 5)
    doomed = [asyncio.create_task(budget.acquire(LIST)) for _ in range(50)]
    await asyncio.sleep(0)
    assert budget.snapshot().waiting == 50
    for task in doomed:
        task.cancel()
    await asyncio.gather(*doomed, return_exceptions=True)
    start = now()
    await budget.acquire(LIST)
    assert now() - start <= 1.01
    assert budget.snapshot().used_last_minute == 6


async def test_a_call_cancelled_just_as_it_was_granted_is_given_back() -> None:
    """A grant that nobody takes does not count."""
    budget = CallBudget(60)
    await spend(budget, 5)
    task = asyncio.create_task(budget.acquire(LIST))
    await asyncio.sleep(0)
    assert budget._timer is not None
    asyncio.get_running_loop().call_at(budget._timer.when(), task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget.snapshot().used_last_minute == 5
    start = now()
    await budget.acquire(LIST)
    assert now() - start < 0.01


@pytest.mark.parametrize("seconds", [0, 1, 10, 45, 60, 90, 200])
@pytest.mark.parametrize("spent", [0, 3, 20, 70])
async def test_what_is_said_to_be_affordable_is_granted(spent: int, seconds: float) -> None:
    """A promise is kept to the call, and hardly more would have fitted."""
    budget = CallBudget(60)
    await spend(budget, spent)
    promised = budget.affordable(seconds)
    start = now()
    grants = await spend(budget, promised + 3)
    assert all(granted - start <= seconds + 0.01 for granted in grants[:promised])
    assert grants[-1] - start > seconds - 1.5


async def test_silence_and_waiting_calls_make_less_affordable() -> None:
    """Nothing is affordable while the API wants silence; who waits already comes first."""
    budget = CallBudget(60)
    granted = (await spend(budget, 5))[-1]
    waiting = [asyncio.create_task(budget.acquire(LIST)) for _ in range(4)]
    await asyncio.sleep(0)
    assert budget.affordable(10) == 6
    assert budget.affordable(2) == 0
    await asyncio.gather(*waiting)
    budget.note(granted, limited(30.0), {})
    assert budget.affordable(10) == 0
    assert budget.affordable(40) == 10


def test_a_budget_of_nothing_is_refused() -> None:
    """Less than one call a minute cannot watch anything."""
    with pytest.raises(ValueError, match="one request"):
        CallBudget(0)


async def test_a_429_silences_every_target_of_the_group(make: Make) -> None:
    """What one target is told, all that share its budget heed; nothing more is sent."""
    budget = CallBudget(60)
    one, _ = make(error(429, retry_after="60"), budget=budget)
    other, fake = make(page([]), budget=budget)
    await one.read([Region()])
    got = await other.read([Region()])
    assert got.failure is not None
    assert got.failure.kind == Kind.RATE_LIMITED
    assert got.failure.retry_after == pytest.approx(60, abs=1)
    assert (got.calls, got.stretches[0].finished, fake.requests) == (0, False, [])
    assert other.budget.paused_by == Kind.RATE_LIMITED
    deleted = await other.delete("cntr_1")
    assert deleted.failure is not None
    assert deleted.failure.kind == Kind.RATE_LIMITED
    await asyncio.sleep(61)
    assert (await other.read([Region()])).failure is None


async def test_deletes_keep_to_the_budget(make: Make) -> None:
    """A hundred deletes at sixty a minute take more than a minute and a half of paced time."""
    api, fake = make(reply(200, {"deleted": True}), per_minute=60)
    start = now()
    await asyncio.gather(*(api.delete(f"cntr_{n}") for n in range(100)))
    assert len(fake.requests) == 100
    assert 90 <= now() - start <= 125


async def test_reading_responses_has_a_quarter_at_most() -> None:
    """However many are unread, three quarters of the calls are left to listing and deleting."""
    budget = CallBudget(60)
    grants = await spend(budget, 60, RESOLVE)
    for first, later in itertools.pairwise(grants[::15]):
        assert later - first >= 60 - 1e-6
    assert grants[-1] - grants[0] < 260


async def test_reading_responses_waits_for_everything_else() -> None:
    """Lists and deletes that came later are granted before."""
    budget = CallBudget(60)
    await spend(budget, 5)
    order: list[Priority] = []

    async def one(priority: Priority) -> None:
        await budget.acquire(priority)
        order.append(priority)

    async with asyncio.TaskGroup() as group:
        group.create_task(one(RESOLVE))
        await asyncio.sleep(0.01)
        for priority in (DELETE, LIST, DELETE, LIST):
            group.create_task(one(priority))
    assert order[-1] is RESOLVE


async def test_what_is_affordable_does_not_count_unread_responses() -> None:
    """They come last, so they take nothing from deletes."""
    budget = CallBudget(60)
    await spend(budget, 5)
    before = budget.affordable(30)
    waiting = asyncio.create_task(budget.acquire(RESOLVE))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert budget.affordable(30) == before
    waiting.cancel()


async def test_a_complaint_slows_the_reading_of_responses_too() -> None:
    """Its share is one of what the API still takes."""
    budget = CallBudget(60)
    await spend(budget, 1, RESOLVE)
    budget.note(now(), limited(0.0), {})
    grants = await spend(budget, 8, RESOLVE)
    assert grants[-1] - grants[0] > 7 * 60 / 15


async def test_what_hinders_a_delete_after_its_wait_keeps_it_from_being_sent(make: Make) -> None:
    """It may wait for minutes: whether its evidence still stands is asked after the grant."""
    budget = CallBudget(1)
    api, fake = make(reply(200, {}), budget=budget)
    await budget.acquire(LIST)
    began, asked = now(), list[float]()

    def stale() -> Failure:
        asked.append(now())
        return Failure(Kind.EVIDENCE_STALE, "too old")

    answer = await api.delete("cntr_1", stale)
    assert [moment - began for moment in asked] == [pytest.approx(60, abs=1)]
    assert (answer.outcome, answer.failure) == (DeleteOutcome.FAILED, stale())
    assert not fake.wire
    # What was not sent is not counted against the limit.
    assert budget.affordable(0.1) == 1
