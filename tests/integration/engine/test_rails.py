"""Every rail trips over real HTTP, holds the whole sweep, and opens only by a person's resume."""

import asyncio
import time
from dataclasses import replace

import pytest
from structlog.typing import EventDict
from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench, Running, with_rails
from tests.integration.engine.test_api_faults import named_everywhere

from demurrage.decide.holds import resume
from demurrage.model.condition import ConditionKind
from demurrage.model.plan import Hold, Mode, Rail
from demurrage.model.record import BirthTally

LEAKED = 5


def held_by(running: Running, rail: Rail) -> Hold | None:
    """The open hold of a rail that nobody has answered."""
    for hold in running.store.holds("default"):
        if hold.rail is rail and hold.resumed_at is None:
            return hold
    return None


def contained(running: Running, rail: Rail) -> frozenset[str]:
    """What the open hold of a rail keeps back."""
    hold = held_by(running, rail)
    return frozenset() if hold is None else hold.containers


def seen(running: Running) -> set[str]:
    """What the store takes for alive."""
    known = running.store.sightings("default", alive_or_born_after=time.time() + 60)
    return {each.id for each in known.values() if each.alive}


def say_yes(running: Running, rail: Rail, seconds: float = 60.0) -> Hold:
    """A person resumes the hold, as the command does."""
    hold = held_by(running, rail)
    assert hold is not None
    now = time.time()
    running.store.save_hold(resume(hold, now=now, until=now + seconds, by="me"))
    return hold


def reaches(count: int, bench: Bench) -> bool:
    """True once so many containers are deleted."""
    deleted: int = bench.totals()["deleted"]
    return deleted >= count


@pytest.mark.parametrize(
    ("rail", "changes"),
    [
        (Rail.DELETES_PER_HOUR, {"max_deletes_per_hour": LEAKED - 1}),
        (Rail.DELETES_PER_CYCLE, {"max_deletes_per_cycle": LEAKED - 1}),
        (Rail.DELETED_SHARE, {"max_deleted_share": 0.5, "min_population": 1}),
    ],
)
async def test_a_wave_is_held_whole_until_a_person_lets_that_wave_go(
    bench: Bench, lines: list[EventDict], rail: Rail, changes: dict[str, float]
) -> None:
    """Not one goes before the yes; those of the hold go by it, and the next wave asks again."""
    bench.rules = with_rails(AT_ONCE, **changes)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        await running.turn_until(lambda: named_everywhere(running, ConditionKind.RAIL_HELD))
        await running.turn_until(lambda: len(contained(running, rail)) == LEAKED)
        assert DELETED not in bench.called()
        assert any(each["event"] == "hold_opened" and each["rail"] == rail for each in lines)
        shown = running.engine.statuses["default"]["holds"]
        assert [each["rail"] for each in shown] == [rail]
        assert running.engine.statuses["default"]["effective_mode"] == "held"

        first = say_yes(running, rail)
        await running.turn_until(lambda: reaches(LEAKED, bench))
        conditions = running.open_kinds
        await running.turn_until(lambda: ConditionKind.RAIL_HELD not in conditions())
        # All its containers are gone: the yes is used up.
        await running.turn_until(lambda: not running.store.holds("default"))

        await app.leak(LEAKED)
        await running.turn_until(lambda: held_by(running, rail) is not None)
        await running.turn_for(0.6)
        second = held_by(running, rail)
        assert second is not None
        assert second.id != first.id
        assert bench.called()[DELETED] == LEAKED
    assert bench.totals()["orphans_deleted"] == LEAKED


async def test_a_yes_is_for_what_was_held_and_not_for_what_comes_after(bench: Bench) -> None:
    """What falls due after the resume opens a hold of its own."""
    bench.rules = with_rails(AT_ONCE, max_deletes_per_cycle=LEAKED - 1)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        rail = Rail.DELETES_PER_CYCLE
        await running.turn_until(lambda: held_by(running, rail) is not None)
        await app.leak(LEAKED)
        held = held_by(running, rail)
        assert held is not None
        first = say_yes(running, rail)
        await running.turn_until(lambda: held_by(running, rail) is not None)
        await running.turn_for(0.6)
        deletions = running.store.deletions("default")
        assert {each.container_id for each in deletions} <= first.containers
        assert {each.hold_id for each in deletions} == {first.id}


