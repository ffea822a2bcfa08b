"""The life of a hold: opened, joined, resumed by a person, lapsed.

A *wave hold* (deletes per hour, deletes per cycle, deleted share) keeps back the containers
that were due while it was open. A person's resume permits exactly these, until a moment; the
hold lapses at that moment, or when all its containers are gone, resumed or not: it then holds
nothing.

A *target hold* (all other rails) keeps back the whole target, whatever is due. Only a person
ends it, and the resume is the end.

Nothing here deletes or permits; `rails.judge` reads what these functions return.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from demurrage.model.plan import WAVE_RAILS, Hold, PlannedDelete, Rail


def open_hold(
    hold_id: str,
    target: str,
    rail: Rail,
    deletes: Sequence[PlannedDelete],
    *,
    now: float,
    summary: str,
) -> Hold:
    """A rail tripped: hold these deletes (`Judgement.held`), none for a target hold.

    `summary` says in a sentence what was seen; `now` is provider time in epoch seconds.
    """
    return Hold(
        id=hold_id,
        target=target,
        rail=rail,
        opened_at=now,
        summary=summary,
        containers=frozenset(delete.container_id for delete in deletes),
    )


def join(hold: Hold, deletes: Sequence[PlannedDelete]) -> Hold:
    """Newly due containers (`Judgement.held`) join a wave hold for as long as it is open.

    A resumed hold takes no more: a person's yes is for what that person saw. Returns the hold
    itself when nothing changes.
    """
    if hold.rail not in WAVE_RAILS or hold.ended or hold.resumed_at is not None:
        return hold
    containers = hold.containers | {delete.container_id for delete in deletes}
    return hold if containers == hold.containers else replace(hold, containers=containers)


def resume(hold: Hold, *, now: float, until: float, by: str) -> Hold:
    """A person lets it go on.

    A wave hold permits its containers until `until`; resuming it again while that is in force
    moves the moment. A target hold ends now, whatever `until` says.

    Raises:
        ValueError: the hold has ended already, or `until` is not in the future.
    """
    if hold.ended or _run_out(hold, now):
        raise ValueError(
            f"hold {hold.id} has ended; what is still due is judged anew and may open another"
        )
    if hold.rail not in WAVE_RAILS:
        return replace(hold, resumed_at=now, resumed_by=by, lapsed_at=now)
    if until <= now:
        raise ValueError(f"hold {hold.id} must be resumed until a moment in the future")
    return replace(hold, resumed_at=now, resumed_until=until, resumed_by=by)


def settle(hold: Hold, alive_ids: Collection[str], now: float) -> Hold:
    """End a wave hold whose containers are all gone, or whose resume has run out.

    Args:
        hold: Any hold; returned as it is when it goes on.
        alive_ids: The live containers of a *complete* inventory: from a partial one every
            container would seem gone.
        now: Provider time in epoch seconds.
    """
    if hold.ended or hold.rail not in WAVE_RAILS:
        return hold
    if _run_out(hold, now) or hold.containers.isdisjoint(alive_ids):
        return replace(hold, lapsed_at=now)
    return hold


def _run_out(hold: Hold, now: float) -> bool:
    return hold.resumed_until is not None and now >= hold.resumed_until
