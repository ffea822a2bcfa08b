"""The life of conditions: when one becomes an incident, and when that is over.

* An incident is told apart by target, kind and scope; at most one of a key is open.
* Most conditions open one at once. Faults that come and go by themselves (`PATIENT`) brood first,
  until they have been seen on and off for `patience`; a pause longer than that begins anew.
* While it is open, its words, causes and money follow the condition; nobody is told. Its severity
  only rises, and a rise is told; so one that wavers is told once.
* It ends when its condition has not been seen for `quiet`, beginning and ending with looks that
  would have seen it. One that comes back in between is the same incident, and nobody is told. A
  look that failed tells nothing about what it did not see, and ends nothing.

Nothing here bears on deleting: rails and holds follow the conditions themselves.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from demurrage.model.condition import Condition, ConditionKind, Severity
from demurrage.model.incident import Incident, IncidentChanges
from demurrage.model.rules import IncidentRules

Key = tuple[str, ConditionKind, str]

# What an API does now and then, and what a restart of something brings about. A minute of it is
# no news; the daemon keeps everything meanwhile, and tries again.
PATIENT = frozenset(
    {
        ConditionKind.RATE_LIMITED,
        ConditionKind.OVERLOADED,
        ConditionKind.SERVER_ERROR,
        ConditionKind.UNREACHABLE,
        ConditionKind.TIMEOUT,
        ConditionKind.NOT_JSON,
        ConditionKind.MALFORMED_JSON,
        ConditionKind.MALFORMED_PAGE,
        ConditionKind.ENDLESS_LISTING,
        ConditionKind.REPEATED_CURSOR,
        ConditionKind.LISTING_SHRANK,
        ConditionKind.UNEXPECTED_ANSWER,
        ConditionKind.INVENTORY_PARTIAL,
        ConditionKind.INVENTORY_STALE,
        ConditionKind.DELETE_REFUSED,
        ConditionKind.DELETE_FAILED,
        ConditionKind.SEQUENCE_GAP,
        ConditionKind.CLOCK_JUMP,
    }
)
# These say themselves when they are over: detection has a hysteresis of its own, and who has once
# logged has logged.
SETTLED = frozenset(
    {
        ConditionKind.NOBODY_LOGS,
        ConditionKind.ORPHAN_RATE_FAST,
        ConditionKind.ORPHAN_RATE_SLOW,
        ConditionKind.ORPHAN_COST,
        ConditionKind.STANDING_LEAK,
    }
)

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Advance:
    """What one look makes of the incidents.

    `incidents` are all that were given, as they are now, and the new ones: to be kept.
    """

    incidents: tuple[Incident, ...]
    changes: IncidentChanges


def advance(
    standing: Sequence[Incident],
    conditions: Iterable[Condition],
    *,
    looked_at: AbstractSet[ConditionKind],
    rules: IncidentRules,
    now: float,
) -> Advance:
    """Go on with the incidents of one target after one look.

    Args:
        standing: those that brood or are open.
        conditions: what was seen now; of several with one key the gravest counts.
        looked_at: the kinds that the look would have seen; others do not end by being absent.
        rules: settings as values.
        now: provider time of the look, epoch seconds.
    """
    seen = _by_key(conditions)
    known = {each.key for each in standing}
    after = [_go_on(each, seen.get(each.key), looked_at, rules, now) for each in standing]
    after += [_begin(condition, rules, now) for key, condition in seen.items() if key not in known]
    before = {each.key: each for each in standing}
    told = [(before.get(each.key), each) for each in after]
    return Advance(
        tuple(after),
        IncidentChanges(
            standing=tuple(each for each in after if each.open),
            opened=tuple(new for old, new in told if new.open and not (old and old.open)),
            escalated=tuple(
                new
                for old, new in told
                if old and old.open and new.revision > old.revision and new.open
            ),
            resolved=tuple(new for _, new in told if new.resolved_at is not None),
        ),
    )


def graver(one: Severity, other: Severity) -> Severity:
    """The higher of two severities."""
    return max(one, other, key=_RANK.__getitem__)


def _by_key(conditions: Iterable[Condition]) -> Mapping[Key, Condition]:
    found: dict[Key, Condition] = {}
    for each in conditions:
        key = each.target, each.kind, each.scope
        held = found.get(key)
        if held is None or _RANK[each.severity] > _RANK[held.severity]:
            found[key] = each
    return found


def _patience(kind: ConditionKind, rules: IncidentRules) -> float:
    return rules.patience if kind in PATIENT else 0.0


def _quiet(kind: ConditionKind, rules: IncidentRules) -> float:
    return 0.0 if kind in SETTLED else rules.quiet


def _begin(condition: Condition, rules: IncidentRules, now: float) -> Incident:
    told = _patience(condition.kind, rules) <= 0.0
    return Incident(0, condition, now, now, now, revision=1 if told else 0)


def _go_on(
    incident: Incident,
    seen: Condition | None,
    looked_at: AbstractSet[ConditionKind],
    rules: IncidentRules,
    now: float,
) -> Incident:
    if seen is None:
        return _unseen(incident, looked_at, rules, now)
    if not incident.open:
        return _brood(incident, seen, rules, now)
    severity = graver(incident.condition.severity, seen.severity)
    same = replace(
        incident,
        condition=replace(seen, severity=severity),
        last_seen_at=now,
        quiet_since=None,
    )
    if severity is incident.condition.severity:
        return same
    return replace(
        same,
        revision=incident.revision + 1,
        changed_at=now,
        acknowledged_at=None,
        acknowledged_by="",
    )


def _brood(incident: Incident, seen: Condition, rules: IncidentRules, now: float) -> Incident:
    patience = _patience(seen.kind, rules)
    # A clock that was set back must not make it wait for what it has waited for already.
    paused = now - incident.last_seen_at > patience
    since = now if paused else min(incident.opened_at, now)
    opens = now - since >= patience
    return replace(
        incident,
        condition=seen,
        opened_at=since,
        changed_at=now if opens else since,
        last_seen_at=now,
        revision=int(opens),
    )


def _unseen(
    incident: Incident, looked_at: AbstractSet[ConditionKind], rules: IncidentRules, now: float
) -> Incident:
    kind = incident.condition.kind
    if not incident.open or kind not in looked_at:
        return incident
    since = now if incident.quiet_since is None else min(incident.quiet_since, now)
    if now - since < _quiet(kind, rules):
        return replace(incident, quiet_since=since)
    return replace(
        incident,
        quiet_since=since,
        revision=incident.revision + 1,
        changed_at=now,
        resolved_at=now,
    )
