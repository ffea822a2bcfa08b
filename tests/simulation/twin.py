"""The same question asked of the full, true log: the daemon may never know better than that."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import floor, inf

from tests.simulation.daemon import rules_of
from tests.simulation.faults import Dice
from tests.simulation.fulllog import FullLog
from tests.simulation.harbour import Harbour
from tests.simulation.life import Life
from tests.simulation.loop import Agenda
from tests.simulation.shape import Shape
from tests.simulation.truth import EPOCH, Made
from tests.simulation.watch import Watch

from demurrage.decide.decision import Decision, decide
from demurrage.decide.ledger import Ledger
from demurrage.model.container import Container, Sighting
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import CompleteInventory
from demurrage.model.verdict import Code, Verdict, VerdictKind

_LET_GO = (VerdictKind.ORPHAN, VerdictKind.RELEASED)
# Of the deletes so many are compared, and so often in a world: it costs a decision each time.
_SHARE = 0.1
_COMPARISONS = 8
_PLENTY = 200  # calls a minute, of which listing does not take most
_SOON = 15.0  # seconds ahead, for which what is due is foreseen


class Twin:
    """Decides from the truth about a target, beside the daemon."""

    def __init__(
        self,
        shape: Shape,
        target: str,
        harbour: Harbour,
        watch: Watch,
        *,
        life: Life,
        log: FullLog,
        agenda: Agenda,
    ) -> None:
        self._rules = rules_of(shape)
        self._shape = shape
        self._target = target
        self._harbour = harbour
        self._watch = watch
        self._life = life
        self._agenda = agenda
        self._chance = Dice(shape.seed, frozenset()).of("twin")
        self._log = log
        self._reading = Ledger()
        self._read_to = 0
        self._asked_at = -inf
        self._left = _COMPARISONS
        self._decisions: list[Decision] = []

    def compare(self, made: Made) -> None:
        """Now and then: would the true log let a container go that the daemon deletes?

        As it was when the cycle began that deletes it, or as it is now. A delete may wait for a
        minute before it leaves, and what is told meanwhile can put in doubt what others prove by.
        """
        now = self._harbour.now
        if now > self._asked_at + 1:
            if self._left == 0 or self._chance.random() > _SHARE:
                return
            facts = self._facts()
            if facts is None:
                return
            self._left -= 1
            # The daemon's clock may be ahead by what whole seconds leave open.
            rows = self._sightings(now + 2, told_by=now)
            self._decisions = []
            for told_by in (self._watch.began[self._target], now):
                self._log.go_on(told_by)
                self._decisions.append(self._decide(self._log.ledger, facts, now + 2, rows))
            self._asked_at = now
            self._watch.counts["compared"] += 1
        kept = [self._kept(decision, made, now) for decision in self._decisions]
        if kept and all(kept):
            self._watch.breaks("worse_log_keeps", made.id, f"the true log says {kept[-1]}")

    def _kept(self, decision: Decision, made: Made, now: float) -> str:
        """What keeps a container by a decision, nothing where it is let go of."""
        verdict = decision.verdicts.get(made.id)
        if decision.breaks or verdict is None or verdict.kind in _LET_GO:
            return ""
        if self._just_heard(verdict, now) or self._overcounts(verdict, now):
            return ""
        return f"{verdict.kind}: {' '.join(verdict.codes)}"

    def _overcounts(self, verdict: Verdict, now: float) -> bool:
        """True where the count leaves somebody over for slots that no log can tell of.

        Of a response that the API does not hold a person can say what it names, and not how many
        slots it had. The daemon's own readings are coarser, and may leave room for what it made.
        """
        unknown = any(
            call.by_id and not call.stored and call.born and call.settled_at <= now
            for call in self._watch.story.calls
        )
        return unknown and any(each.code is Code.SUSPECT for each in verdict.reasons)

    def _just_heard(self, verdict: Verdict, now: float) -> bool:
        """True where the true log knows an id that the daemon need not have heard of yet.

        Until more is known of it, it keeps also what was born long before it was told.
        """
        need_not = now - self._rules.evidence.max_event_delay - self._rules.watch.freshness
        return any(
            each.code is Code.RESPONSE_END_UNKNOWN
            and self._log.known_since.get(each.about or "", -inf) > need_not
            for each in verdict.reasons
        )

    def _facts(self) -> TargetFacts | None:
        daemon = self._life.daemon
        if daemon is None or daemon.dead or daemon.store is None:
            return None
        return daemon.store.facts(self._target, EPOCH + self._harbour.now)

    def _decide(
        self, ledger: Ledger, facts: TargetFacts, now: float, rows: Mapping[str, Sighting]
    ) -> Decision:
        # The log lies before us whole: nothing waits to be delivered.
        inventory = CompleteInventory(self._target, EPOCH + now, rows)
        return decide(
            ledger, inventory, facts, self._rules, read_since=EPOCH - 10_000, now=EPOCH + now
        )

    def _sightings(self, now: float, told_by: float) -> dict[str, Sighting]:
        """All that was born by now, but for what nobody can have told the maker of yet.

        The daemon has not listed that either, or waits for more of it; here nothing waits.
        """
        rows: dict[str, Sighting] = {}
        for berth in self._harbour.berths.values():
            made = berth.made
            gone = min(berth.deleted, berth.expired(now) or inf)
            if made.born > now or gone < now - 5000:
                continue
            if made.maker is not None and made.maker.first_told_at > told_by:
                continue
            row = Container(
                made.id,
                berth.created_at,
                "running",
                floor(EPOCH + made.last_active(now)),
                made.tier,
                made.name,
            )
            here = Sighting(row, EPOCH + now, EPOCH + now)
            rows[made.id] = here if gone >= now else replace(here, gone_at=EPOCH + gone)
        return rows

    @property
    def notice(self) -> float:
        """Seconds in which what is due has to go: three cycles and a slow answer each."""
        return 3 * self._shape.interval + 60

    def foresee(self) -> None:
        """Note what the log proves to be due by soon, from a reading of its own.

        It has to go as long as services are healthy, nobody holds it and calls suffice, for it
        and for what else comes to be due meanwhile.
        """
        now, facts, records = self._harbour.now, self._facts(), self._life.log_since(self._read_to)
        if facts is None or records is None:
            return
        if records:
            if not self._read_to:
                self._reading.start_from(self._life.floors())
            self._reading.fold(records)
            self._read_to = records[-1].position
        decision = self._decide(self._reading, facts, now, self._life.rows(self._target))
        due = {
            container: verdict.due_at
            for container, verdict in decision.verdicts.items()
            if verdict.kind in _LET_GO
            and verdict.due_at is not None
            and verdict.due_at <= EPOCH + now + _SOON
        }

        shape = self._shape
        daemon = self._life.daemon
        affordable = daemon.affordable(self._target, self.notice) / 2 if daemon is not None else 0
        free = shape.requests_per_minute >= _PLENTY and len(due) < affordable
        if shape.mode == "enforce" and not self._watch.held(self._target) and free:
            spent = self._watch.swept + affordable
            self._agenda.at(
                self._agenda.now + _SOON + self.notice, partial(self._expect_gone, due, spent, now)
            )

    def _expect_gone(self, due: dict[str, float], spent: float, foreseen_at: float) -> None:
        held = self._watch.held(self._target) or self._log.keeps_all(foreseen_at, self._harbour.now)
        if held or self._watch.swept >= spent:
            self._watch.counts["excused"] += len(due)
            return
        self._watch.counts["foreseen"] += len(due)
        for container, since in due.items():
            if self._harbour.alive(self._harbour.berths[container]):
                waited = self._harbour.now - (since - EPOCH)
                self._watch.breaks("live", container, f"due for {waited:.0f} s and still there")
