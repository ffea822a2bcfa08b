"""What reaches a sink, when, and how often."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.alerts.build import COST, GAP, NOW, SCRIBE, begun, ended

from demurrage.alerts import courier as module
from demurrage.alerts.courier import FIRST_PAUSE, HANGS, LONGEST_PAUSE, Courier
from demurrage.alerts.dispatch import Dispatch
from demurrage.alerts.notice import Notice
from demurrage.alerts.sink import Sink, SinkFailedError, Unusable
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.error import StoreFailedError
from demurrage.model.incident import Incident, IncidentChanges
from demurrage.store import SqlStore, open_store

ALL = frozenset(Severity)


@dataclass
class Double:
    """A sink that remembers, and fails while it has a reason to."""

    remind_every: float | None = None
    fault: str = ""
    reason: str = ""
    told: list[str] = field(default_factory=list)
    reminded: list[list[str]] = field(default_factory=list)

    def tell(self, notice: Notice) -> None:
        """Remember the title."""
        if self.reason:
            raise SinkFailedError(self.reason)
        self.told.append(notice.title)

    def remind(self, notices: Sequence[Notice]) -> None:
        """Remember the titles."""
        if self.reason:
            raise SinkFailedError(self.reason)
        self.reminded.append([each.title for each in notices])


@dataclass
class Bench:
    """A store, a clock, and couriers on both."""

    path: Path
    store: SqlStore
    now: float = NOW
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def courier(
        self, sink: Sink, name: str = "chat", severities: frozenset[Severity] = ALL
    ) -> Courier:
        """One that goes only when it is told to."""

        def count(sink: str, outcome: str) -> None:
            self.counts[sink, outcome] += 1

        return Courier(
            name,
            sink,
            severities=severities,
            accounts=self.store,
            scribe=SCRIBE,
            on_told=count,
            clock=lambda: self.now,
        )

    def opened(self, condition: Condition = GAP) -> Incident:
        """An incident that is open."""
        (one,) = self.store.save_incidents([begun(condition)])
        return one

    def over(self, incident: Incident) -> None:
        """It ends."""
        self.store.save_incidents([ended(incident)])


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A new store."""
    path = tmp_path / "demurrage.db"
    with open_store(f"sqlite:///{path}", clock=lambda: NOW) as store:
        yield Bench(path, store)


def test_each_change_is_told_once(bench: Bench) -> None:
    """However often the courier looks, and whoever it is after a restart."""
    sink = Double()
    one = bench.opened()
    for _ in range(3):
        bench.courier(sink).round()
    bench.over(one)
    for _ in range(3):
        bench.courier(sink).round()
    assert sink.told == ["[warning] t: sequence_gap", "[over] t: sequence_gap"]
    assert bench.counts == {("chat", "delivered"): 2}


def test_what_is_below_its_severities_is_not_its_business(bench: Bench) -> None:
    """Nor is its own failure, which it could not hear of; others hear of that."""
    own = Condition(ConditionKind.SINK_FAILED, "", "x", Severity.PAGE, scope="chat")
    for condition in (GAP, COST, own):
        bench.opened(condition)
    chat, pager = Double(), Double()
    bench.courier(chat, "chat", frozenset({Severity.PAGE})).round()
    bench.courier(pager, "pager", frozenset({Severity.PAGE})).round()
    assert chat.told == ["[page] t: orphan_cost team=search"]
    assert pager.told == [*chat.told, "[page] sink_failed chat"]


def test_what_people_silence_or_acknowledge_is_not_sent(bench: Bench) -> None:
    """The one until the silence ends; the other until it is over, if it was ever told."""
    sink = Double()
    courier = bench.courier(sink)
    silent, noted = bench.opened(GAP), bench.opened(COST)
    bench.store.silence(silent.id, NOW + 60, NOW, "ann")
    bench.store.acknowledge(noted.id, NOW, "ann")
    courier.round()
    assert sink.told == []
    bench.now += 60
    courier.round()
    assert sink.told == ["[warning] t: sequence_gap"]


