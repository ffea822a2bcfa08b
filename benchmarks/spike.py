"""How soon a spike of orphans is found and how long quiet lasts, beside three usual detectors.

Streams of births at a hundred an hour, each an orphan or not, told to all detectors alike and 45
seconds after the birth, as long as a verdict takes. The daemon's own core gets them with a past of
sixteen days and an hour, and looks every ten seconds, as shipped. Beside it: a fixed threshold
(half of the last quarter of an hour, ten at least), and river's Page-Hinkley and ADWIN as they
come, which after each alarm begin anew; of ADWIN only rises count. The best possible is the test
of Shiryaev and Roberts again, but told beforehand what is usual and what it is to become, and
allowed at least as many false alarms. Quick by default; `--full` takes a thousand seeds for the
delays and a thousand days for the quiet, and some twenty minutes of a core.
"""

import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from benchmarks.measured import Measured, Options
from benchmarks.spike_rivals import RIVALS, RULES, Alarm

from demurrage.decide.spike_scope import COST, FAST, SLOW, STANDING, advance, sought
from demurrage.decide.spike_test import rate_level, share_level
from demurrage.model.condition import ConditionKind
from demurrage.model.spike import Scope, Settlement, Tally, Usual

# What a container costs that is left to expire.
USD = {"1g": 0.03, "64g": 1.92}
HOUR, DAY = 3600.0, 86_400.0
PER_HOUR = 100
SETTLING = 45.0
LOOK = 10.0
WARM_DAYS = 16
# So many seeds and days the rivals get at most: enough to show what they do.
RIVAL_SEEDS = 200
RIVAL_DAYS = 100
COLD_DAYS = 3
NEVER = math.inf


def dice(seed: float) -> random.Random:
    """What chance is made of; the same seed makes the same."""
    return random.Random(seed)  # noqa: S311 - a workload, no secret


def births(
    rng: random.Random,
    share: float,
    start: float,
    end: float,
    *,
    per_hour: float = PER_HOUR,
    tier: str = "1g",
) -> list[Settlement]:
    """Containers that come by chance."""
    found = []
    at = start + rng.expovariate(per_hour / HOUR)
    while at < end:
        found.append(Settlement("", int(at), tier, rng.random() < share))
        at += rng.expovariate(per_hour / HOUR)
    return found


def warm(share: float, tier: str = "1g") -> Scope:
    """Sixteen steady days; it ends now."""
    rng = dice(share)
    bins = {
        number: Tally(PER_HOUR, {tier: sum(rng.random() < share for _ in range(PER_HOUR))})
        for number in range(WARM_DAYS * 24)
    }
    return Scope(0.0, WARM_DAYS * DAY, bins=bins, binned=WARM_DAYS * 1440)


def looks(scope: Scope, stream: Sequence[Settlement], end: float) -> Iterator[Scope]:
    """The scope after each look until the end."""
    place = 0
    while scope.until < end:
        until = scope.until + LOOK
        upto = place
        while upto < len(stream) and stream[upto].born_at < until:
            upto += 1
        scope = advance(scope, stream[place:upto], until, RULES, usd_each=USD)
        place = upto
        yield scope


# delays


def own_delay(
    scope: Scope, stream: Sequence[Settlement], kind: ConditionKind, within: float
) -> float:
    """Seconds from the change to the alarm; infinite if there is none within so many."""
    start = scope.until
    for each in looks(scope, stream, start + within):
        if kind in each.alarms:
            return each.until - start + SETTLING
    return NEVER


def rival_delay(
    made: Callable[[], Alarm],
    past: Sequence[Settlement],
    stream: Sequence[Settlement],
    start: float,
) -> float:
    """The same of a detector that has seen a day of the past."""
    alarm = made()
    for each in past:
        alarm(each)
    for each in stream:
        if alarm(each):
            return each.born_at - start + SETTLING
    return NEVER


@dataclass(frozen=True, slots=True)
class Change:
    """A change to be found: from one share to another, at so many an hour, within so long."""

    name: str
    kind: ConditionKind
    before: float
    after: float
    window: float
    median: float
    limit: float
    per_hour: float = PER_HOUR
    tier: str = "1g"

    @property
    def of_share(self) -> bool:
        """False where it is the number that changes."""
        return self.per_hour == PER_HOUR


_FEW, _MINUTES = 600.0, 1200.0
CHANGES = (
    Change("5 % to 60 %", FAST, 0.05, 0.6, HOUR, _FEW, _MINUTES),
    Change("5 % to 15 %", SLOW, 0.05, 0.15, 8 * HOUR, 6 * HOUR, 6 * HOUR),
    *(
        Change(
            f"volume x 5 at {share:.0%}, {tier}",
            COST,
            share,
            share,
            6 * HOUR,
            _FEW,
            _MINUTES,
            5 * PER_HOUR,
            tier,
        )
        for share, tier in ((0.92, "1g"), (0.5, "1g"), (0.2, "64g"), (0.05, "64g"))
    ),
)


