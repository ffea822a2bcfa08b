"""A load replayed through the real core on virtual time: look, decide, plan, rails, delete.

Cycles keep the interval of the settings. Those in which nothing can come to be deleted are
passed over: no container has reached its earliest due time, or each that has is blocked, by the
core's own windows, by a response that still runs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from math import inf

from demurrage.decide import holds, rails
from demurrage.decide.billing import due_at
from demurrage.decide.decision import Decision, decide
from demurrage.decide.ledger import Ledger
from demurrage.decide.matching import birth_of, span_of
from demurrage.decide.plan import make_plan, stale_due
from demurrage.decide.response import Claim, Response
from demurrage.decide.window import window
from demurrage.model.container import Container
from demurrage.model.event import Created, Entry, Finished, Output, Sent, Started
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import CompleteInventory
from demurrage.model.plan import Hold, Judgement
from demurrage.model.rules import Rules
from demurrage.model.verdict import Code, Verdict, VerdictKind
from demurrage.simulator.score.events import TARGET, Telling
from demurrage.simulator.score.quay import REMEMBERED, Quay
from demurrage.simulator.score.rail_past import RailPast
from demurrage.simulator.score.truth import Truth

# From a cycle's look to the API's confirmation of its deletes, seconds.
CALLS_TAKE = 1.0
# Memory is cleared so often, in cycles.
_CLEARING = 60
RAIL_HELD = "rail_held"


@dataclass(slots=True)
class Voyage:
    """What came of a replay, by container id.

    `deleted`: when. `proven`: when it was first found to be an orphan. `foretold`: under
    partial coverage, when complete coverage would have had it deleted; `refuted` are those of
    them that the log named later. `waits`: why it was kept when last asked, once it was due as
    far as its age goes. `strangers`: those that no logged response can have made, or that the
    count leaves over.
    """

    deleted: dict[str, float] = field(default_factory=dict)
    proven: dict[str, float] = field(default_factory=dict)
    foretold: dict[str, float] = field(default_factory=dict)
    refuted: set[str] = field(default_factory=set)
    waits: dict[str, str] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)
    holds: dict[str, Hold] = field(default_factory=dict)
    breaks: frozenset[str] = frozenset()
    decisions: int = 0


class Replay:
    """One run of the core through a load; `evidence.coverage` says whether it may delete."""

    def __init__(self, truth: Truth, telling: Telling, rules: Rules) -> None:
        complete = rules.evidence.coverage == "complete"
        self._truth = truth
        self._telling = telling
        self._rules = rules
        self._quay = Quay(truth)
        self._ledger = Ledger()
        self._past = RailPast()
        self._facts = TargetFacts(coverage_since=truth.begins_at if complete else None)
        self._claims: dict[str, Claim] = {}
        self._ripening: list[tuple[float, str]] = []
        # Containers that only their verdict keeps, each with a call that blocks it; "" if none is
        # known, so that it must be asked.
        self._ripe: dict[str, str] = {}
        # Calls whose end is not logged, with their true ends: of several that block, the one
        # that will do so longest spares most questions.
        self._open: dict[str, float] = {}
        self._ends = {call.id: call.ends_at for call in truth.calls}
        self._undecided: set[str] = set()
        self.voyage = Voyage()

    def run(self, tell: Callable[[float], None] = lambda _: None) -> Voyage:
        """Turn from the load's beginning until its last container is gone.

        Args:
            tell: told now and then which share of the time is over.
        """
        begins, ends = self._truth.begins_at, self._truth.ends_at
        interval = self._rules.watch.interval
        cycles = int((ends - begins) // interval) + 2
        for number in range(cycles):
            self._turn(begins + number * interval)
            if number % _CLEARING == 0:
                tell(number / cycles)
                self._clear(begins + number * interval)
        tell(1.0)
        return self.voyage

    def _turn(self, now: float) -> None:
        touched = set()
        for container_id in self._quay.look(now):
            container = self._quay.sightings[container_id].container
            self._past.born(container.created_at)
            self._undecided.add(container_id)
            heappush(self._ripening, (due_at(-inf, container, self._rules), container_id))
            touched |= self._ledger.book(TARGET).mentions.get(container_id, set())
        entries = self._telling.until(now)
        self._ledger.fold(entries, self._claims)
        touched |= self._told(entries)
        while self._ripening and self._ripening[0][0] <= now:
            self._ripe[heappop(self._ripening)[1]] = ""
        if self._stirred(touched):
            self._act(self._decide(now), now)

    def _told(self, entries: Iterable[Entry]) -> set[str]:
        """The calls of which something was told; notes which of them run."""
        told = set()
        for entry in entries:
            match entry.event.fact:
                case Started(call_id=call_id):
                    self._open[call_id] = self._ends[call_id]
                    told.add(call_id)
                case Finished(call_id=call_id):
                    self._open.pop(call_id, None)
                    told.add(call_id)
                case Sent(call_id=call_id) | Created(call_id=call_id) | Output(call_id=call_id):
                    told.add(call_id)
                case _:
                    pass
        return told

    def _stirred(self, touched: set[str]) -> bool:
        """True when a verdict on which a delete waits may have changed."""
        if self._rules.evidence.proof == "deduced":
            # Whatever is named or seen takes part in the deduction.
            return bool(self._ripe) and (bool(touched) or "" in self._ripe.values())
        for container_id, blocker in self._ripe.items():
            if not blocker or blocker in touched:
                self._ripe[container_id] = self._blocker(container_id)
                if self._ripe[container_id]:
                    self.voyage.waits[container_id] = Code.RESPONSE_RUNNING.value
        return "" in self._ripe.values()

    def _blocker(self, container_id: str) -> str:
        """The running call that will block a container longest; "" if none is sure to."""
        container = self._quay.sightings[container_id].container
        responses = self._ledger.book(TARGET).responses
        for call_id in sorted(self._open, key=self._open.__getitem__, reverse=True):
            if self._blocks(responses[call_id], container):
                return call_id
        return ""

    def _blocks(self, response: Response, container: Container) -> bool:
        """True when the strict proof waits for a response; false where that is in doubt."""
        if response.ended or response.named:
            return False
        span = window(
            response,
            self._facts.retired,
            self._rules.evidence,
            whole_life=self._facts.whole_life_windows,
        )
        birth = birth_of(container)
        return any(
            span_of(response.call_id, span, slot.tier).admits(birth) for slot in response.auto_slots
        )

    def _decide(self, now: float) -> Decision:
        self.voyage.decisions += 1
        decision = decide(
            self._ledger,
            CompleteInventory(TARGET, now, self._quay.sightings),
            self._facts,
            self._rules,
            read_since=self._truth.begins_at,
            now=now,
        )
        self._claims[TARGET] = decision.claim.following(self._claims.get(TARGET))
        self._facts = replace(
            self._facts,
            breaks=decision.breaks,
            whole_life_windows=self._facts.whole_life_windows or bool(decision.late),
            proven={
                key: verdict.proven_at
                for key, verdict in decision.verdicts.items()
                if verdict.proven_at is not None
            },
        )
        self.voyage.breaks |= {each.kind.value for each in decision.breaks}
        self._account(decision)
        for container_id in list(self._ripe):
            self._ask(container_id, decision)
        return decision

    def _account(self, decision: Decision) -> None:
        """Tally births that a logged slot accounts for, once their first waiting is over."""
        for container_id in list(self._undecided):
            verdict = decision.verdicts.get(container_id)
            if verdict is None:
                self._undecided.discard(container_id)
            elif verdict.kind is not VerdictKind.PENDING and verdict.maker is not None:
                self._undecided.discard(container_id)
                created_at = self._quay.sightings[container_id].container.created_at
                self._past.accounted(created_at)

    def _ask(self, container_id: str, decision: Decision) -> None:
        """Note what a verdict means for a container that is due as far as its age goes."""
        verdict, voyage = decision.verdicts.get(container_id), self.voyage
        if verdict is None or verdict.kind is VerdictKind.REFERENCED:
            del self._ripe[container_id]
            return
        standing = verdict.shadow or verdict.kind
        if standing is VerdictKind.ORPHAN and verdict.shadow is None:
            voyage.proven.setdefault(container_id, decision.now)
            return
        if standing is VerdictKind.ORPHAN:
            voyage.foretold.setdefault(container_id, decision.now)
            del self._ripe[container_id]
            return
        if standing is VerdictKind.UNPROVEN:
            voyage.strangers.add(container_id)
        voyage.waits[container_id] = _why(verdict)
        blockers = decision.attribution.blockers.get(container_id)
        self._ripe[container_id] = blockers[0] if blockers else ""

    def _act(self, decision: Decision, now: float) -> None:
        """Plan, and delete what the rails let through, as a cycle of the engine does."""
        rules, sightings = self._rules, self._quay.sightings
        stale = stale_due(decision.verdicts, sightings, rules, now)
        self._quay.refresh(stale, now)
        plan = make_plan(TARGET, decision.verdicts, self._quay.sightings, rules, now)
        if not plan.deletes:
            return
        self._settle(now)
        judgement = rails.judge(
            plan,
            self._past.history(self._quay.sightings, now),
            tuple(self.voyage.holds.values()),
            evidence_read_at=now,
            inventory_as_of=now,
            clock_jumped=False,
            rules=rules,
            now=now,
        )
        self._hold(judgement, now)
        self._past.swept(judgement.allowed, now)
        gone_at = now + CALLS_TAKE
        self._quay.bury((each.container_id for each in judgement.allowed), gone_at)
        for delete in judgement.allowed:
            self.voyage.deleted[delete.container_id] = gone_at
            self._ripe.pop(delete.container_id, None)

    def _settle(self, now: float) -> None:
        alive = {each.id for each in self._quay.sightings.values() if each.alive}
        for hold in list(self.voyage.holds.values()):
            self.voyage.holds[hold.id] = holds.settle(hold, alive, now)

    def _hold(self, judgement: Judgement, now: float) -> None:
        """Open or widen holds; nobody is there to resume them."""
        for rail, summary in judgement.tripped:
            hold_id = f"{rail}-{now:.0f}"
            self.voyage.holds[hold_id] = holds.open_hold(
                hold_id, TARGET, rail, judgement.held, now=now, summary=summary
            )
        if judgement.held and not judgement.tripped:
            for hold in list(self.voyage.holds.values()):
                self.voyage.holds[hold.id] = holds.join(hold, judgement.held)
        for delete in judgement.held:
            self.voyage.waits[delete.container_id] = RAIL_HELD

    def _clear(self, now: float) -> None:
        """Let go of what is over, as the engine's housekeeping does, only sooner."""
        book = self._ledger.book(TARGET)
        self.voyage.refuted |= {key for key in self.voyage.foretold if book.names(key)}
        self._quay.forget(now)
        self._ledger.forget(
            TARGET,
            now - REMEMBERED,
            frozenset(self._quay.sightings),
            self._rules.evidence.max_event_delay,
            oldest=-inf,
        )


def _why(verdict: Verdict) -> str:
    """The last of its reasons: under partial coverage the first is always that."""
    return verdict.reasons[-1].code.value