async def test_a_hold_lapses_when_its_containers_are_gone(bench: Bench) -> None:
    """Nobody need answer for containers that have expired meanwhile."""
    bench.rules = replace(
        with_rails(AT_ONCE, max_deletes_per_cycle=LEAKED - 1),
        billing=replace(AT_ONCE.billing, idle_expiry=4.0),
    )
    bench.admin.settings(idle_expiry=400.0)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(LEAKED)
        await running.turn_until(lambda: held_by(running, Rail.DELETES_PER_CYCLE) is not None)
        await running.turn_until(lambda: not running.store.holds("default"))
        assert ConditionKind.RAIL_HELD not in running.open_kinds()
        assert DELETED not in bench.called()


async def test_the_share_is_judged_by_the_targets_own_past(bench: Bench) -> None:
    """Where most containers were always used, a wave of orphans means lost references."""
    bench.rules = with_rails(AT_ONCE, min_population=5)
    hour = int(time.time() // 3600)
    past = [BirthTally(hour - back, births=50, logged=50, deleted=2) for back in range(2, 30)]
    async with bench.engine() as running, running.application() as app:
        running.store.tally("default", past)
        await running.turn()
        await app.leak(25)
        rail = Rail.DELETED_SHARE
        # Births lie in two seconds, so the later ones join the hold.
        await running.turn_until(lambda: len(contained(running, rail)) == 25)
        assert DELETED not in bench.called()
        say_yes(running, rail)
        await running.turn_until(lambda: reaches(25, bench))


async def test_a_deleted_container_that_is_named_later_stops_the_target(bench: Bench) -> None:
    """A reference that comes too late: the target only observes, and a page says so."""
    bench.rules = AT_ONCE
    rail, kind = Rail.REFERENCED_DELETED, ConditionKind.REFERENCED_DELETED
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(2)
        await running.turn_until(lambda: reaches(2, bench))
        lost = sorted(each.container_id for each in running.store.deletions("default"))
        app.writer.note("container.referenced", container_id=lost[0])
        await running.turn_until(lambda: named_everywhere(running, kind))
        assert (
            next(
                each["severity"]
                for each in running.engine.statuses["default"]["conditions"]
                if each["kind"] == kind
            )
            == "page"
        )
        await app.leak(LEAKED)
        await running.turn_for(2.5)
        assert bench.called()[DELETED] == 2

        say_yes(running, rail)
        # What a person has answered is not asked again, also not after a restart.
        await running.turn_until(lambda: reaches(2 + LEAKED, bench))
    async with bench.engine() as running:
        await running.turn()
        assert held_by(running, rail) is None


async def test_a_second_reaper_stops_the_target_until_a_person_resumes(bench: Bench) -> None:
    """Containers that vanish by another hand: nobody knows any more who is in charge."""
    bench.rules = AT_ONCE
    bench.admin.settings(delete_lag=[0.0, 0.0])
    rail, kind = Rail.SECOND_REAPER, ConditionKind.SECOND_REAPER
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        conversation = await app.converse()
        own = await app.client.containers.create(name="own")
        app.writer.note("container.created", container_id=own.id)
        await app.ask(use_tool=True)
        await running.turn()
        used = [key for key, each in bench.cases().items() if each["used_by"]]
        await app.client.containers.delete(own.id)  # its own: no concern of ours
        await running.turn_for(1.5)
        assert kind not in running.open_kinds()
        await app.client.containers.delete(used[1])
        await running.turn_until(lambda: named_everywhere(running, kind))
        await app.leak(LEAKED)
        await running.turn_for(2.0)
        assert DELETED not in bench.called()
        say_yes(running, rail)
        await running.turn_until(lambda: reaches(LEAKED + 2, bench))
        await running.turn_for(0.6)
        assert held_by(running, rail) is None
        await app.ask(use_tool=True, conversation=conversation)
    assert bench.totals()["harm"] == 0


async def test_an_application_deletes_all_that_it_created_at_once(bench: Bench) -> None:
    """Most of what lived is gone, and the list is believed: the log tells whose that was."""
    bench.rules = AT_ONCE
    bench.admin.settings(delete_lag=[0.0, 0.0])
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        own = [await app.client.containers.create(name="own") for _ in range(6)]
        for each in own:
            app.writer.note("container.created", container_id=each.id)
        await running.turn_until(lambda: len(seen(running)) == len(own))
        await running.turn_for(0.6)
        for each in own:
            await app.client.containers.delete(each.id)
        await app.leak(1)
        await running.turn_until(lambda: reaches(len(own) + 1, bench))
        assert ConditionKind.LISTING_SHRANK not in bench.hooks.opened
        assert held_by(running, Rail.SECOND_REAPER) is None


async def test_deletes_that_a_restored_store_has_forgotten_accuse_nobody(bench: Bench) -> None:
    """They were this daemon's own; only what goes after it was seen again is another's doing."""
    bench.rules = replace(AT_ONCE, billing=replace(AT_ONCE.billing, idle_expiry=60.0))
    bench.mode = Mode.OBSERVE
    bench.admin.settings(delete_lag=[0.0, 0.0], idle_expiry=6000.0)
    copy = bench.folder / "copy.db"
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        await app.leak(2)
        await asyncio.gather(app.ask(use_tool=True), app.ask(use_tool=True))
        await running.turn_until(lambda: len(seen(running)) == 4)
        running.store.backup(copy)
    bench.mode = Mode.ENFORCE
    async with bench.engine() as running:
        await running.turn_until(lambda: reaches(2, bench))
    copy.replace(bench.store_file)
    for leftover in bench.folder.glob("demurrage.db-*"):
        leftover.unlink()
    async with bench.engine() as running:
        used = {key for key, each in bench.cases().items() if each["used_by"]}
        assert len(seen(running)) == 4
        await running.turn_until(lambda: seen(running) == used)
        await running.turn()
        assert held_by(running, Rail.STORE_RESTORED) is not None
        assert held_by(running, Rail.SECOND_REAPER) is None
        status = running.engine.statuses["default"]
        assert (status["mode"], status["effective_mode"]) == ("enforce", "observe")
        bench.client.containers.delete(min(used))
        await running.turn_until(lambda: held_by(running, Rail.SECOND_REAPER) is not None)
    assert bench.called()[DELETED] == 2


@pytest.mark.parametrize("pause", [0.0, 6.0])
async def test_default_rails_let_normal_work_and_catching_up_pass(
    bench: Bench, pause: float
) -> None:
    """Minutes of load, and thirty scaled minutes without a cycle in the midst, need nobody."""
    bench.rules = AT_ONCE
    bench.admin.settings(scale=300.0)
    async with bench.engine() as running, running.application() as app:
        await running.turn()
        end = time.monotonic() + 4.0 + pause
        paused = False
        while time.monotonic() < end:
            await asyncio.gather(app.ask(), app.ask(), app.ask(use_tool=True))
            if pause and not paused and time.monotonic() > end - pause - 2.0:
                paused = True
                resumed = time.monotonic() + pause
                while time.monotonic() < resumed:
                    await asyncio.gather(app.ask(), app.ask())
            await running.turn()
        await running.turn_until(
            lambda: (
                bench.totals()["orphans_deleted"] > 0
                and all(each["gone_at"] for each in bench.cases().values() if each["orphan"])
            )
        )
        assert not running.store.holds("default")
        assert not bench.hooks.holds
    assert (bench.totals()["harm"], bench.totals()["named_deleted"]) == (0, 0)
