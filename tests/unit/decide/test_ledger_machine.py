"""The ledger against a model that knows the truth, whatever order the records arrive in."""

from dataclasses import dataclass, field
from math import inf
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.examples import examples
from tests.unit.decide.builders import TARGET, T, Writer, ledger_of

from demurrage.decide.ledger import NOBODY, Ledger
from demurrage.decide.watermark import watermark
from demurrage.model.event import Entry, Heartbeat, Record, SetAside, Started
from demurrage.model.rules import EvidenceRules

RULES = EvidenceRules()
UNKNOWN = RULES.max_event_delay
PLACES = st.integers(0, 1000)
STEPS = st.sampled_from([0.0, 0.5, 3.0, 20.0, 90.0])


@dataclass
class Truth:
    """One writer: all that it said and when, what of it is held, and what became of the rest."""

    writer: Writer
    said: dict[int, float] = field(default_factory=dict)
    waiting: list[Entry] = field(default_factory=list)
    held: list[Entry] = field(default_factory=list)
    flying: list[str] = field(default_factory=list)
    lost: int = 0
    aside: int = 0
    shown: int = 0
    conflict: int | None = None
    left: bool = False

    def contradict(self, place: int) -> None:
        """Two contents at one place; at 0, under one id."""
        self.conflict = place if self.conflict is None else min(self.conflict, place)

    def beats(self) -> list[Entry]:
        """Heartbeats whose every promise is kept by what is held."""
        places = {each.event.sequence for each in self.held}
        whole = 0
        while whole + 1 in places:
            whole += 1
        if self.conflict is not None:
            whole = min(whole, self.conflict - 1)
        begun = {fact.call_id for fact in self.facts() if isinstance(fact, Started)}
        return [
            each
            for each in self.held
            if isinstance(each.event.fact, Heartbeat)
            and each.event.fact.last_sequence <= whole
            and each.event.fact.in_flight <= begun
            and not each.event.fact.dropped
        ]

    def facts(self) -> list[object]:
        """What is held of it."""
        return [each.event.fact for each in self.held]

    def dropped(self) -> int:
        """How many events it says it has lost for good."""
        return max((f.dropped for f in self.facts() if isinstance(f, Heartbeat)), default=0)

    def ahead(self) -> float:
        """How far ahead of the provider its clock may be, as far as is known."""
        told = [f.clock_offset for f in self.facts() if isinstance(f, Heartbeat) and not f.final]
        known = [each for each in told if each is not None]
        return max(known) if known else UNKNOWN

    def gone(self, retired: float | None) -> bool:
        """Retired, and not certainly heard after that."""
        if retired is None:
            return False
        alive = [
            each.event.time
            for each in self.held
            if not (isinstance(each.event.fact, Heartbeat) and each.event.fact.final)
        ]
        return max(alive, default=-inf) - self.ahead() <= retired + RULES.clock_skew

    def departed(self) -> bool:
        """A goodbye is held with all before it, and nothing is known to follow it."""
        last = max(
            self.shown,
            *(each.event.sequence or 0 for each in self.held),
            *(f.last_sequence for f in self.facts() if isinstance(f, Heartbeat)),
        )
        return any(
            each.event.fact.final and each.event.sequence == last
            for each in self.beats()
            if isinstance(each.event.fact, Heartbeat)
        )