def test_a_failure_is_tried_again_ever_more_seldom(bench: Bench) -> None:
    """Through restarts too, and for ever."""
    sink = Double(reason="refused")
    bench.opened()
    tried = []
    while bench.now < NOW + 7200:
        before = bench.counts["chat", "failed"]
        bench.courier(sink).round()
        if bench.counts["chat", "failed"] > before:
            tried.append(bench.now)
        bench.now += FIRST_PAUSE
    pauses = [later - sooner for sooner, later in pairwise(tried)]
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert max(pauses) == pauses[-1] == LONGEST_PAUSE
    sink.reason = ""
    bench.now += LONGEST_PAUSE
    bench.courier(sink).round()
    assert sink.told == ["[warning] t: sequence_gap"]


def test_a_clock_that_was_set_back_keeps_nothing_waiting(bench: Bench) -> None:
    """What was tried in the future is due."""
    sink = Double(reason="refused")
    bench.opened()
    bench.courier(sink).round()
    bench.now -= 86_400
    sink.reason = ""
    bench.courier(sink).round()
    assert len(sink.told) == 1


def test_one_that_is_never_taken_keeps_nobody_else(bench: Bench) -> None:
    """What has failed least often goes first."""

    @dataclass
    class Picky(Double):
        def tell(self, notice: Notice) -> None:
            """Take all but one kind."""
            if notice.kind == GAP.kind:
                raise SinkFailedError("not that one")
            self.told.append(notice.title)

    sink = Picky()
    courier = bench.courier(sink)
    bench.opened(GAP)
    courier.round()
    bench.opened(COST)
    bench.now += FIRST_PAUSE
    courier.round()
    assert sink.told == ["[page] t: orphan_cost team=search"]


def test_a_sink_that_forgets_is_reminded(bench: Bench) -> None:
    """Of what it was told and still stands, silenced or not: else it would take it for over."""
    sink = Double(remind_every=60.0)
    courier = bench.courier(sink)
    one = bench.opened(GAP)
    courier.round()
    bench.store.acknowledge(one.id, NOW, "ann")
    for _ in range(25):
        bench.now += 5
        courier.round()
    assert sink.reminded == [["[warning] t: sequence_gap"]] * 2
    bench.over(one)
    bench.now += 60
    courier.round()
    assert sink.told[-1] == "[over] t: sequence_gap"
    bench.now += 60
    courier.round()
    assert len(sink.reminded) == 2


def test_a_reminder_that_fails_is_tried_again_at_once(bench: Bench) -> None:
    """And is trouble, like everything that does not arrive."""
    sink = Double(remind_every=60.0)
    courier = bench.courier(sink)
    bench.opened(GAP)
    courier.round()
    sink.reason = "away"
    for _ in range(14):
        bench.now += 5
        courier.round()
    assert courier.trouble == "away"
    sink.reason = ""
    bench.now += 5
    courier.round()
    assert courier.trouble == ""


def test_trouble_begins_with_the_second_failure_and_ends_with_a_success(bench: Bench) -> None:
    """Or when there is nothing to tell any more."""
    sink = Double(reason="refused")
    courier = bench.courier(sink)
    one = bench.opened()
    courier.round()
    assert courier.trouble == ""
    bench.now += FIRST_PAUSE
    courier.round()
    assert courier.trouble == "refused"
    bench.over(one)
    courier.round()
    assert courier.trouble == ""
    assert Unusable("no such service").fault == bench.courier(Unusable("no such service")).trouble


