"""Folding what a listing shows into what is known of a target's containers.

* A birth never moves, nor does a name, for nothing can rename a container. A tier that two rows
  tell differently is unknown, and fits any slot. Activity never moves backwards, and life does
  so only loudly: a row that was gone and is listed alive again is kept as alive, and reported as
  `returned`.
* A row that is absent where a listing must have shown it is believed gone after two such
  listings at least one interval apart (`absence`). Gone before its idle expiry and not by our
  own hand, it has *vanished*: somebody else deletes here.
* A container that we deleted stays a tombstone, however long it is listed. The API may show it
  as running for minutes; past `TOMBSTONE_GRACE` it is reported as deleted but alive.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from demurrage.decide.absence import find_absences, shows_tail
from demurrage.decide.billing import expires_at
from demurrage.model.condition import ConditionKind
from demurrage.model.container import Container, Life, Sighting
from demurrage.model.inventory import CompleteInventory, Inventory, PartialInventory
from demurrage.model.listing import Failure, Listing
from demurrage.model.rules import Rules

# Deleted ids were seen listed for minutes. Five leave room for that, and are short against the
# twenty after which an untouched container that the delete did not end would expire by itself.
TOMBSTONE_GRACE = 300.0


@dataclass(frozen=True, slots=True)
class Census:
    """What one listing changed.

    `sightings` is all that is known now; `changed` is what to save: every live row shown, for
    its freshness, and others only if something else about them is new. The rest are container
    ids: `born` seen for the first time (some of them gone already); `gone` alive before and not
    now, for whatever reason; `missing` absent for the first time, not yet believed; `vanished`
    gone before their expiry by another hand (part of `gone`); `returned` gone before and listed
    alive again; `deleted_but_alive` tombstones listed alive for too long;
    `active_after_delete` tombstones whose activity is later than their delete.

    `tail_finished`: the newest rows were provably read. `whole_list`: so was everything else.
    `shrank`: the list lost so much at once that it is not believed.
    """

    as_of: float
    sightings: Mapping[str, Sighting]
    changed: tuple[Sighting, ...] = ()
    born: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    deleted_but_alive: tuple[str, ...] = ()
    active_after_delete: tuple[str, ...] = ()
    tail_finished: bool = False
    whole_list: bool = False
    shrank: bool = False
    failure: Failure | None = None


def take_census(
    known: Mapping[str, Sighting],
    listing: Listing,
    rules: Rules,
    now: float,
    *,
    born_after: float = float("-inf"),
    own_deletes: Collection[str] = frozenset(),
    explicit: Collection[str] = frozenset(),
) -> Census:
    """Fold one listing into the known sightings.

    Args:
        known: By container id: all that live and all that were born after `born_after`.
        listing: What the provider's edge brought, complete or not: a row shown is a row shown.
        rules: The target's settings.
        now: Provider time in epoch seconds, after the listing.
        born_after: What the store was asked for. Unknown rows that are gone and were born
            earlier are passed over: expired rows stay listed for ever.
        own_deletes: Containers that this daemon tried to delete, whatever the outcome: the
            answer may have been lost, and their going is no second reaper.
        explicit: Containers that applications created themselves, and may delete in a body.
    """
    sightings = dict(known)
    for row, listed_at in _rows(listing):
        previous = sightings.get(row.id)
        if previous is not None:
            sightings[row.id] = _fold(previous, row, listed_at, rules)
        elif row.life is not Life.GONE or row.created_at >= born_after:
            gone_at = listed_at if row.life is Life.GONE else None
            sightings[row.id] = Sighting(row, listed_at, listed_at, gone_at=gone_at)

    absences = find_absences(
        known, listing, rules.billing, now, own_deletes=own_deletes, explicit=explicit
    )
    for container_id in absences.absent:
        sightings[container_id] = _miss(known[container_id], now, rules)

    pairs = [
        (known.get(key), sighting)
        for key, sighting in sightings.items()
        if sighting is not known.get(key)
    ]
    return Census(
        as_of=listing.started_at,
        sightings=sightings,
        changed=tuple(new for old, new in pairs if _worth_saving(old, new)),
        born=_ids(new for old, new in pairs if old is None),
        gone=_ids(new for old, new in pairs if old and old.alive and not new.alive),
        missing=_ids(
            new
            for old, new in pairs
            if new.alive and old and new.missing_since is not None and old.missing_since is None
        ),
        vanished=_ids(
            new
            for old, new in pairs
            if old
            and old.alive
            and new.id not in own_deletes
            and _ended_early(old, new, rules, now)
        ),
        returned=_ids(
            new
            for old, new in pairs
            if old and old.gone_at is not None and new.deleted_at is None and new.alive
        ),
        deleted_but_alive=_ids(new for _, new in pairs if _outlives_delete(new)),
        active_after_delete=_ids(new for _, new in pairs if _active_after_delete(new, rules)),
        tail_finished=any(shows_tail(stretch) for stretch in listing.stretches),
        whole_list=any(
            shows_tail(stretch) and stretch.reached_end for stretch in listing.stretches
        ),
        shrank=absences.shrank,
        failure=listing.failure,
    )


def inventory(target: str, census: Census, *, bootstrapped: bool) -> Inventory:
    """What the listing amounts to.

    Complete only if nothing failed, the newest rows were provably read, the list did not
    shrink, and a whole list has been read at least once (`bootstrapped`; this census counts).
    """
    if census.failure is not None:
        return PartialInventory(target, census.as_of, census.failure.kind, census.failure.detail)
    if census.shrank:
        return PartialInventory(
            target,
            census.as_of,
            ConditionKind.LISTING_SHRANK,
            "the list lost so many live rows at once that it is not believed",
        )
    if not census.tail_finished or not (bootstrapped or census.whole_list):
        return PartialInventory(
            target,
            census.as_of,
            ConditionKind.INVENTORY_PARTIAL,
            "the newest rows were not read to their end"
            if not census.tail_finished
            else "the whole list has not been read yet",
        )
    return CompleteInventory(target, census.as_of, census.sightings)


def _rows(listing: Listing) -> Iterator[tuple[Container, float]]:
    """All rows with the time of their reading, in the order of reading."""
    for stretch in sorted(listing.stretches, key=lambda stretch: stretch.listed_at):
        for row in stretch.rows:
            yield row, stretch.listed_at


def _fold(previous: Sighting, row: Container, listed_at: float, rules: Rules) -> Sighting:
    gone_at = previous.gone_at
    if row.life is Life.GONE:
        gone_at = listed_at if gone_at is None else gone_at
    elif previous.deleted_at is None:
        gone_at = None
    before = previous.container
    activity = _last_active(before, row, rules.evidence.activity_tolerance)
    return Sighting(
        Container(
            row.id,
            before.created_at,
            row.status,
            activity,
            row.tier if row.tier == before.tier else None,
            before.name or row.name,
            row.idle_expiry,
        ),
        previous.first_seen_at,
        listed_at,
        gone_at,
        previous.deleted_at,
    )


def _last_active(before: Container, row: Container, tolerance: float) -> int | None:
    """The later of two activities.

    A null after a value hides what happened since: the null stands, and makes the container
    `unknown`, unless the value already proves use, which no later row can take back.
    """
    if before.last_active_at is None:
        return row.last_active_at
    if row.last_active_at is None:
        used = before.last_active_at > before.created_at + tolerance
        return before.last_active_at if used else None
    return max(before.last_active_at, row.last_active_at)


def _miss(sighting: Sighting, now: float, rules: Rules) -> Sighting:
    """One more absence: remembered if the first, believed if far enough from it."""
    # One from the future was noted by a clock that was ahead.
    if sighting.missing_since is None or sighting.missing_since > now:
        return replace(sighting, missing_since=now)
    if now - sighting.missing_since < rules.watch.interval:
        return sighting
    return replace(sighting, gone_at=now)


def _worth_saving(old: Sighting | None, new: Sighting) -> bool:
    if old is None or new.container.life is not Life.GONE:
        return True
    return replace(new, listed_at=old.listed_at) != old


def _ended_early(old: Sighting, new: Sighting, rules: Rules, now: float) -> bool:
    """True if the container was ended before it can have expired, by what was known of it."""
    if new.alive:
        return False
    if new.missing_since is not None:
        ended_at = new.missing_since
    elif new.container.status == "deleted":
        ended_at = now
    else:
        return False
    return ended_at + rules.evidence.clock_skew < expires_at(old.container, rules.billing)


def _outlives_delete(tombstone: Sighting) -> bool:
    return (
        tombstone.deleted_at is not None
        and tombstone.container.life is not Life.GONE
        and tombstone.listed_at > tombstone.deleted_at + TOMBSTONE_GRACE
    )


def _active_after_delete(tombstone: Sighting, rules: Rules) -> bool:
    activity = tombstone.container.last_active_at
    return (
        tombstone.deleted_at is not None
        and activity is not None
        and activity > tombstone.deleted_at + rules.evidence.clock_skew
    )


def _ids(sightings: Iterator[Sighting]) -> tuple[str, ...]:
    return tuple(sighting.id for sighting in sightings)
