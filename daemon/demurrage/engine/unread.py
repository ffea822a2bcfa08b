"""When to try a response again, and when to say that it cannot be had.

There is no giving up: an unread response goes on blocking what it may have made, so it is tried
again, ever more seldom, until it can be read or a person settles it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.counted import counted
from demurrage.model.resolution import Resolution, ResolveOutcome

# In intervals of the watch: with ten seconds, a minute, five minutes and an hour.
_RUNNING_CAP = 6
_FAILED_CAP = 30
_GONE_CAP = 360
# The API may say "not found" of what it has only just made.
_GONE_FOR_GOOD = 3
# No patience helps against these.
_NO_ACCESS = frozenset({ConditionKind.UNAUTHORIZED, ConditionKind.MISSING_SCOPE})
_SHOWN = 3


@dataclass(slots=True)
class _Trial:
    """One id that was tried and is not settled. Moments are on the event loop's clock."""

    next_at: float = -inf
    tries: int = 0
    gone: int = 0
    failing_since: float | None = None
    denied: bool = False


@dataclass(slots=True)
class Unread:
    """The ids of one target that are still to be read, and how they fared.

    Args:
        interval: seconds after which one is tried for the second time.
    """

    interval: float
    _trials: dict[str, _Trial] = field(default_factory=dict)

    def due(self, wanted: Iterable[str], now: float) -> list[str]:
        """Those to try now, the least tried first; all others that are known are settled."""
        ids = set(wanted)
        self._trials = {each: self._trials.get(each, _Trial()) for each in sorted(ids)}
        ready = [each for each, trial in self._trials.items() if trial.next_at <= now]
        return sorted(ready, key=lambda each: (self._trials[each].tries, each))

    def note(self, resolution: Resolution, now: float) -> None:
        """Learn from an attempt when to make the next one."""
        trial = self._trials.setdefault(resolution.response_id, _Trial())
        cap = _FAILED_CAP
        if resolution.outcome in (ResolveOutcome.RUNNING, ResolveOutcome.ENDED):
            if trial.failing_since is not None:
                trial.tries = 0
            trial.gone, trial.failing_since, trial.denied = 0, None, False
            cap = _RUNNING_CAP
        else:
            trial.failing_since = now if trial.failing_since is None else trial.failing_since
            trial.gone += resolution.outcome is ResolveOutcome.GONE
            failure = resolution.failure
            trial.denied = failure is not None and failure.kind in _NO_ACCESS
            cap = _GONE_CAP if trial.gone >= _GONE_FOR_GOOD else cap
        trial.next_at = now + self.interval * min(2.0 ** min(trial.tries, 30), cap)
        trial.tries += 1

    def unretrievable(self, now: float) -> tuple[str, ...]:
        """Those that a person should look after: gone, denied, or failing for an hour."""
        longest = self.interval * _GONE_CAP
        return tuple(
            each
            for each, trial in self._trials.items()
            if trial.gone >= _GONE_FOR_GOOD
            or trial.denied
            or (trial.failing_since is not None and now - trial.failing_since >= longest)
        )


def unretrievable_condition(target: str, ids: tuple[str, ...]) -> Condition:
    """What is said of responses that cannot be read."""
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    named = ", ".join(ids[:_SHOWN]) + more
    summary = (
        f"{counted(len(ids), 'response')} known by id alone and not to be retrieved ({named}); "
        "containers that may come of it are kept; settle each with `demurrage events append "
        "--finish ID`"
    )
    return Condition(ConditionKind.UNRETRIEVABLE_RESPONSES, target, summary)