class Broken:
    """Accounts that cannot be read, or not be written."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.reads = self.writes = False

    def __getattr__(self, name: str) -> object:
        if self.writes if name.startswith("note") else self.reads:
            return getattr(self._store, name)

        def fail(*_: object) -> None:
            raise StoreFailedError("the store failed: no")

        return fail


def test_what_the_store_cannot_keep_is_told_all_the_same(bench: Bench) -> None:
    """That it fails is what people have to hear; told once, and noted when the store is back."""
    full = Condition(ConditionKind.DISK_FULL, "t", "No room.", Severity.PAGE)
    sink = Double(remind_every=60.0)
    courier = bench.courier(sink)
    broken = Broken(bench.store)
    courier._accounts = broken  # type: ignore[assignment]
    courier.wake([begun(full)])
    for broken.reads in (False, True):
        for _ in range(3):
            with pytest.raises(StoreFailedError) if not broken.reads else nullcontext():
                courier.round()
    assert sink.told == ["[page] t: disk_full"]
    broken.writes = True
    (kept,) = bench.store.save_incidents([begun(full)])
    courier.wake(())
    courier.round()
    assert sink.told == ["[page] t: disk_full"]
    assert [each.revision for each in bench.store.deliveries(kept.id)] == [1]
    assert all(titles == ["[page] t: disk_full"] for titles in sink.reminded)
    assert sink.reminded


@dataclass
class Hanging(Double):
    """A sink that takes a message and does not let go."""

    let_go: threading.Event = field(default_factory=threading.Event)
    holds: threading.Event = field(default_factory=threading.Event)

    def tell(self, notice: Notice) -> None:
        """Hang."""
        self.holds.set()
        self.let_go.wait(60)
        super().tell(notice)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for another thread."""
    waiting = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it never came to that")


def test_a_sink_that_hangs_delays_nobody(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the hook, not the others, not the end; it shows, and what it did not take is owed."""
    monkeypatch.setattr(module, "HANGS", 0.05)
    hanging, quick = Hanging(), Double()
    stuck, going = bench.courier(hanging, "stuck"), bench.courier(quick, "quick")
    dispatch = Dispatch([stuck, going])
    dispatch.start()
    try:
        one = bench.opened(GAP)
        dispatch.conditions("t", (), IncidentChanges((one,), opened=(one,)))
        assert hanging.holds.wait(30)
        wait_until(lambda: quick.told)
        wait_until(dispatch.troubles)
        (trouble,) = dispatch.troubles()
        assert (trouble.kind, trouble.scope) == (ConditionKind.SINK_FAILED, "stuck")
        assert "does not answer" in trouble.summary
        two = bench.opened(COST)
        dispatch.conditions("t", (), IncidentChanges((one, two), opened=(two,)))
        wait_until(lambda: len(quick.told) == 2)
        monkeypatch.setattr("demurrage.alerts.dispatch._PATIENCE", 0.1)
        dispatch.stop()
    finally:
        hanging.let_go.set()
    stuck.join(30)
    # It ended after the daemon had: what became of it is unknown, so it is owed still.
    assert [each.sink for each in bench.store.deliveries(one.id)] == ["quick"]


def test_a_minute_in_which_a_sink_hangs_delays_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the shipped times, on a clock of its own: it holds on until the minute is over.

    All the while a look each ten seconds finds something new, and goes on; the other sink hears
    of it at that very moment. What the one that hung did not hear is told to it afterwards.
    """
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: bench.now))
    hanging, quick = Hanging(), Double()
    dispatch = Dispatch([bench.courier(hanging, "stuck"), bench.courier(quick, "quick")])
    dispatch.start()
    try:
        for look, second in enumerate(range(0, 61, 10), start=1):
            bench.now = NOW + second
            one = bench.opened(replace(GAP, scope=f"writer {look}"))
            dispatch.conditions("t", (), IncidentChanges((one,), opened=(one,)))
            wait_until(lambda: len(quick.told) == look)  # noqa: B023 - waited for at once
            assert hanging.holds.wait(30)
            said = {each.scope for each in dispatch.troubles()}
            assert said == ({"stuck"} if second > HANGS else set())
        assert hanging.told == []
        hanging.let_go.set()
        wait_until(lambda: sorted(hanging.told) == sorted(quick.told))
        wait_until(lambda: not dispatch.troubles())
    finally:
        hanging.let_go.set()
        dispatch.stop()


def test_nothing_new_wakes_nobody(bench: Bench) -> None:
    """Words and money of an incident change with each look; no message follows from that."""
    courier = bench.courier(Double())
    dispatch = Dispatch([courier])
    kept = replace(begun(GAP), id=1)
    dispatch.conditions("t", (), IncidentChanges((kept,)))
    assert not courier._awake.is_set()
    dispatch.conditions("t", (), IncidentChanges((begun(GAP),)))
    assert courier._awake.is_set()
