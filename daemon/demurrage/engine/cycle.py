"""One cycle of one target: inventory → events → decide → rails → write-ahead → delete → record."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from math import inf

from demurrage.decide import rails
from demurrage.decide.census import Census
from demurrage.decide.decision import Decision
from demurrage.decide.grounds import explicit_ids
from demurrage.decide.observer import ObserverWatch, observe
from demurrage.decide.regret import regretted
from demurrage.engine.chronicle import Chronicle
from demurrage.engine.evidence import Evidence, Reading, Unreadable
from demurrage.engine.holds import Holds
from demurrage.engine.hooks import Hooks
from demurrage.engine.inventory import InventoryWatch, remembered
from demurrage.engine.lapses import Lapses
from demurrage.engine.look import Look, Picture, Target
from demurrage.engine.ports import Store
from demurrage.engine.recovery import Recovery
from demurrage.engine.restores import Restores
from demurrage.engine.sweep import Sweep, troubles
from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.counted import counted
from demurrage.model.facts import TargetFacts
from demurrage.model.inventory import CompleteInventory, PartialInventory
from demurrage.model.plan import Judgement, Mode, Plan, Rail


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one cycle came to, for status and reports.

    Its moments are provider time, of which the first answer may tell more; how long it took,
    in seconds, is measured apart. `offset` and `jumped` tell how the clock stood when it ended.
    """

    began_at: float
    ended_at: float
    offset: float | None
    jumped: bool
    seconds: float
    picture: Picture
    facts: TargetFacts
    plan: Plan
    judgement: Judgement
    conditions: tuple[Condition, ...]

    @property
    def complete(self) -> bool:
        """True when listing and log were read and every verdict given."""
        return self.picture.decision is not None


