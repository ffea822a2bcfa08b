"""Events that wait outside the log, and what is done about proven deaths."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from tests.unit.engine.test_look import Api, Clock, EmptyLog, T

from demurrage.decide.ledger import Ledger
from demurrage.engine.evidence import Evidence, Reading, Unreadable
from demurrage.engine.look import Target
from demurrage.engine.retiring import all_over, has_left, retire_dead
from demurrage.model.error import LogUnreadableError
from demurrage.model.event import Batch, Entry, Event, Heartbeat
from demurrage.model.gathering import Gathered
from demurrage.model.plan import Mode
from demurrage.model.rules import EvidenceRules, Rules

if TYPE_CHECKING:
    from demurrage.engine.ports import Store

DEAD = frozenset({"w"})


@dataclass
class Feed:
    """A feed that answers as it is told, and notes that it was asked."""

    answers: list[Gathered | LogUnreadableError]
    asked: list[str]

    def gather(self) -> Gathered:
        """The next answer."""
        self.asked.append("gather")
        answer = self.answers.pop(0)
        if isinstance(answer, LogUnreadableError):
            raise answer
        return answer

    def tidy(self, over: Callable[[str], bool]) -> None:
        """Note who is over."""
        self.asked.append(f"tidy {over('w')}")


class Log(EmptyLog):
    """A log that notes when it is read."""

    def __init__(self, asked: list[str]) -> None:
        self.asked = asked

    def read(self, after: int, limit: int) -> Batch:
        """Nothing, as ever."""
        self.asked.append("read")
        return super().read(after, limit)


async def test_the_log_is_read_after_what_waits_outside_is_in_it() -> None:
    """Else it would not be read to its end; a backlog or trouble there means no reading."""
    asked: list[str] = []
    feed = Feed(
        [
            Gathered(whole=True, dead=DEAD),
            Gathered(whole=False, left=7, dead=DEAD),
            LogUnreadableError("app.jsonl cannot be read"),
            Gathered(whole=True),
        ],
        asked,
    )
    evidence, clock = Evidence(Log(asked), None, 60.0, feed), Clock()
    first = await evidence.read(clock)
    assert isinstance(first, Reading)
    assert evidence.dead == DEAD
    assert asked == ["gather", "read"]
    behind = await evidence.read(clock)
    assert isinstance(behind, Unreadable)
    assert behind.behind
    assert evidence.dead == frozenset()
    assert await evidence.read(clock) == Unreadable("app.jsonl cannot be read")
    assert asked == ["gather", "read", "gather", "gather"]
    again = await evidence.read(clock)
    assert isinstance(again, Reading)
    assert again.since == again.read_at
    await evidence.tidy(lambda _: True)
    assert asked[-1] == "tidy True"


@dataclass
class Retired:
    """A store that only takes retirements."""

    calls: list[tuple[str, float, str]] = field(default_factory=list)

    def retire_writer(self, source: str, at: float, by: str) -> None:
        """Note it."""
        self.calls.append((source, at, by))


def ledger(last: float, **beat: Any) -> Ledger:
    """What one writer said."""
    made = Ledger()
    fact = Heartbeat(last, 0, clock_offset=0.0, **beat)
    made.fold([Entry(1, Event("1", "w", last, "default", fact, 1))])
    return made


def target(clock: Clock, writer_timeout: float = 60.0, name: str = "default") -> Target:
    """A target by whose rules a writer is judged."""
    rules = replace(Rules(), evidence=EvidenceRules(writer_timeout=writer_timeout))
    return Target(name, Api(clock), rules, Mode.ENFORCE)


async def retired(held: Ledger, *targets: Target, known: dict[str, float] | None = None) -> Any:
    """Whom a proven death of `w` retires."""
    store = Retired()
    await retire_dead({"w", "nobody"}, held, known or {}, targets, cast("Store", store))
    return store.calls


async def test_a_proven_death_is_recorded_as_of_the_latest_clock() -> None:
    """By then the process was dead on the time of every provider that it had to do with."""
    clocks = target(Clock(T)), target(Clock(T + 3)), target(Clock(T + 9), name="other")
    assert await retired(ledger(T - 61), *clocks) == [("w", T + 3, "its lock is gone")]


async def test_every_target_s_rules_must_allow_it() -> None:
    """Who is over already is left alone."""
    silent = ledger(T - 61)
    assert not await retired(silent, target(Clock()), target(Clock(), writer_timeout=120.0))
    assert not await retired(silent, target(Clock()), known={"w": T})
    assert not await retired(ledger(T - 61, final=True), target(Clock()))


@pytest.mark.parametrize("doubted", [Clock(T + 900, jumped=True), Clock(T + 900, offset=None)])
async def test_a_clock_that_is_not_trusted_tells_no_moment_of_a_death(doubted: Clock) -> None:
    """Another target's does not stand in for it; of whom it has to do with nobody waits for it."""
    silent = ledger(T - 61)
    assert not await retired(silent, target(doubted))
    assert not await retired(silent, target(doubted), target(Clock(), name="other"))
    found = await retired(silent, target(Clock()), target(doubted, name="other"))
    assert found == [("w", T, "its lock is gone")]


async def test_one_that_has_begun_nothing_is_retired_by_any_clock() -> None:
    """It may only have started and been killed."""
    made = Ledger()
    beat = Heartbeat(T - 61, 0, clock_offset=0.0)
    made.fold([Entry(1, Event("1", "w", T - 61, "", beat, 1))])
    found = await retired(made, target(Clock(T, offset=None)), target(Clock(T + 3), name="other"))
    assert found == [("w", T + 3, "its lock is gone")]


def test_who_said_goodbye_or_was_retired_is_over() -> None:
    """Nobody else is."""
    assert all_over(ledger(T, final=True), {}) == {"w"}
    assert all_over(ledger(T), {"w": T}) == {"w"}
    assert all_over(ledger(T), {}) == set()


def test_who_said_goodbye_or_was_retired_for_every_target_has_left() -> None:
    """One that spoke after it was retired, by the clocks that some target allows, has not."""
    strict, loose = EvidenceRules(clock_skew=1.0), EvidenceRules(clock_skew=9.0)

    def left(last: float, retired: dict[str, float], **beat: Any) -> bool:
        return has_left(retired, [strict, loose], ledger(last, **beat).sources["w"])

    assert left(T, {}, final=True)
    assert left(T, {"w": T})
    assert not left(T, {})
    assert not left(T + 5, {"w": T})