def best_delay(change: Change, stream: Sequence[Settlement], start: float) -> float:
    """The delay of a test that knows both sides of the change.

    By as much as an alarm can overshoot it strikes earlier, so that its false alarms are no rarer
    than what `false_alarm_every` allows.
    """
    if change.of_share:
        up = change.after / change.before
        down = (1.0 - change.after) / (1.0 - change.before)
        level, line = 0.0, RULES.false_alarm_every / up
        for each in stream:
            level = (1.0 + level) * (up if each.orphan else down)
            if level >= line:
                return each.born_at - start + SETTLING
        return NEVER
    usual, changed = PER_HOUR * change.before / HOUR, change.per_hour * change.after / HOUR
    # The level is in seconds here, between two orphans it grows by one a second and decays.
    line = RULES.false_alarm_every / (PER_HOUR / HOUR) / (changed / usual)
    level, last, decay = 0.0, start, changed - usual
    for each in stream:
        if each.orphan:
            kept = math.exp(-decay * (each.born_at - last))
            level = (level * kept + (1.0 - kept) / decay) * changed / usual
            last = each.born_at
            if level >= line:
                return each.born_at - start + SETTLING
    return NEVER


def delays(change: Change, seeds: int) -> Iterator[Measured]:
    """Median and tail of one change's delays, beside the rivals on the same streams."""
    begun = warm(change.before, change.tier)
    start = begun.until + HOUR
    own: list[float] = []
    others: dict[str, list[float]] = {"best possible": [], **{name: [] for name in RIVALS}}
    for seed in range(seeds):
        rng = dice(seed)
        last = births(rng, change.before, begun.until, start, tier=change.tier)
        scope = advance(begun, last, start, RULES, usd_each=USD)
        end = start + change.window
        stream = births(rng, change.after, start, end, per_hour=change.per_hour, tier=change.tier)
        own.append(own_delay(scope, stream, change.kind, change.window))
        others["best possible"].append(best_delay(change, stream, start))
        if change.of_share and seed < RIVAL_SEEDS:
            past = births(dice(-1 - seed), change.before, start - DAY, start)
            for name, made in RIVALS.items():
                others[name].append(rival_delay(made, past, stream, start))
    told = ", ".join(
        f"{name} {minutes(statistics.median(each))}, in time {in_time(each, change.limit):.1%}"
        for name, each in others.items()
        if each
    )
    yield Measured(
        f"{change.name}: median delay",
        statistics.median(own) / 60,
        "min",
        change.median / 60,
        rival=told,
        detail={"seeds": seeds},
    )
    yield Measured(
        f"{change.name}: found within {change.limit / 60:.0f} min",
        100 * in_time(own, change.limit),
        "% of seeds",
        99.0,
        at_least=True,
    )
    yield Measured(
        f"{change.name}: 99 of 100 found within",
        sorted(own)[math.ceil(0.99 * len(own)) - 1] / 60,
        "min",
    )


def in_time(found: Sequence[float], limit: float) -> float:
    """The part that is not above the limit."""
    return sum(each <= limit for each in found) / len(found)


def minutes(seconds: float) -> str:
    """For people."""
    return "never" if seconds == NEVER else f"{seconds / 60:.1f} min"


# quiet


def own_quiet(scope: Scope, share: float, days: int, seed: int) -> dict[ConditionKind, int]:
    """How many alarms of each kind begin in so many days."""
    rng = dice(seed)
    begun: dict[ConditionKind, int] = {}
    for _ in range(days * 24):
        stream = births(rng, share, scope.until, scope.until + HOUR)
        for each in hour(scope, stream):
            for kind in each.alarms.keys() - scope.alarms.keys():
                begun[kind] = begun.get(kind, 0) + 1
            scope = each
    return begun


def hour(scope: Scope, stream: Sequence[Settlement]) -> Iterator[Scope]:
    """The scope after each look of an hour, or where no look can change an alarm after the hour.

    Either way it is the same at the end: what is skipped is only to make nothing of each look.
    """
    end = scope.until + HOUR
    # The last look works out anew what is usual.
    skipped = _skipped(scope, stream, end - LOOK)
    if skipped is not None:
        yield skipped
        scope = skipped
    yield from looks(scope, [each for each in stream if each.born_at >= scope.until], end)


