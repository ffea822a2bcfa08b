"""What a brute-force reading of the same rules would let orphans cost.

Reads windows off the truth, without the core: no ledger, no watermark, no matching. For deduction
the true makers are the complete matching to begin from, and every other one is sought by walking
its alternating paths edge by edge. It sees all that is logged at once, and acts at the same cycles
as the daemon. `carried_are_reused` breaks a rule on purpose: it takes a request that bears a
living container for one that makes none, which no log can know. It is there to be compared with.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf

from demurrage.model.event import Finished, Sent
from demurrage.model.rules import Rules
from demurrage.simulator.score.events import told_of
from demurrage.simulator.score.policies import cost
from demurrage.simulator.score.replay import CALLS_TAKE
from demurrage.simulator.score.truth import Box, Call, Truth


@dataclass(slots=True)
class _Told:
    """What the log has told of a call: when that it was sent and ended, in epoch seconds."""

    call: Call
    sent_told_at: float = inf
    sent_at: float = inf
    ended_told_at: float = inf

    @classmethod
    def of(cls, call: Call) -> "_Told":
        told = cls(call)
        for at, fact in told_of(call):
            match fact:
                case Sent(sent_at=sent_at):
                    told.sent_told_at, told.sent_at = at, sent_at
                case Finished():
                    told.ended_told_at = at
                case _:
                    pass
        return told


@dataclass
class Brute:
    """All containers and blocking calls of a truth, read by the rules alone."""

    truth: Truth
    rules: Rules
    carried_are_reused: bool = False
    _told: list[_Told] = field(init=False)
    _begins: list[float] = field(init=False)
    _longest: float = field(init=False)
    _named_at: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        calls = sorted((each for each in self.truth.calls if each.slot), key=lambda c: c.begins_at)
        self._told = [_Told.of(call) for call in calls]
        self._begins = [call.begins_at for call in calls]
        self._longest = max((call.ends_at - call.begins_at for call in calls), default=0.0)
        self._named_at = {}
        for told in self._told:
            if told.call.names is not None:
                at = self._named_at.get(told.call.names, inf)
                self._named_at[told.call.names] = min(at, told.ended_told_at)

    def usd(self, *, deduced: bool) -> float:
        """Estimated list price in USD of all orphans, each gone as soon as it is proven."""
        billing = self.rules.billing
        return sum(
            cost(box, self._gone_at(box, deduced=deduced), billing)
            for box in self.truth.boxes.values()
            if box.orphan
        )

    def _gone_at(self, orphan: Box, *, deduced: bool) -> float:
        for cycle_at in self._last_cycles(orphan):
            if self._is_proven(orphan, cycle_at, deduced=deduced):
                return cycle_at + CALLS_TAKE
        return inf

    def _last_cycles(self, box: Box) -> Iterator[float]:
        """For each minute that is billed anew, the last cycle whose delete comes before it."""
        billing, begins_at = self.rules.billing, self.truth.begins_at
        billed_at = box.created_at + billing.minimum
        while billed_at <= box.expires_at:
            interval = self.rules.watch.interval
            yield begins_at + (billed_at - CALLS_TAKE - begins_at) // interval * interval
            billed_at += billing.tick

    def _is_proven(self, orphan: Box, now: float, *, deduced: bool) -> bool:
        if not self._is_evident(orphan, now):
            return False
        running = [each for each in self._admitting(orphan, now) if each.ended_told_at > now]
        if not deduced or not running:
            return not running
        return not any(self._may_be_maker(each, orphan, now) for each in running)

    def _is_evident(self, box: Box, now: float) -> bool:
        """Whether it shows, and every event about its birth must have come."""
        late = box.created_at + 1 + self.rules.evidence.max_event_delay
        return box.visible_at <= now and late <= now

    def _may_be_maker(self, running: _Told, orphan: Box, now: float) -> bool:
        """Whether some complete matching pairs a slot with the orphan."""
        seen, frontier = {running.call.id}, [running]
        while frontier:
            told = frontier.pop()
            if told.call.id == orphan.maker:
                return True
            owner = self._owner(told, now)
            if owner is None:
                if self.carried_are_reused and told.call.carries is not None:
                    continue
                return True
            for other in self._admitting(owner, now):
                if other.call.id not in seen:
                    seen.add(other.call.id)
                    frontier.append(other)
        return False

    def _owner(self, told: _Told, now: float) -> Box | None:
        """The container that the slot truly made, if that may constrain others."""
        box = self.truth.boxes.get(f"cntr_{told.call.id}")
        if box is None or not self._is_evident(box, now) or self._named_at.get(box.id, inf) <= now:
            return None
        return box

    def _admitting(self, box: Box, now: float) -> Iterator[_Told]:
        """The calls with a slot left whose windows hold a birth, as the log tells of them."""
        evidence = self.rules.evidence
        skew, delay = evidence.clock_skew, evidence.max_birth_delay
        place = bisect_right(self._begins, min(now, box.created_at + 1 + skew))
        while place and self._begins[place - 1] >= box.created_at - self._longest - skew - delay:
            place -= 1
            told = self._told[place]
            call, ended = told.call, told.ended_told_at <= now
            if ended and call.names is not None:
                continue
            opens = call.created_at if ended else call.begins_at
            closes = inf
            if ended:
                closes = min(told.ended_told_at, call.created_at + delay)
            if told.sent_told_at <= now:
                closes = min(closes, told.sent_at + delay)
            fits = call.tier == box.tier
            if fits and opens - skew <= box.created_at + 1 and box.created_at <= closes + skew:
                yield told
