"""Random true histories of honest applications, their full log, and what may become of it.

Everything here keeps to what the proof stands on: starts are written down before the
request leaves and arrive in time, births fall inside windows, a slot makes at most one
container, and nobody uses what was ended. Clocks are off, but heartbeats say by how much.

With `fates`, writers are killed: what they began goes on at the server, and its user may come
back through another writer. The dead stay silent, are taken over by a successor that says
goodbye in their name on a clock of its own, or are retired by a person.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from tests.unit.decide.builders import T, Writer, auto, sighting

from demurrage.model.container import Sighting
from demurrage.model.event import (
    Created,
    Ending,
    Entry,
    Fact,
    Finished,
    Output,
    Record,
    SetAside,
    Slot,
    Started,
)

HORIZON = 300.0  # no request starts later
LATEST = 25.0  # seconds that an event may be under way


@dataclass
class Made:
    """One container with its true life.

    `named_at`: when its maker first names it; `free_at`: when its next user may come.
    """

    id: str
    born: float
    tier: str
    call: str
    done_at: float  # when its maker has provably ended; inf if it runs or was lost
    named_at: float = math.inf
    used_at: float | None = None
    visible_at: float = 0.0
    free_at: float = math.inf
    held: list[str] = field(default_factory=list)  # the conversations that name it


@dataclass
class Call:
    """One request with its true course; `ends` is inf while it runs for ever."""

    name: str
    writer: Writer
    starts: float
    slots: tuple[Slot, ...]
    tiers: tuple[str, ...]
    conversation: str
    direct: bool
    background: bool
    creation: float
    runs: float
    output: float
    ends: float
    ending: Ending
    born: list[Made] = field(default_factory=list)
    reuses: Made | None = None
    uses: bool = False


@dataclass
class History:
    """What truly happened, and every event of it with the moment it reaches the log.

    `over`: by then all that ends has ended, and been told.
    """

    writers: list[Writer]
    calls: list[Call]
    made: list[Made]
    closed: dict[str, float]
    entries: list[tuple[float, float, Entry]] = field(default_factory=list)  # (true, arrival, …)
    over: float = 0.0
    deaths: dict[str, float] = field(default_factory=dict)
    retired: dict[str, float] = field(default_factory=dict)

    def used_later(self, now: float) -> set[str]:
        """The containers that a response names, or goes on to use, after that moment."""
        named = {each.id for each in self.made if now < each.named_at < math.inf}
        reused = {call.reuses.id for call in self.calls if call.reuses and call.ends > now}
        return named | reused

    def retired_by(self, now: float) -> dict[str, float]:
        """The writers that a person has retired by then, in epoch seconds."""
        return {name: T + at for name, at in self.retired.items() if at <= now}

    def in_use(self, now: float) -> set[str]:
        """The containers that are named by a live lineage, or may yet come to be."""
        kept: set[str] = set()
        for each in self.made:
            live = any(self.closed.get(talk, math.inf) > now for talk in each.held)
            running = any(
                call.ends > now or call.ending is Ending.LOST
                for call in self.calls
                if call.conversation in each.held and call.starts <= now
            )
            named = each.named_at <= now
            if each.done_at > now or (named and (live or running)):
                kept.add(each.id)
        return kept

    def full(self, now: float) -> list[Record]:
        """Everything that has happened by then, nothing lost and nothing late."""
        return [entry for true, _, entry in self.entries if true <= now]

    def listed(self, now: float) -> list[Sighting]:
        """What the API lists by then; use shows in the activity, or not yet."""
        rows: list[Sighting] = []
        for each in self.made:
            if each.visible_at > now:
                continue
            born = math.floor(each.born)
            used = each.used_at is not None and each.used_at <= now
            active = math.floor(each.used_at) if used and each.used_at is not None else born
            rows.append(sighting(each.id, born, tier=each.tier, active=active))
        return rows


def history(dice: Random, *, finished: bool = False, fates: bool = False) -> History:
    """A history of a few writers and requests; with `finished` everything ends definitely."""
    writers = [
        Writer(f"app-{number}", offset=float(dice.randint(-29, 29)))
        for number in range(dice.randint(1, 3))
    ]
    told = History(writers, [], [], {})
    if fates:
        _strike(dice, told)
    talks = [f"talk-{number}" for number in range(4)]
    closing = {talk: dice.uniform(250, 450) for talk in talks if dice.random() < 0.5}
    for number in range(dice.randint(1, 8)):
        told.calls.append(_call(dice, told, number, dice.choice(talks), closing, finished=finished))
    last = max((call.ends for call in told.calls if call.ends < math.inf), default=0.0)
    for talk, at in closing.items():
        members = [call for call in told.calls if call.conversation == talk]
        ended = max((call.ends for call in members), default=0.0)
        told.closed[talk] = max(at, 0.0 if math.isinf(ended) else ended + 1)
    told.over = max(900.0, last + 100)
    _tell(dice, told, finished=finished)
    for name in told.deaths:
        _bury(dice, told, next(each for each in writers if each.name == name))
    return told


def _strike(dice: Random, told: History) -> None:
    """Say when writers die, and let clocks be off by whatever the rules allow, or unreported."""
    for writer in told.writers:
        writer.offset = dice.uniform(-30, 30)
        error = dice.uniform(-1, 1)
        writer.reports = dice.choice([writer.offset, writer.offset + error, None])
        if dice.random() < 0.6:
            told.deaths[writer.name] = dice.uniform(10, 450)


def _bury(dice: Random, told: History, writer: Writer) -> None:
    """A dead writer is taken over, retired, both, or neither."""
    died = told.deaths[writer.name]
    if dice.random() < 0.6:
        at = died + dice.uniform(0, 200)
        left = [
            call.name
            for call in told.calls
            if call.writer is writer and (call.ends > died or call.ending is Ending.LOST)
        ]
        writer.offset = dice.uniform(-30, 30)
        writer.reports = dice.choice([writer.offset, None])
        goodbye = writer.beats(at, *left, final=True)
        told.entries.append((at, at + dice.uniform(0, LATEST), goodbye))
    if dice.random() < 0.4:
        told.retired[writer.name] = died + dice.uniform(0, 200)


def _call(
    dice: Random,
    told: History,
    number: int,
    talk: str,
    closing: dict[str, float],
    *,
    finished: bool,
) -> Call:
    writer = dice.choice(told.writers)
    death = told.deaths.get(writer.name, math.inf)
    starts = _half(dice, 2, min(HORIZON, closing.get(talk, HORIZON) - 1, death))
    direct, background = dice.random() < 0.4, dice.random() < 0.3
    creation = starts + _half(dice, 0, 2 if direct else 30)
    runs = creation + (_half(dice, 0, 40) if background else 0)
    tiers = tuple(dice.choice(["1g", "1g", "4g"]) for _ in range(dice.choice([1, 1, 1, 2])))
    slots = tuple(auto(dice.choice([tier, tier, None])) for tier in tiers)
    output = runs + _half(dice, 0, 70)
    ends = output + _half(dice, 0, dice.choice([5, 200]))
    ending = dice.choice([Ending.COMPLETED] * 5 + [Ending.FAILED, Ending.CANCELLED])
    if not finished and dice.random() < 0.25:
        ends, ending = (math.inf, ending) if dice.random() < 0.5 else (ends, Ending.LOST)
    call = Call(
        f"call-{number}",
        writer,
        starts,
        slots,
        tiers,
        talk,
        direct,
        background,
        creation,
        runs,
        output,
        ends,
        ending,
    )
    earlier = [
        each
        for each in told.made
        if talk in each.held and each.named_at < starts and each.free_at < starts
    ]
    if earlier and dice.random() < 0.7:
        call.reuses = dice.choice(earlier)
        call.reuses.held.append(talk)
        call.uses = True
        call.reuses.used_at = max(output, call.reuses.used_at or 0)
        return call
    if dice.random() < 0.2:
        return call  # it made nothing at all: refused by the model's own tool choice
    call.uses = dice.random() < 0.4
    for place, tier in enumerate(tiers):
        born = _half(dice, runs, min(output, runs + 50, ends))
        unknown = math.isinf(ends) or ending is Ending.LOST or ends > death
        made = Made(f"cntr_{number}_{place}", born, tier, call.name, math.inf if unknown else ends)
        made.free_at = math.inf if ending is Ending.LOST else ends
        made.visible_at = born + dice.choice([0, 0, 20])
        if call.uses and place == 0:
            made.named_at = output if ending is not Ending.LOST else math.inf
            made.used_at = output + 3 if dice.random() < 0.3 and output + 3 <= ends else None
            if made.named_at < math.inf:
                made.held.append(talk)
        call.born.append(made)
        told.made.append(made)
    return call


def _half(dice: Random, low: float, high: float) -> float:
    """A moment to the half second, often at the very bounds."""
    if high <= low:
        return low
    return dice.choice([low, high, *([low + math.floor(2 * dice.random() * (high - low)) / 2] * 4)])


def _tell(dice: Random, told: History, *, finished: bool) -> None:
    """Let every writer say what it did, in the order in which it happened."""
    for writer in told.writers:
        said: list[tuple[float, int, Call | None, str]] = [(0.0, 0, None, "beat")]
        for number, call in enumerate(told.calls, start=1):
            if call.writer is writer:
                said += _steps(dice, number, call)
        for number, (talk, at) in enumerate(sorted(told.closed.items()), start=100):
            if number % len(told.writers) == told.writers.index(writer):
                said.append((at, number, None, talk))
        beats = [dice.uniform(0, 700) for _ in range(dice.randint(0, 8))]
        beats += [800.0, told.over] if finished else []
        said += [(at, 1000, None, "beat") for at in beats]
        death = told.deaths.get(writer.name, math.inf)
        for at, _, by, what in sorted(said, key=lambda each: each[:2]):
            if at > death:
                continue
            entry = _say(writer, at, by, what, told)
            arrival = at + dice.uniform(0, LATEST)
            told.entries.append((at, arrival, entry))


def _steps(dice: Random, number: int, call: Call) -> list[tuple[float, int, Call | None, str]]:
    steps: list[tuple[float, int, Call | None, str]] = [(call.starts, number, call, "start")]
    if dice.random() < 0.6 and call.creation < call.ends:
        seen = call.creation + _half(dice, 0, min(2.0, call.runs - call.creation))
        steps.append((seen, number, call, "queued" if call.background else "created"))
    # Where a proxy lies between, only that one has got it by then: it must not count.
    sent = call.starts + _half(dice, 0.5, 20)
    if dice.random() < 0.6 and sent < call.ends:
        steps.append((sent, number, call, "sent"))
    if call.background and dice.random() < 0.6 and call.runs < call.ends:
        steps.append((call.runs + _half(dice, 0, 2), number, call, "running"))
    if dice.random() < 0.6 and call.output < call.ends:
        steps.append((call.output, number, call, "output"))
    if not math.isinf(call.ends):
        steps.append((call.ends, number, call, "end"))
    return [step for step in steps if step[0] <= call.ends]


def _say(writer: Writer, at: float, call: Call | None, what: str, told: History) -> Entry:
    if call is None and what == "beat":
        flying = [
            each.name
            for each in told.calls
            if each.writer is writer and each.starts < at and each.ends > at
        ]
        return writer.beats(at, *flying)
    if call is None:
        return writer.closes(at, what)
    if what == "sent":
        return writer.sent(call.name, at)
    return writer.say(at, _fact(writer, call, what))


def _fact(writer: Writer, call: Call, what: str) -> Fact:
    names = frozenset(each.id for each in call.born if each.named_at < math.inf)
    if call.reuses is not None:
        names |= {call.reuses.id}
    response_id = f"resp_{call.name}"
    if what == "start":
        bears = call.reuses is not None and call.starts % 1 > 0
        return Started(
            call.name,
            call.slots,
            containers=frozenset({call.reuses.id} if call.reuses and bears else ()),
            conversation=call.conversation,
            background=call.background,
            direct=call.direct,
        )
    if what in ("queued", "created"):
        return Created(
            call.name,
            response_id,
            created_at=T + call.creation,
            sent_at=T + call.starts + 0.5 + writer.offset if call.direct else None,
            status="queued" if what == "queued" else "in_progress",
        )
    if what == "running":
        return Created(call.name, response_id, status="in_progress")
    if what == "output":
        return Output(call.name, response_id, names)
    if call.ending is Ending.LOST:
        return Finished(call.name, Ending.LOST)
    return Finished(call.name, call.ending, response_id, containers=names)


def degraded(dice: Random, told: History, now: float) -> list[Record]:
    """What a reader may hold at `now` of a log that loses, repeats, garbles and reorders.

    The first event of a writer is not lost and nothing is withheld from it beyond the delay
    that starts are allowed: an unheard writer cannot be missed. Nor is anything of one that a
    person retires: that is the person's word.
    """
    held: list[Record] = []
    loss = dice.choice([0.0, 0.1, 0.3])
    for _, arrival, entry in told.entries:
        first = entry.event.sequence == 1 or entry.event.source in told.retired
        if arrival > now:
            continue
        chance = dice.random()
        if first or chance >= loss:
            held.append(entry)
            if dice.random() < 0.1:
                held.append(entry)
        elif chance < loss / 3:
            known = dice.choice([entry.event.source, None])
            held.append(SetAside(entry.position, "garbled", known, None))
    if dice.random() < 0.7:
        dice.shuffle(held)
    return held


def conflicted(dice: Random, held: Sequence[Record]) -> list[Record]:
    """The same with an event or two that contradict others."""
    entries = [each for each in held if isinstance(each, Entry)]
    chosen = dice.choices(entries, k=dice.randint(0, 2) if entries else 0)
    extra = [replace(entry, event=replace(entry.event, digest="twisted")) for entry in chosen]
    return [*held, *extra]


def at_some_moment(dice: Random) -> float:
    """A `now` around the events."""
    return dice.choice([dice.uniform(20, 700), dice.uniform(20, 700), 1000.0])
