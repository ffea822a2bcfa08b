"""When proof that a writer's process is dead lets nobody wait for it any more.

A dead process sends nothing more; but only where nothing of what it sent is missing or in doubt
is its record complete. Everything else stays for a person to judge.
"""

from collections.abc import Mapping

from demurrage.decide.source import Source
from demurrage.model.rules import EvidenceRules


def may_be_retired(
    source: Source, retired: Mapping[str, float], rules: EvidenceRules, now: float
) -> bool:
    """True when a writer whose process is proven dead may be retired without a person.

    Its record has no hole, and it has been silent for longer than a living one may be: should
    the proof be wrong, for a lock that does not hold what it seems to, its next heartbeats stop
    this. One that was retired before and has spoken since is never retired by proof again.
    """
    if source.person or source.said_goodbye or source.id in retired:
        return False
    whole = (
        source.held_through > 0
        and source.gap is None
        and source.conflict_at is None
        and not source.set_aside
        and not source.dropped
        and not source.unsequenced
    )
    last_word = source.last_time - source.offsets(rules.max_event_delay)[0]
    return whole and now - last_word > rules.writer_timeout
