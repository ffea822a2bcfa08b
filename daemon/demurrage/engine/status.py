"""What `status` shows of a target: plain data, the same for HTTP, command line and store."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from math import isinf
from typing import Any

from demurrage.decide.blocking import blocking
from demurrage.decide.book import Book
from demurrage.decide.incidents import graver
from demurrage.engine.cycle import Outcome
from demurrage.engine.evidence import Reading
from demurrage.engine.look import Target
from demurrage.model.condition import Condition
from demurrage.model.inventory import CompleteInventory
from demurrage.model.plan import WAVE_RAILS, Hold, Mode
from demurrage.model.verdict import VerdictKind

# Conditions of one kind and scope are one line; so many summaries are shown in it.
_SHOWN = 3
# Ids that wait for a person are listed up to this many.
_LISTED = 100
# So many calls of unknown end are shown, the oldest.
_BLOCKING = 5


def merge(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """One condition for each kind and scope, the gravest severity and the first summaries in it."""
    by_key: dict[tuple[str, str], list[Condition]] = {}
    for condition in conditions:
        by_key.setdefault((condition.kind, condition.scope), []).append(condition)
    return tuple(_merged(same) for _, same in sorted(by_key.items()))


def _merged(same: list[Condition]) -> Condition:
    first = same[0]
    summaries = list(dict.fromkeys(each.summary for each in same))
    more = f" (and {len(summaries) - _SHOWN} more)" if len(summaries) > _SHOWN else ""
    severity = reduce(graver, (each.severity for each in same))
    return replace(first, summary="; ".join(summaries[:_SHOWN]) + more, severity=severity)


def _effective(mode: Mode, holds: Iterable[Hold]) -> str:
    """What the mode comes to while holds stand.

    "observe" where the whole target is held, "held" where a wave of deletes is: then only what a
    person has resumed goes.
    """
    if mode is Mode.OBSERVE:
        return mode.value
    standing = [hold.rail for hold in holds if hold.resumed_at is None and not hold.ended]
    if any(rail not in WAVE_RAILS for rail in standing):
        return Mode.OBSERVE.value
    return "held" if standing else mode.value


def snapshot(
    target: Target,
    outcome: Outcome,
    book: Book,
    holds: Iterable[Hold],
    *,
    unretrievable: Sequence[str] = (),
) -> dict[str, Any]:
    """One target after one cycle, but for its conditions.

    All times are provider time in epoch seconds.
    """
    picture, facts = outcome.picture, outcome.facts
    decision, reading = picture.decision, picture.reading
    verdicts = tuple(decision.verdicts.values()) if decision is not None else ()
    kinds = Counter(verdict.kind for verdict in verdicts)
    reasons = Counter(f"{each.kind}:{each.reasons[0].code}" for each in verdicts if each.reasons)
    through = None if decision is None else decision.watermark.through
    writers = () if decision is None else decision.watermark.holders
    holds = tuple(holds)
    return {
        "target": target.name,
        "mode": target.mode,
        "effective_mode": _effective(target.mode, holds),
        "at": outcome.ended_at,
        "cycle": {
            "complete": outcome.complete,
            "began_at": outcome.began_at,
            "ended_at": outcome.ended_at,
            "seconds": outcome.seconds,
        },
        "inventory": {
            "complete": isinstance(picture.inventory, CompleteInventory),
            "as_of": picture.inventory.as_of,
        },
        "evidence": {
            "readable": isinstance(reading, Reading),
            "read_at": reading.read_at if isinstance(reading, Reading) else None,
            "watermark": None if through is None or isinf(through) else through,
            "logged": bool(book.responses or book.known),
            "responses": len(book.responses),
            "unretrievable": len(unretrievable),
            "unretrievable_ids": list(unretrievable[:_LISTED]),
            "writers": [
                {
                    "source": holder.source,
                    "through": None if isinf(holder.through) else holder.through,
                    "fault": holder.fault,
                    "detail": holder.detail,
                }
                for holder in sorted(writers, key=lambda holder: holder.through)
            ],
            "blocking": [
                {
                    "about": each.about,
                    "source": each.source,
                    "since": each.since,
                    "containers": each.containers,
                }
                for each in blocking(verdicts, book)[:_BLOCKING]
            ],
        },
        "coverage": {
            "declared": target.rules.evidence.coverage,
            "effective": "complete"
            if facts.coverage_since is not None and not (decision and decision.breaks)
            else "partial",
            "since": facts.vouched_since,
            "breaks": [
                {"kind": each.kind, "about": each.about, "at": each.at, "detail": each.detail}
                for each in (decision.breaks if decision is not None else facts.breaks)
            ],
            "whole_life_windows": facts.whole_life_windows,
        },
        "verdicts": {kind: kinds.get(kind, 0) for kind in VerdictKind},
        "reasons": dict(sorted(reasons.items())),
        "due": len(outcome.plan.deletes),
        "holds": [
            {
                "id": hold.id,
                "rail": hold.rail,
                "opened_at": hold.opened_at,
                "summary": hold.summary,
                "containers": len(hold.containers),
                "resumed_until": hold.resumed_until,
            }
            for hold in holds
        ],
        "clock": {
            "offset": outcome.offset,
            "jumped": outcome.jumped,
        },
    }


def conditions_shown(conditions: Iterable[Condition]) -> list[dict[str, str]]:
    """Conditions as `status` shows them."""
    return [
        {
            "kind": each.kind,
            "scope": each.scope,
            "severity": each.severity,
            "summary": each.summary,
        }
        for each in conditions
    ]
