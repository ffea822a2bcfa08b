"""Spikes of orphans at one target: as a whole, and for each label of its writers.

Births are told in their order (`settling`), each scope keeps its own past and its own tests
(`spike_scope`), and what stands is said in words (`spike_words`). An alarm of the whole target
keeps those of its labels from beginning, for they are among its causes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from demurrage.decide.spike_memory import skip
from demurrage.decide.spike_scope import COST, FAST, SLOW, STANDING, advance
from demurrage.model.condition import ConditionKind
from demurrage.model.rules import SpikeRules
from demurrage.model.spike import WHOLE, Scope, Settlement

_MUTES: Mapping[ConditionKind, frozenset[ConditionKind]] = {
    FAST: frozenset({FAST, SLOW, COST}),
    SLOW: frozenset({SLOW}),
    COST: frozenset({COST}),
}
# That a target always leaks is said of it once, not of each of its labels.
_NEVER_OF_LABELS = frozenset({STANDING})
# Seconds. A label that is not seen for so long has made room for another.
_GONE = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class SpikeWatch:
    """All scopes of a target, and its latest orphans, for the causes."""

    scopes: Mapping[str, Scope]
    orphans: tuple[Settlement, ...] = ()

    @property
    def until(self) -> float:
        """Births before this are counted, provider time in epoch seconds."""
        return self.scopes[WHOLE].until


@dataclass(frozen=True, slots=True)
class Watched:
    """The watch after a look, and the scopes that the look has changed or let go of."""

    watch: SpikeWatch
    changed: frozenset[str] = field(default_factory=frozenset)
    gone: frozenset[str] = field(default_factory=frozenset)


def begin(now: float) -> SpikeWatch:
    """The watch over a target of which nothing is known yet."""
    return SpikeWatch({WHOLE: Scope(now, now)})


def watch(
    before: SpikeWatch,
    births: Sequence[Settlement],
    until: float,
    rules: SpikeRules,
    *,
    usd_each: dict[str, float],
    unwatched: tuple[float, float] | None = None,
) -> Watched:
    """Count births, and look what they say.

    Args:
        before: what is remembered.
        births: those between `before.until` and `until`, in their order.
        until: births before this are all told; provider time in epoch seconds.
        rules: settings as values.
        usd_each: what one orphan costs, by tier.
        unwatched: a time before these births in which nobody looked.
    """
    scopes = dict(before.scopes)
    if unwatched is not None:
        scopes = {name: skip(each, *unwatched) for name, each in scopes.items()}
    whole = advance(scopes[WHOLE], births, until, rules, usd_each=usd_each)
    muted = frozenset(_NEVER_OF_LABELS.union(*(_MUTES.get(kind, ()) for kind in whole.alarms)))
    changed = {WHOLE: whole}
    of_labels = _by_label(births)
    for name, scope in scopes.items():
        if name != WHOLE and (name in of_labels or scope.alarms or unwatched):
            some = of_labels.get(name, ())
            changed[name] = advance(scope, some, until, rules, usd_each=usd_each, muted=muted)
    gone = {
        name
        for name, scope in scopes.items()
        if name not in changed and until - scope.until > _GONE
    }
    room = rules.max_labels + 1 - len(scopes) + len(gone)
    for name in [each for each in of_labels if each not in scopes][: max(0, room)]:
        since = max(scopes[WHOLE].until, scopes[WHOLE].since)
        changed[name] = advance(
            Scope(since, since), of_labels[name], until, rules, usd_each=usd_each, muted=muted
        )
    kept = {name: scope for name, scope in {**scopes, **changed}.items() if name not in gone}
    recent = (*before.orphans, *(each for each in births if each.orphan))
    if recent and recent[0].born_at < until - rules.slow_window - rules.bin:
        recent = tuple(each for each in recent if each.born_at >= until - rules.slow_window)
    return Watched(
        replace(before, scopes=kept, orphans=recent), frozenset(changed), frozenset(gone)
    )


def labels_of(settlement: Settlement) -> Iterable[str]:
    """The scopes that a container belongs to, besides its target as a whole."""
    return (f"{key}={value}" for key, value in settlement.traits.labels)


def _by_label(births: Iterable[Settlement]) -> dict[str, list[Settlement]]:
    found: dict[str, list[Settlement]] = {}
    for each in births:
        for name in labels_of(each):
            found.setdefault(name, []).append(each)
    return found
