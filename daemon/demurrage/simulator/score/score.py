"""The score of one replay: what became of the orphans, and what it cost, beside other policies."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf

from demurrage.model.rules import Rules
from demurrage.simulator.score.events import Telling
from demurrage.simulator.score.load import Load
from demurrage.simulator.score.policies import Script, best_at, cost, harm_of
from demurrage.simulator.score.provable import provable_at
from demurrage.simulator.score.replay import CALLS_TAKE, Replay, Voyage
from demurrage.simulator.score.truth import Box, Habits, Truth, lay_out

# The hour at which every replay begins; any other gives the same score.
_BEGINS_AT = 1_800_000_000.0


@dataclass(frozen=True, slots=True)
class Setting:
    """What one replay is run with.

    `share`: of the applications, how many log; below 1 coverage is partial, and so it is where
    `coverage` says so. `writers`: processes that log.
    """

    habits: Habits = field(default_factory=Habits)
    share: float = 1.0
    writers: int = 1
    seed: int = 0
    script: Script = field(default_factory=Script)


@dataclass(frozen=True, slots=True)
class Dollars:
    """Estimated list price in USD of all orphans: under each policy."""

    left_alone: float
    script: float
    daemon: float
    best: float

    def ratio(self, usd: float) -> float:
        """An amount as a multiple of the best possible; 1.0 where nothing was to be paid."""
        return usd / self.best if self.best else 1.0


@dataclass(frozen=True, slots=True)
class Foretold:
    """Under partial coverage: what complete coverage would have had deleted.

    `wrong` are those that some response truly needed afterwards; `noticed` are those of them
    that the log itself came to name, which is all that an operator can see; `strangers` are
    containers that no logged response can have made, or that the count leaves over.
    """

    deletes: int = 0
    wrong: int = 0
    noticed: int = 0
    strangers: int = 0

    @property
    def word_may_be_given(self) -> bool:
        """True when nothing that an operator can see speaks against complete coverage."""
        return self.deletes > 0 and not self.noticed and not self.strangers


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one replay.

    `in_time`: deleted before the billing floor ends; `late`: after; `missed`: never. `why`
    counts the late and the missed by what was waited for at last. `harmful`: deletes of what
    some response came to need. `provable`: orphans that an omniscient reading of the log could
    prove before the floor ends; `seen_provable`: those of them that it could prove at the last
    cycle whose deletes are done by then, the rest comes between two cycles;
    `provable_in_time`: those of them that were deleted by then.
    `script_harm`: what the idle script deletes although it is needed.
    """

    load: str
    setting: Setting
    proof: str
    coverage: str
    requests: int
    containers: int
    orphans: int
    in_time: int
    late: int
    missed: int
    why: dict[str, int]
    harmful: int
    provable: int
    seen_provable: int
    provable_in_time: int
    dollars: Dollars
    script_harm: int
    foretold: Foretold
    holds: tuple[str, ...]
    breaks: tuple[str, ...]
    decisions: int

    @property
    def ratio(self) -> float:
        """What the daemon lets orphans cost, as a multiple of the best possible."""
        return self.dollars.ratio(self.dollars.daemon)

    @property
    def provable_share(self) -> float:
        """Of what could be proven at a cycle before the floor ends, how much went by then."""
        return self.provable_in_time / self.seen_provable if self.seen_provable else 1.0

    @property
    def provable_share_at_floor(self) -> float:
        """The same of what could be proven at the floor, had there been a cycle just then."""
        return self.provable_in_time / self.provable if self.provable else 1.0


def score(
    load: Load, setting: Setting, rules: Rules, tell: Callable[[float], None] = lambda _: None
) -> Score:
    """Replay a load and add up what came of it.

    Args:
        load: the requests.
        setting: what the run leaves open.
        rules: the settings; where not all applications log, coverage is partial whatever they
            say.
        tell: told now and then which share of the replay is over.
    """
    if setting.share < 1:
        rules = replace(rules, evidence=replace(rules.evidence, coverage="partial"))
    truth = lay_out(
        load,
        setting.habits,
        idle_expiry=rules.billing.idle_expiry,
        begins_at=_BEGINS_AT,
        seed=setting.seed,
    )
    telling = Telling(truth, writers=setting.writers, share=setting.share)
    return add_up(load.name, setting, rules, truth, Replay(truth, telling, rules).run(tell))


def add_up(name: str, setting: Setting, rules: Rules, truth: Truth, voyage: Voyage) -> Score:
    """The score of a replay that is over."""
    billing = rules.billing
    orphans = [box for box in truth.boxes.values() if box.orphan]
    gone = {box.id: voyage.deleted.get(box.id, inf) for box in orphans}
    floor = {box.id: box.created_at + billing.minimum for box in orphans}
    in_time = {key for key, at in gone.items() if at <= floor[key]}
    late = {key for key, at in gone.items() if at != inf} - in_time
    strictly = provable_at(truth, rules.evidence)
    # What deduction finds beyond the strict proof, the core alone can tell.
    known = {box.id: min(strictly[box.id], voyage.proven.get(box.id, inf)) for box in orphans}
    provable = {key for key, at in known.items() if at <= floor[key]}
    interval = rules.watch.interval
    seen = {
        key
        for key in provable
        if known[key] <= _last_cycle(floor[key] - CALLS_TAKE, truth.begins_at, interval)
    }
    return Score(
        load=name,
        setting=setting,
        proof=rules.evidence.proof,
        coverage=rules.evidence.coverage,
        requests=len(truth.calls),
        containers=len(truth.boxes),
        orphans=len(orphans),
        in_time=len(in_time),
        late=len(late),
        missed=len(orphans) - len(in_time) - len(late),
        why=_reasons(gone.keys() - in_time, voyage),
        harmful=sum(_needed(truth.boxes[key], at) for key, at in voyage.deleted.items()),
        provable=len(provable),
        seen_provable=len(seen),
        provable_in_time=len(provable & in_time),
        dollars=Dollars(
            left_alone=sum(cost(box, inf, billing) for box in orphans),
            script=sum(cost(box, setting.script.deletes_at(box), billing) for box in orphans),
            daemon=sum(cost(box, gone[box.id], billing) for box in orphans),
            best=sum(cost(box, best_at(box, billing), billing) for box in orphans),
        ),
        script_harm=harm_of(setting.script, truth.boxes.values()),
        foretold=Foretold(
            deletes=len(voyage.foretold),
            wrong=sum(_needed(truth.boxes[key], at) for key, at in voyage.foretold.items()),
            noticed=len(voyage.refuted),
            strangers=len(voyage.strangers),
        ),
        holds=tuple(hold.summary for hold in voyage.holds.values()),
        breaks=tuple(sorted(voyage.breaks)),
        decisions=voyage.decisions,
    )


def _needed(box: Box, deleted_at: float) -> bool:
    return box.needed_until > deleted_at


def _last_cycle(by: float, begins_at: float, interval: float) -> float:
    """When the last cycle not after a moment begins."""
    return begins_at + (by - begins_at) // interval * interval


def _reasons(container_ids: set[str], voyage: Voyage) -> dict[str, int]:
    found = Counter(voyage.waits.get(key, "not_due_in_time") for key in container_ids)
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
