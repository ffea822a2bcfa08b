"""How soon a spike of orphans is found and how long quiet lasts, beside three usual detectors.

Streams of births at a hundred an hour, each an orphan or not, told to all detectors alike and 45
seconds after the birth, as long as a verdict takes. The daemon's own core gets them with a past of
sixteen days and an hour, and looks every ten seconds, as shipped. Beside it: a fixed threshold
(half of the last quarter of an hour, ten at least), and river's Page-Hinkley and ADWIN as they
come, which after each alarm begin anew; of ADWIN only rises count. Quick by default; `--full` takes
a thousand seeds for the delays and a thousand days for the quiet.

What is quiet is looked at by the hour, and by the minute wherever a test has come near an alarm.
"""

import math
import random
import statistics
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.measured import Measured, Options

from demurrage.decide.spike_scope import COST, FAST, SLOW, STANDING, advance, least_rise
from demurrage.decide.spike_test import share_level
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Scope, Settlement, Tally

RULES = SpikeRules()
# What a 1g container costs that is left to expire.
USD = {"1g": 0.03}
HOUR, DAY = 3600.0, 86_400.0
PER_HOUR = 100
SETTLING = 45.0
LOOK = 10.0
WARM_DAYS = 16
# So many seeds and days the rivals get at most: enough to show what they do.
RIVAL_SEEDS = 200
RIVAL_DAYS = 100
NEVER = math.inf
# A level this far below an alarm is looked at more closely.
_NEAR = 20.0

Alarm = Callable[[Settlement], bool]


def dice(seed: float) -> random.Random:
    """What chance is made of; the same seed makes the same."""
    return random.Random(seed)  # noqa: S311 - a workload, no secret


def births(
    rng: random.Random, share: float, start: float, end: float, per_hour: float = PER_HOUR
) -> list[Settlement]:
    """Containers that come by chance."""
    found = []
    at = start + rng.expovariate(per_hour / HOUR)
    while at < end:
        found.append(Settlement("", int(at), "1g", rng.random() < share))
        at += rng.expovariate(per_hour / HOUR)
    return found


def warm(share: float) -> Scope:
    """Sixteen steady days; it ends now."""
    rng = dice(share)
    bins = {
        number: Tally(PER_HOUR, {"1g": sum(rng.random() < share for _ in range(PER_HOUR))})
        for number in range(WARM_DAYS * 24)
    }
    return Scope(0.0, WARM_DAYS * DAY, bins=bins, binned=WARM_DAYS * 1440)


# the rivals


def threshold() -> Alarm:
    """More than half of the last quarter of an hour, and ten at least."""
    latest: deque[Settlement] = deque()

    def alarm(birth: Settlement) -> bool:
        latest.append(birth)
        while latest[0].born_at < birth.born_at - RULES.fast_window:
            latest.popleft()
        orphans = sum(each.orphan for each in latest)
        return len(latest) >= RULES.min_containers and orphans > len(latest) / 2

    return alarm


def page_hinkley() -> Alarm:
    """River's, upwards, as it comes."""
    from river.drift import PageHinkley  # noqa: PLC0415 - only where it is measured

    detector = PageHinkley(mode="up")

    def alarm(birth: Settlement) -> bool:
        detector.update(birth.orphan)
        return bool(detector.drift_detected)

    return alarm


def adwin() -> Alarm:
    """River's, as it comes; a fall is no alarm."""
    from river.drift import ADWIN  # noqa: PLC0415 - likewise

    detector = ADWIN()

    def alarm(birth: Settlement) -> bool:
        before = detector.estimation
        detector.update(birth.orphan)
        return bool(detector.drift_detected) and detector.estimation > before

    return alarm


RIVALS = {"threshold": threshold, "Page-Hinkley": page_hinkley, "ADWIN": adwin}


# delays


def own_delay(
    scope: Scope, stream: Sequence[Settlement], kind: ConditionKind, within: float
) -> float:
    """Seconds from the change to the alarm; infinite if there is none within so many."""
    start, place = scope.until, 0
    while scope.until < start + within:
        until = scope.until + LOOK
        upto = place
        while upto < len(stream) and stream[upto].born_at < until:
            upto += 1
        scope = advance(scope, stream[place:upto], until, RULES, usd_each=USD)
        place = upto
        if kind in scope.alarms:
            return scope.until - start + SETTLING
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
    per_hour: float
    window: float
    median: float
    limit: float
    of_share: bool = True


