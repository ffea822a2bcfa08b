"""One decision pass, strict and deduced: 100,000 live containers, 1,000,000 events folded.

Every live container has had a response of its own in the last twenty minutes; as many more
responses, and the half again, lie hours back and are held until retention takes them. One in
fifty has no end yet. The rival reads the same two rules, who may block and whether the count
fits, by looking at every slot for every container, at a size that it can manage.
"""

import gc
import math
import random
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.measured import Measured, Options, figure

from demurrage.decide.decision import Decision, decide
from demurrage.decide.ledger import Ledger
from demurrage.decide.matching import Birth, Span
from demurrage.model.container import Container, Sighting
from demurrage.model.event import (
    Created,
    Ending,
    Entry,
    Event,
    Fact,
    Finished,
    Heartbeat,
    Slot,
    Started,
    Tool,
)
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import CompleteInventory
from demurrage.model.rules import EvidenceRules, Rules

TARGET = "default"
NOW = 1_800_000_000.0
LIVE = (25_000, 50_000, 100_000)
RIVAL = 2_000  # containers that looking at every slot can manage
EVENTS_A_CONTAINER = 10
LIMIT = 2.0  # seconds at the last size
PASSES = 3
TIERS = ("1g", "1g", "1g", "4g")
RULES = Rules(evidence=EvidenceRules(coverage="complete"))
FACTS = TargetFacts(coverage_since=NOW - 90_000)


class World:
    """Requests of one writer, told as events, and the containers that live of them."""

    def __init__(self, live: int) -> None:
        self.dice = random.Random(live)  # noqa: S311 -- a repeatable load, no secret
        self.ledger = Ledger()
        self.sightings: dict[str, Sighting] = {}
        self.events = 0
        responses = live * EVENTS_A_CONTAINER // 3
        self.ledger.fold(self._told(responses, live))

    def _told(self, responses: int, live: int) -> Iterator[Entry]:
        for number in range(responses):
            old = number < responses - live
            back = self.dice.uniform(6_000, 80_000) if old else self.dice.uniform(60, 1_200)
            yield from self._turn(f"call-{number}", NOW - back, old=old)
        at = NOW - 1
        beat = Heartbeat(at, self.events + 1, frozenset(), 0.0)
        yield self._entry(at, beat)

    def _turn(self, call: str, at: float, *, old: bool) -> Iterator[Entry]:
        """A request and its events; one that is not old leaves a container that lives."""
        tier = self.dice.choice(TIERS)
        born = at + self.dice.uniform(1, 7)
        long = self.dice.uniform(8, 600)
        used = self.dice.random() < 0.2
        names = frozenset({f"cntr_{call}"} if used else ())
        yield self._entry(at, Started(call, (Slot(Tool.CODE_INTERPRETER, tier),)))
        yield self._entry(at + 1, Created(call, f"resp_{call}", created_at=at + 0.5))
        if old or (at + long < NOW - 5 and self.dice.random() < 0.98):
            ended = at + long
            yield self._entry(
                ended, Finished(call, Ending.COMPLETED, f"resp_{call}", containers=names)
            )
        else:
            yield self._entry(at + 2, Created(call, f"resp_{call}", status="in_progress"))
        if not old:
            second = math.floor(born)
            row = Container(f"cntr_{call}", second, "running", second + 20 * used, tier)
            self.sightings[row.id] = Sighting(row, born, NOW - 2)

    def _entry(self, at: float, fact: Fact) -> Entry:
        self.events += 1
        number = self.events
        event = Event(f"app/{number}", "app", at, TARGET, fact, number, str(number))
        return Entry(number, event)

    def decided(self, proof: str) -> tuple[float, Decision]:
        """The quickest of some passes, and what it came to."""
        evidence = replace(RULES.evidence, proof="deduced" if proof == "deduced" else "strict")
        inventory = CompleteInventory(TARGET, NOW, self.sightings)
        best, decision = math.inf, None
        for _ in range(PASSES):
            began = time.process_time()
            decision = decide(
                self.ledger,
                inventory,
                FACTS,
                replace(RULES, evidence=evidence),
                read_since=NOW - 80_000,
                now=NOW,
            )
            best = min(best, time.process_time() - began)
        assert decision is not None  # noqa: S101 -- PASSES is not zero
        return best, decision


def looking_at_everything(decision: Decision, world: World) -> float:
    """Seconds that it takes to find blockers and a matching by trying every slot."""
    spans = decision.attribution.matching.spans
    births = [
        Birth(each.container.created_at, each.id, each.container.tier)
        for each in world.sightings.values()
        if each.id not in decision.attribution.made
    ]
    unended = {
        each.call_id for each in world.ledger.book(TARGET).responses.values() if not each.ended
    }
    began = time.process_time()
    blocked = {
        birth.container_id
        for birth in births
        if any(span.call_id in unended and span.admits(birth) for span in spans)
    }
    owners: dict[int, Birth] = {}
    for birth in births:
        _seat(birth, spans, owners)
    seconds = time.process_time() - began
    assert blocked == set(decision.attribution.blockers)  # noqa: S101 -- both read the same rules
    assert len(owners) == len(decision.attribution.matching.pairs)  # noqa: S101 -- likewise
    return seconds


def _seat(birth: Birth, spans: Sequence[Span], owners: dict[int, Birth]) -> None:
    """Give a birth a span, moving others on where that is needed: augmenting paths, as taught."""
    came_from: dict[int, tuple[Birth, int | None]] = {}
    frontier: list[tuple[Birth, int | None]] = [(birth, None)]
    for each, through in frontier:
        for number, span in enumerate(spans):
            if number in came_from or not span.admits(each):
                continue
            came_from[number] = (each, through)
            if number not in owners:
                step: int | None = number
                while step is not None:
                    owners[step], step = came_from[step]
                return
            frontier.append((owners[number], number))


def measure(_: Options) -> Iterator[Measured]:
    """Passes over more and more live containers, and over a few beside the rival."""
    found: dict[str, list[float]] = {"strict": [], "deduced": []}
    detail: list[dict[str, float]] = []
    for live in LIVE:
        world = World(live)
        gc.collect()
        held = _megabytes()
        for proof, seconds in found.items():
            took, decision = world.decided(proof)
            seconds.append(took)
            row = {
                "live": live,
                "events": world.events,
                "seconds": took,
                "blocked": len(decision.attribution.blockers),
                "deduced": len(decision.attribution.deduced),
                "held_mb": held,
                "peak_mb": _megabytes(),
            }
            detail.append(row)
            print(f"{proof}: {', '.join(f'{key} {figure(each)}' for key, each in row.items())}")
        del world
    small = World(RIVAL)
    few, decision = small.decided("strict")
    rival = looking_at_everything(decision, small)
    told = f"{RIVAL:,} live: every slot for every container {figure(rival)} s, ours {figure(few)} s"
    for proof, seconds in found.items():
        strict = proof == "strict"
        growth = math.log(seconds[-1] / seconds[0]) / math.log(LIVE[-1] / LIVE[0])
        yield Measured(
            f"one decision pass, {proof}, {LIVE[-1]:,} live, processor time",
            seconds[-1],
            "s",
            LIMIT if strict else None,
            rival=told if strict else "",
            detail={"passes": detail, "best_of": PASSES},
        )
        yield Measured(f"its time grows with the power, {proof}", growth, "of the number living")


def _megabytes() -> int:
    """Peak resident memory so far; Linux counts it in KiB, macOS in bytes."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