class LedgerMachine(RuleBasedStateMachine):
    """Writers speak; what they say arrives late, never, twice, garbled, or with two contents."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.truths: list[Truth] = []
        self.records: list[Record] = []
        self.retired: dict[str, float] = {}
        self.nobody = False
        self.ledger = Ledger()

    @initialize(offsets=st.lists(st.sampled_from([-29.0, 0.0, 12.0]), min_size=1, max_size=2))
    def begin(self, offsets: list[float]) -> None:
        """Every writer's first event arrives: one that was never heard of cannot be missed."""
        for number, offset in enumerate(offsets):
            truth = Truth(Writer(f"app-{number}", offset=offset))
            self.truths.append(truth)
            self._hold(truth, self._said(truth, truth.writer.beats(self.now)))

    def _said(self, truth: Truth, entry: Entry) -> Entry:
        assert entry.event.sequence is not None
        truth.said[entry.event.sequence] = self.now
        return entry

    def _hold(self, truth: Truth, entry: Entry) -> None:
        truth.held.append(entry)
        self._fold(entry)

    def _fold(self, record: Record) -> None:
        self.records.append(record)
        self.ledger.fold([record])

    def _one(self, place: int) -> Truth:
        return self.truths[place % len(self.truths)]

    @rule(
        place=PLACES,
        step=STEPS,
        what=st.sampled_from(["start", "end", "beat", "beat", "doubt", "drop", "goodbye"]),
        at_once=st.booleans(),
    )
    def speak(self, place: int, step: float, what: str, *, at_once: bool) -> None:
        """A writer says something, true to what it has done."""
        truth = self._one(place)
        if truth.left:
            return
        self.now += step
        writer = truth.writer
        match what:
            case "start":
                call = f"{writer.name}-{writer.sequence}"
                entry = writer.starts(call, self.now)
                truth.flying.append(call)
            case "end":
                call = truth.flying.pop() if truth.flying else "never-begun"
                entry = writer.ends(call, self.now)
            case _:
                truth.lost += what == "drop"
                truth.left = what == "goodbye"
                told = {"clock_offset": None} if what == "doubt" else {}
                entry = writer.beats(
                    self.now, *truth.flying, dropped=truth.lost, final=truth.left, **told
                )
        self._said(truth, entry)
        if at_once:
            self._hold(truth, entry)
        else:
            truth.waiting.append(entry)

    @rule(place=PLACES, which=PLACES)
    def arrive(self, place: int, which: int) -> None:
        """Something that was under way arrives, in any order."""
        truth = self._one(place)
        if truth.waiting:
            self._hold(truth, truth.waiting.pop(which % len(truth.waiting)))

    @rule(place=PLACES, which=PLACES)
    def repeat(self, place: int, which: int) -> None:
        """Something that is held arrives once more."""
        held = self._one(place).held
        self._fold(held[which % len(held)])

    @rule(place=PLACES, which=PLACES, signed=st.booleans())
    def garble(self, place: int, which: int, *, signed: bool) -> None:
        """Something arrives as a line that nobody can read; perhaps not even whose it is."""
        truth = self._one(place)
        if not truth.waiting:
            return
        entry = truth.waiting.pop(which % len(truth.waiting))
        source = truth.writer.name if signed else None
        self._fold(SetAside(entry.position, "garbled", source, entry.event.sequence))
        if signed:
            truth.aside += 1
            truth.shown = max(truth.shown, entry.event.sequence or 0)
        else:
            self.nobody = True

    @rule(place=PLACES, which=PLACES, same_id=st.booleans())
    def twist(self, place: int, which: int, *, same_id: bool) -> None:
        """A second content for what is held, under its id or another."""
        truth = self._one(place)
        entry = truth.held[which % len(truth.held)]
        event = entry.event
        name = event.id if same_id else f"{event.id}-twin"
        twin = Entry(
            entry.position,
            type(event)(
                name, event.source, event.time, TARGET, event.fact, event.sequence, "twisted"
            ),
        )
        truth.contradict(0 if same_id else event.sequence or 0)
        self._fold(twin)

    @rule(place=PLACES)
    def retire(self, place: int) -> None:
        """A person says that it has gone, rightly or not."""
        self.retired[self._one(place).writer.name] = T + self.now

    def _through(self, ledger: Ledger, later: float = 0.0) -> float:
        return watermark(ledger, TARGET, self.retired, RULES, T + self.now + later).through

    @invariant()
    def nothing_before_the_watermark_is_missing(self) -> None:
        """Whoever is still waited for has no event before the watermark that is not held."""
        through = self._through(self.ledger)
        for truth in self.truths:
            if truth.gone(self.retired.get(truth.writer.name)):
                continue
            held = {each.event.sequence for each in truth.held}
            missing = [at for place, at in truth.said.items() if place not in held]
            assert all(T + at >= through for at in missing)

    @invariant()
    def the_watermark_is_what_the_model_says(self) -> None:
        """The least of what every awaited writer's kept promises reach."""
        reached = [-inf] if self.nobody else []
        for truth in self.truths:
            if truth.departed() or truth.gone(self.retired.get(truth.writer.name)):
                continue
            kept = [
                each.event.fact.complete_through
                for each in truth.beats()
                if isinstance(each.event.fact, Heartbeat) and not each.event.fact.final
            ]
            reached.append(max(kept) - truth.ahead() if kept else self._bare(truth))
        assert self._through(self.ledger) == min(reached, default=inf)

    def _bare(self, truth: Truth) -> float:
        """Without a kept promise: from the first event, unless even that proves nothing."""
        if truth.dropped() or (truth.conflict is not None and truth.conflict <= 1):
            return -inf
        first = min(each.event.time for each in truth.held)
        return first - truth.ahead() - RULES.clock_skew

    @invariant()
    def time_alone_never_moves_it(self) -> None:
        """Waiting is no evidence."""
        assert self._through(self.ledger, 1e6) == self._through(self.ledger)

    @invariant()
    def whatever_is_wrong_is_said(self) -> None:
        """A writer that is waited for and has a hole is named, with its fault."""
        known = watermark(self.ledger, TARGET, self.retired, RULES, T + self.now)
        told = {each.source for each in known.faults}
        assert (NOBODY in told) == self.nobody
        for truth in self.truths:
            if truth.departed() or truth.gone(self.retired.get(truth.writer.name)):
                continue
            if truth.aside or truth.conflict is not None or truth.dropped():
                assert truth.writer.name in told

    def teardown(self) -> None:
        """Read anew in another order, or bit by bit with repeats, it is the same ledger."""
        if not self.truths:
            return
        shuffled = self.records[:]
        Random(len(shuffled)).shuffle(shuffled)
        for again in (ledger_of(self.records), ledger_of(shuffled)):
            assert self._shown(again) == self._shown(self.ledger)

    def _shown(self, ledger: Ledger) -> object:
        sources = [
            (
                key,
                each.proven_through,
                each.conflict_at,
                each.gap,
                each.said_goodbye,
                each.dropped,
                each.set_aside,
                each.offsets(UNKNOWN),
                each.last_time,
                each.first_time,
                each.first_start,
                each.calls,
            )
            for key, each in sorted(ledger.sources.items())
        ]
        return sources, watermark(ledger, TARGET, self.retired, RULES, T + self.now)


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(examples(40), stateful_step_count=30)