def _skipped(scope: Scope, stream: Sequence[Settlement], end: float) -> Scope | None:
    """The scope at the end, where all levels stay below an alarm until then; else None."""
    usual = scope.usual
    stream = [each for each in stream if each.born_at < end]
    if scope.usual_at * RULES.bin != scope.until:
        return None
    if usual is None:
        return advance(scope, stream, end, RULES, usd_each=USD)
    rates = _rates(scope, usual, stream, end)
    if rates is None or set(scope.alarms) - {STANDING} or _strikes(scope, usual, stream):
        return None
    after = advance(scope, stream, end, RULES, usd_each=USD)
    # In one look the levels of shares come out the same, those of rates do not.
    return replace(after, rates=rates) if after.alarms == scope.alarms else None


def _strikes(scope: Scope, usual: Usual, stream: Sequence[Settlement]) -> bool:
    """True when the level of a share reaches an alarm at any birth."""
    for kind, before in ((FAST, scope.fast), (SLOW, scope.slow)):
        level, changed = before, sought(usual, kind, RULES)
        for each in stream if changed < 1.0 else ():
            level = share_level(
                level,
                (each.orphan,),
                usual.share,
                changed,
                dispersion=usual.dispersion,
                ceiling=NEVER,
            )
            if level >= RULES.false_alarm_every:
                return True
    return False


def _rates(
    scope: Scope, usual: Usual, stream: Sequence[Settlement], end: float
) -> dict[str, float] | None:
    """The levels of rates after all looks until the end; None if one reaches an alarm."""
    orphans = Counter(
        (int((each.born_at - scope.until) // LOOK), each.tier) for each in stream if each.orphan
    )
    if not usual.rates.keys() >= {*scope.rates, *(tier for _, tier in orphans)}:
        return None
    rates = {}
    for tier, rate in usual.rates.items():
        level = scope.rates.get(tier, 0.0)
        for look in range(round((end - scope.until) / LOOK)):
            level = rate_level(
                level,
                orphans[look, tier],
                rate.per_hour * (LOOK / HOUR),
                RULES.cost_factor,
                dispersion=rate.dispersion,
                ceiling=NEVER,
            )
            if level >= RULES.false_alarm_every:
                return None
        rates[tier] = level
    return rates


def rival_quiet(made: Callable[[], Alarm], share: float, after: float, days: int, seed: int) -> int:
    """How often a detector strikes in so many days; one that stands for an hour counts once."""
    alarm, rng = made(), dice(seed)
    for each in births(rng, share, -DAY, 0.0):
        alarm(each)
    struck, last = 0, -HOUR
    for day in range(days):
        for each in births(rng, after, day * DAY, (day + 1) * DAY):
            if alarm(each):
                struck += each.born_at - last > HOUR
                last = each.born_at
    return struck


def quiet(share: float, after: float, days: int) -> Iterator[Measured]:
    """Pages, warnings and notices of a steady stream, beside the rivals' alarms."""
    begun, some = own_quiet(warm(share), after, days, seed=1), min(days, RIVAL_DAYS)
    struck = {name: rival_quiet(made, share, after, some, seed=1) for name, made in RIVALS.items()}
    told = ", ".join(f"{name} {often(count, some)}" for name, count in struck.items())
    name = f"steady {share:.0%}" if share == after else f"{share:.0%} to {after:.0%}"
    pages = begun.get(FAST, 0) + begun.get(COST, 0)
    told = f"{often(pages, days)}; {told}"
    yield Measured(f"{name}: fast and dollar alarms", pages, f"in {days} days", 0.0, rival=told)
    yield Measured(f"{name}: slow alarms", begun.get(SLOW, 0), f"in {days} days")
    notices = 1.0 if share >= RULES.standing_share else 0.0
    yield Measured(f"{name}: standing notices", begun.get(STANDING, 0), f"in {days} days", notices)


def often(count: int, days: int) -> str:
    """The interval between two of them."""
    return f"every {days / count:.3g} days" if count else f"none in {days} days"


def cold(share: float, starts: int) -> Measured:
    """Alarms of targets of which nothing was known three days before."""
    begun = [own_quiet(Scope(0.0, 0.0), share, COLD_DAYS, seed) for seed in range(starts)]
    alarms = sum(each.get(kind, 0) for each in begun for kind in (FAST, SLOW, COST))
    what = f"cold start at {share:.0%}: alarms of a change in {COLD_DAYS} days"
    return Measured(what, alarms, f"in {starts} starts", 0.0)


def measure(options: Options) -> Iterator[Measured]:
    """All of it."""
    for change in CHANGES:
        yield from delays(change, 1000 if options.full else 100)
    for share in (0.05, 0.5, 0.92, 1.0):
        yield cold(share, 100 if options.full else 3)
    days = 1000 if options.full else 10
    for share, after in ((0.05, 0.05), (0.5, 0.5), (0.92, 0.92), (0.92, 0.99)):
        yield from quiet(share, after, days)
