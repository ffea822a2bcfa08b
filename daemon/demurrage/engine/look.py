"""Looking, without touching anything: inventory first, events second, then the decision.

The order is the point: references are read after the containers that they may name, so they
are the fresher of the two.
"""

from dataclasses import dataclass

from demurrage.decide.census import Census
from demurrage.decide.decision import Decision, decide
from demurrage.decide.plan import any_due, make_plan, stale_due
from demurrage.engine.evidence import Evidence, Reading, Unreadable
from demurrage.engine.inventory import InventoryWatch
from demurrage.engine.ports import ContainersApi
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import CompleteInventory, Inventory
from demurrage.model.plan import Mode, Plan
from demurrage.model.rules import Rules


@dataclass(frozen=True, slots=True)
class Target:
    """One target as the engine runs it."""

    name: str
    api: ContainersApi
    rules: Rules
    mode: Mode

    @property
    def vouched_for(self) -> bool:
        """True while the settings give the word that everyone behind its keys logs."""
        return self.rules.evidence.coverage == "complete"


@dataclass(frozen=True, slots=True)
class Picture:
    """What one look brought. `decision` is None where listing or log fell short."""

    inventory: Inventory
    reading: Reading | Unreadable
    decision: Decision | None


class Look:
    """The eyes of one target's cycle."""

    def __init__(self, target: Target, watch: InventoryWatch, evidence: Evidence) -> None:
        self._target = target
        self._watch = watch
        self._evidence = evidence

    async def judge(self, census: Census, facts: TargetFacts) -> Picture:
        """Read the log to its end and give every live container its verdict.

        Nothing is decided by a clock that made a step, until it is measured anew, nor by the
        local one, where no answer has ever told the provider's time: neither what is due, nor
        which events seem late or to come from the future. The decision speaks of the moment up
        to which the log was read, however long ago that is.
        """
        inventory, clock = self._watch.amounts_to(census), self._target.api.clock
        # The moment of the reading is told while it lasts, and may be told by either.
        trusted, steps = clock.trusted, clock.steps
        async with self._evidence.lock:
            reading = await self._evidence.read(clock)
            decision = None
            if (
                isinstance(inventory, CompleteInventory)
                and isinstance(reading, Reading)
                and trusted
                and clock.trusted
                and clock.steps == steps
            ):
                decision = decide(
                    self._evidence.ledger,
                    inventory,
                    facts,
                    self._target.rules,
                    read_since=reading.since,
                    now=reading.read_at,
                )
                self._evidence.claim(self._target.name, decision.claim)
        return Picture(inventory, reading, decision)

    def stale(self, picture: Picture) -> tuple[str, ...]:
        """Containers that are due but whose row must be listed afresh first."""
        if picture.decision is None:
            return ()
        return stale_due(
            picture.decision.verdicts,
            self._watch.sightings,
            self._target.rules,
            self._target.api.clock.now(),
        )

    def due(self, picture: Picture) -> bool:
        """True where a plan that is made now holds a delete."""
        return picture.decision is not None and any_due(
            picture.decision.verdicts,
            self._watch.sightings,
            self._target.rules,
            self._target.api.clock.now(),
        )

    def plan(self, picture: Picture) -> Plan:
        """What is due on fresh rows, empty where nothing could be decided."""
        now = self._target.api.clock.now()
        if picture.decision is None:
            return Plan(self._target.name, now, ())
        return make_plan(
            self._target.name,
            picture.decision.verdicts,
            self._watch.sightings,
            self._target.rules,
            now,
        )