CHANGES = (
    Change("5 % to 60 %", FAST, 0.05, 0.6, PER_HOUR, 3600.0, 600.0, 1200.0),
    Change("5 % to 15 %", SLOW, 0.05, 0.15, PER_HOUR, 8 * HOUR, 6 * HOUR, 6 * HOUR),
    Change("volume x 5 at 50 %", COST, 0.5, 0.5, 5 * PER_HOUR, HOUR, 600.0, 1200.0, False),
    Change("volume x 5 at 92 %", COST, 0.92, 0.92, 5 * PER_HOUR, HOUR, 600.0, 1200.0, False),
)


def delays(change: Change, seeds: int) -> Iterator[Measured]:
    """Median and tail of one change's delays, beside the rivals on the same streams."""
    begun = warm(change.before)
    start = begun.until + HOUR
    own: list[float] = []
    others: dict[str, list[float]] = {name: [] for name in RIVALS}
    for seed in range(seeds):
        rng = dice(seed)
        last = births(rng, change.before, begun.until, start)
        scope = advance(begun, last, start, RULES, usd_each=USD)
        stream = births(rng, change.after, start, start + change.window, change.per_hour)
        own.append(own_delay(scope, stream, change.kind, change.window))
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


def in_time(found: Sequence[float], limit: float) -> float:
    """The part that is not above the limit."""
    return sum(each <= limit for each in found) / len(found)


def minutes(seconds: float) -> str:
    """For people."""
    return "never" if seconds == NEVER else f"{seconds / 60:.1f} min"


# quiet


def own_quiet(share: float, after: float, days: int, seed: int) -> dict[ConditionKind, int]:
    """How many alarms of each kind begin in so many days."""
    scope, rng = warm(share), dice(seed)
    begun: dict[ConditionKind, int] = {}
    for _ in range(days * 24):
        stream = births(rng, after, scope.until, scope.until + HOUR)
        for each in _looks(scope, stream):
            for kind in each.alarms:
                if kind not in scope.alarms:
                    begun[kind] = begun.get(kind, 0) + 1
            scope = each
    return begun


def _looks(scope: Scope, stream: Sequence[Settlement]) -> Iterator[Scope]:
    """An hour, in one look where nothing comes near an alarm, else by the minute."""
    end = scope.until + HOUR
    step = 60.0 if _near(scope, stream) else HOUR
    place = 0
    while scope.until < end:
        until = scope.until + step
        upto = place
        while upto < len(stream) and stream[upto].born_at < until:
            upto += 1
        scope = advance(scope, stream[place:upto], until, RULES, usd_each=USD)
        place = upto
        yield scope


def _near(scope: Scope, stream: Sequence[Settlement]) -> bool:
    usual = scope.usual
    if usual is None or set(scope.alarms) - {STANDING}:
        return True
    line = RULES.false_alarm_every / _NEAR
    for kind, level, towards in ((FAST, scope.fast, 0.25), (SLOW, scope.slow, 0.0)):
        least = usual.share + least_rise(usual, kind, RULES)
        reached = level
        for each in stream if least < 1.0 else ():
            reached = share_level(
                reached,
                (each.orphan,),
                usual.share,
                least + towards * (1.0 - least),
                dispersion=usual.dispersion,
                ceiling=NEVER,
            )
            if reached >= line:
                return True
    latest: deque[int] = deque()
    usually = usual.rates["1g"].per_hour / 4
    for each in stream:
        if each.orphan:
            latest.append(each.born_at)
            while latest[0] < each.born_at - 900:
                latest.popleft()
            if len(latest) >= max(8.0, 1.8 * usually):
                return True
    return False


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
    begun, some = own_quiet(share, after, days, seed=1), min(days, RIVAL_DAYS)
    told = ", ".join(
        f"{name} {rival_quiet(made, share, after, some, seed=1)} in {some} days"
        for name, made in RIVALS.items()
    )
    name = f"steady {share:.0%}" if share == after else f"{share:.0%} to {after:.0%}"
    pages = begun.get(FAST, 0) + begun.get(COST, 0)
    yield Measured(f"{name}: fast and dollar alarms", pages, f"in {days} days", 0.0, rival=told)
    yield Measured(f"{name}: slow alarms", begun.get(SLOW, 0), f"in {days} days")
    notices = 1.0 if share >= RULES.standing_share else 0.0
    yield Measured(f"{name}: standing notices", begun.get(STANDING, 0), f"in {days} days", notices)


def measure(options: Options) -> Iterator[Measured]:
    """All of it."""
    for change in CHANGES:
        yield from delays(change, 1000 if options.full else 100)
    days = 1000 if options.full else 20
    for share, after in ((0.05, 0.05), (0.5, 0.5), (0.92, 0.92), (0.92, 0.99)):
        yield from quiet(share, after, days)