class Cycle:
    """The turning wheel of one target. Not to be run twice at a time."""

    def __init__(
        self,
        target: Target,
        evidence: Evidence,
        store: Store,
        hooks: Hooks,
        stop: asyncio.Event,
        *,
        restores: Restores,
        resolve: Callable[[], Awaitable[bool]],
        elsewhere: Callable[[], Mapping[str, str]],
    ) -> None:
        self.target = target
        self.watch = InventoryWatch(target.name, target.api, target.rules)
        self.holds = Holds(target.name, store, hooks)
        self._evidence = evidence
        self._store = store
        self._hooks = hooks
        self._stop = stop
        self._restores = restores
        self._resolve = resolve
        self._elsewhere = elsewhere
        self._look = Look(target, self.watch, evidence)
        self._chronicle = Chronicle(target.name, store, hooks)
        self._sweep = Sweep(target.name, target.api, store, hooks, target.rules)
        self._recovery = Recovery(target, store)
        self._observer = ObserverWatch()
        self._quiet_until = -inf
        self._vanished: set[str] = set()
        self._regretted: set[str] = set()
        self._setbacks = 0
        self._lapses = Lapses(target.name)
        self._settled_in = False
        # What was last listed before this may have been deleted by this daemon itself, in a time
        # that its store has forgotten.
        self._forgotten_until = -inf

    async def start(self) -> None:
        """Take over what the store knows, and settle what a crash left behind."""
        name, now = self.target.name, self.target.api.clock.now()
        sightings = await asyncio.to_thread(remembered, self._store, name, self.watch.horizon, now)
        whole = await asyncio.to_thread(self._store.listed_whole, name)
        # A row may come twice in one look; what was listed for longer than that was in two.
        apart = self.target.rules.watch.freshness
        foot = await asyncio.to_thread(self._store.newest_birth, name, apart)
        self.watch.remember(sightings, bootstrapped=whole, foot=foot)
        await self._chronicle.load()
        await self.holds.load()
        effect = self.holds.standing(Rail.OBSERVER_EFFECT)
        if effect is not None:
            self._be_quiet(since=min(effect.opened_at, now), now=now)
        self.watch.own_deletes |= await self._recovery.recover(now)
        self._settled_in = False

    async def _settle_in(self) -> None:
        """Once a start, as soon as an answer has told the provider's time: the word counts from it.

        A store that went back in time knows nothing of what it did since.
        """
        clock = self.target.api.clock
        if self._settled_in or not clock.trusted:
            return
        name, now = self.target.name, self.target.api.clock.now()
        if self.holds.standing(Rail.STORE_RESTORED) is not None:
            self._forgotten_until = now
            # Their hold may be forgotten with the rest; one that is answered is not asked again.
            self._regretted.clear()
        if self.target.vouched_for:
            await asyncio.to_thread(self._store.declare_coverage, name, now)
        self._settled_in = True

    async def run(self, choose: Callable[[Plan], Plan] = lambda plan: plan) -> Outcome:
        """Turn once.

        Args:
            choose: narrows the plan down; used where a person asked for certain deletes only.

        Raises:
            StoreFailedError: the store could not be read or written; nothing was deleted that
                is not written down.
        """
        began_at = self.target.api.clock.now()
        turning_since = asyncio.get_running_loop().time()
        await self.holds.load()
        conditions: list[Condition] = []
        census = await self._watch(conditions)
        await self._settle_in()
        picture, facts = await self._judge(census)
        judged = picture.decision is not None
        if judged and self._hears_of_strangers() and await self._resolve():
            picture, facts = await self._judge(census)
        took = asyncio.get_running_loop().time() - turning_since
        slow = took > self.target.rules.watch.freshness
        conditions += self._lapses.noted(slow=slow, pauses=self._evidence.pulse.pauses)
        plan = Plan(self.target.name, self.target.api.clock.now(), ())
        judgement = Judgement(())
        if picture.decision is not None:
            await self._record(picture.decision)
            stale = self._look.stale(picture)
            if stale or self._look.due(picture):
                picture, facts = await self._look_again(census, stale, conditions)
                plan = self._look.plan(picture)
            plan = choose(plan)
            await self.holds.settle(picture.inventory, plan.made_at)
            judgement = await self._act(picture, plan, conditions)
        clock = self.target.api.clock
        await asyncio.to_thread(self._store.touch, clock.now())
        return Outcome(
            began_at,
            clock.now(),
            clock.offset,
            clock.jumped,
            asyncio.get_running_loop().time() - turning_since,
            picture,
            facts,
            plan,
            judgement,
            (*conditions, *self._conditions(picture), *judgement.withheld),
        )

    async def _watch(self, conditions: list[Condition]) -> Census:
        """List, unless listing itself does harm, and record what was seen."""
        if self._must_not_list():
            return Census(self.target.api.clock.now(), self.watch.sightings)
        census = await self.watch.look()
        await self._absorb(census, conditions)
        return census

    def _must_not_list(self) -> bool:
        """True while a person has not answered for an observer effect, or too soon after."""
        waits = asyncio.get_running_loop().time() < self._quiet_until
        return waits or self.holds.standing(Rail.OBSERVER_EFFECT) is not None

    def _be_quiet(self, *, since: float, now: float) -> None:
        """Have no listing for an idle expiry after a moment, which was not later than now.

        Told by a clock that nobody sets: who does not list has no answer to learn the time from.
        """
        left = max(0.0, since + self.target.rules.billing.idle_expiry - now)
        self._quiet_until = max(self._quiet_until, asyncio.get_running_loop().time() + left)

    async def _absorb(self, census: Census, conditions: list[Condition]) -> None:
        """Record one census, and what is strange about it."""
        name, now = self.target.name, self.target.api.clock.now()
        await self._chronicle.saw(census)
        if census.whole_list and census.failure is None:
            await asyncio.to_thread(self._store.note_listed_whole, name)
        self.watch.bury(await self._recovery.resolve(census, now), now)
        self._vanished.update(census.vanished)
        alive = (*census.deleted_but_alive, *census.active_after_delete)
        if alive:
            text = f"{len(set(alive))} deleted containers are still listed alive"
            conditions.append(Condition(ConditionKind.DELETED_BUT_ALIVE, name, text))
        await self._watch_the_watcher(now)

    async def _watch_the_watcher(self, now: float) -> None:
        """Notice when the daemon's own listing keeps containers alive."""
        book = self._evidence.ledger.book(self.target.name)
        unnamed = {
            each
            for each in self.watch.sightings
            if each not in book.mentions and each not in book.pins and each not in book.explicit
        }
        self._observer = observe(self._observer, self.watch.sightings, unnamed, self.target.rules)
        if not self._observer.suspected:
            return
        summary = (
            "listing itself refreshes the containers' activity and keeps them on the bill; the "
            "target is not listed any more"
        )
        self._be_quiet(since=now, now=now)
        self._observer = ObserverWatch()
        await self.holds.trip_unless_held(Rail.OBSERVER_EFFECT, summary, (f"{now:.0f}",), now)

    async def _facts(self) -> TargetFacts:
        now = self.target.api.clock.now()
        facts = await asyncio.to_thread(self._store.facts, self.target.name, now)
        return replace(facts, proven=self._chronicle.proven, elsewhere=self._elsewhere())

    async def _judge(self, census: Census) -> tuple[Picture, TargetFacts]:
        """Look at the log; where it went back in time, no birth is trusted until a person answers.

        Nothing is decided in that look, nor before the provider's time was known once.
        """
        facts = await self._facts()
        picture = await self._look.judge(census, facts)
        setbacks = self._evidence.setbacks
        if setbacks != self._setbacks or not self._settled_in:
            picture = replace(picture, decision=None)
        if setbacks != self._setbacks:
            await self._restores.of_log(setbacks, self.target.api.clock.now())
            await self.holds.load()
            self._setbacks = setbacks
        if isinstance(picture.reading, Reading):
            await self._look_for_reapers()
        return picture, facts

    def _hears_of_strangers(self) -> bool:
        """True while the log gives ids of responses of which it tells nothing else.

        Each keeps everything. Were they left to another moment, new ones would have come by the
        next look, and where many are told of there would always be one.
        """
        return any(True for _ in self._evidence.ledger.book(self.target.name).unresolved())

    async def _look_for_reapers(self) -> None:
        """Ask who deletes here beside us, once the log says what applications made themselves.

        An application may delete what it created. After a restore of the store, what was not
        seen since tells nothing: this daemon may have deleted it and not know any more.
        """
        name, now = self.target.name, self.target.api.clock.now()
        gone = [
            sighting
            for each in self._vanished
            if (sighting := self.watch.sightings.get(each)) is not None
            and sighting.listed_at > self._forgotten_until
        ]
        book, policy = self._evidence.ledger.book(name), self.target.rules.policy
        self.watch.explicit = explicit_ids(book, self.watch.sightings.values(), policy)
        vanished = {each.id for each in gone} - self.watch.explicit
        if vanished:
            summary = (
                f"{counted(len(vanished), 'container')} gone before expiry and not by this daemon: "
                "somebody else deletes here"
            )
            await self.holds.trip_unless_held(Rail.SECOND_REAPER, summary, vanished, now)
        self._vanished.clear()

    async def _look_again(
        self, census: Census, stale: tuple[str, ...], conditions: list[Condition]
    ) -> tuple[Picture, TargetFacts]:
        """Right before acting: fresh rows, the log and the facts once more, verdicts anew."""
        if stale and not self._must_not_list():
            census = await self.watch.refresh(stale, census)
            await self._absorb(census, conditions)
        picture, facts = await self._judge(census)
        if picture.decision is not None:
            await self._record(picture.decision)
        return picture, facts

    async def _record(self, decision: Decision) -> None:
        claim = self._evidence.claimed(self.target.name)
        await self._chronicle.decided(decision, claim, self.watch.sightings)
        wrong = regretted(
            self._evidence.ledger.book(self.target.name),
            self.watch.sightings,
            self._recovery.released,
            self.target.rules.evidence.max_event_delay,
        )
        if set(wrong) <= self._regretted:
            return
        summary = (
            f"{counted(len(wrong), 'container')} deleted by the daemon and yet referenced "
            f"({', '.join(wrong[:3])}); the target only observes"
        )
        await self.holds.trip_unless_held(Rail.REFERENCED_DELETED, summary, wrong, decision.now)
        # Those that are forgotten later leave the same question, not a new one.
        self._regretted.update(wrong)

    async def _act(self, picture: Picture, plan: Plan, conditions: list[Condition]) -> Judgement:
        """Judge the plan by the rails and carry out what they let through."""
        name, now = self.target.name, self.target.api.clock.now()
        if not plan.deletes:
            return Judgement(())
        if self.target.mode is Mode.OBSERVE:
            fresh = await asyncio.to_thread(self._store.observe, name, plan.deletes, now)
            new = [each for each in plan.deletes if each.container_id in fresh]
            await self._chronicle.swept(each.container_id for each in new)
            self._hooks.observed(name, new)
            return Judgement(())
        history = await asyncio.to_thread(self._store.history, name, now)
        reading = picture.reading
        judgement = rails.judge(
            plan,
            history,
            self.holds.current,
            evidence_read_at=reading.read_at if isinstance(reading, Reading) else None,
            inventory_as_of=picture.inventory.as_of,
            clock_jumped=self.target.api.clock.jumped,
            rules=self.target.rules,
            now=now,
        )
        await self.holds.apply(judgement, now)
        if judgement.allowed and isinstance(reading, Reading):
            await self._delete(judgement, reading, conditions)
        return judgement

    async def _delete(
        self, judgement: Judgement, reading: Reading, conditions: list[Condition]
    ) -> None:
        self.watch.own_deletes |= {each.container_id for each in judgement.allowed}
        pairs = await self._sweep.execute(
            judgement,
            self._chronicle.verdict_ids,
            self.watch.sightings,
            reading.read_at,
            self._stop,
        )
        now = self.target.api.clock.now()
        done = [deletion for deletion, conclusion in pairs if conclusion.outcome.done]
        self.watch.bury([each.container_id for each in done], now)
        self._recovery.note(pairs)
        await self._chronicle.swept(each.container_id for each in done)
        conditions.extend(troubles(self.target.name, pairs))

    def _conditions(self, picture: Picture) -> tuple[Condition, ...]:
        """What a person should know of this look."""
        name = self.target.name
        found: list[Condition] = list(self.holds.conditions())
        unlisted = self.holds.standing(Rail.OBSERVER_EFFECT) is not None
        if isinstance(picture.inventory, PartialInventory) and not unlisted:
            found.append(Condition(picture.inventory.kind, name, picture.inventory.detail))
        if isinstance(picture.reading, Unreadable):
            found.append(_unread(name, picture.reading))
        if self.target.api.clock.jumped:
            text = (
                "this machine's clock and the provider's do not agree, or one made a step; nothing "
                "is deleted until three answers agree on the time"
            )
            found.append(Condition(ConditionKind.CLOCK_JUMP, name, text))
        if self.target.api.clock.offset is None and isinstance(
            picture.inventory, CompleteInventory
        ):
            text = (
                "no answer tells the provider's time in a Date header, so nothing can be decided; "
                "does a proxy take it out, or answer from a cache?"
            )
            found.append(Condition(ConditionKind.CLOCK_UNKNOWN, name, text))
        if picture.decision is not None:
            found.extend(picture.decision.conditions)
        return tuple(found)


def _unread(target: str, reading: Unreadable) -> Condition:
    """Why the log is not at hand; a backlog needs nobody but time."""
    if reading.behind:
        text = f"the event log is not read to its end: {reading.detail}"
        return Condition(ConditionKind.LOG_UNREADABLE, target, text)
    text = f"the event log cannot be read: {reading.detail}"
    return Condition(ConditionKind.LOG_UNREADABLE, target, text, Severity.PAGE)
