"""Watching one target's listing: the tail every cycle, the living every so often.

The tail watch reads newest-first down to `watch.overlap` past its foot, the newest row up to which
everything was read twice. The reconcile pass refreshes the living by jumping to the regions that
hold them. The first readings of a store's life go to the end of the list.

One page may lose a row. As absence is believed after two looks, so is that nothing was left out:
what one look alone has shown is read once more, and only then is it known what lives.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf

from demurrage.decide.census import Census, inventory, take_census
from demurrage.decide.deduction import horizon
from demurrage.engine.ports import ContainersApi, Store
from demurrage.model.condition import ConditionKind
from demurrage.model.container import Sighting
from demurrage.model.inventory import CompleteInventory, Inventory
from demurrage.model.listing import Listing, Region
from demurrage.model.rules import Rules
from demurrage.provider.regions import plan_regions, plan_tail

# What an API may make of a cursor that it no longer knows.
_CURSOR_FAULTS = frozenset(
    {
        ConditionKind.UNEXPECTED_ANSWER,
        ConditionKind.REPEATED_CURSOR,
        ConditionKind.MALFORMED_PAGE,
    }
)


def remembered(store: Store, target: str, horizon: float, now: float) -> dict[str, Sighting]:
    """What the store knows of a target's containers that live, or did within a horizon.

    The machine's clock may be ahead, and no answer has put it right yet; a birth is the provider's
    word that it is at least so late.

    Args:
        store: where it is kept.
        target: whose.
        horizon: in seconds.
        now: the moment it is, as far as that is known.
    """
    newest = store.newest_birth(target)
    by = now if newest is None else min(now, newest)
    return store.sightings(target, alive_or_born_after=by - horizon)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a complete look has shown: all that lived at `as_of`, as far as no page lost a row.

    `newest` is the latest birth up to which it read. `as_of` is provider time, `ticks` the moment
    on the event loop's clock.
    """

    ticks: float
    as_of: float
    newest: int | None


class InventoryWatch:
    """What is known of one target's containers, kept fresh by listing and nothing else."""

    def __init__(self, target: str, api: ContainersApi, rules: Rules) -> None:
        self._target = target
        self._api = api
        self._rules = rules
        self._bootstrapped = False
        self._reconciled_at = -inf
        self._newest: int | None = None
        self._foot: int | None = None
        self._shown_once: _Shown | None = None
        self._shown_twice: _Shown | None = None
        self._barred: set[str] = set()
        self.sightings: Mapping[str, Sighting] = {}
        self.own_deletes: set[str] = set()
        # What the log had told when it was last read, of containers that applications created.
        self.explicit: Collection[str] = frozenset()

    @property
    def horizon(self) -> float:
        """How far before now gone containers are still remembered, seconds."""
        return horizon(self._rules.billing)

    @property
    def oldest(self) -> float:
        """The earliest birth of all that lives, provider time; +inf where nothing does."""
        births = (each.container.created_at for each in self.sightings.values() if each.alive)
        return min(births, default=inf)

    @property
    def living(self) -> frozenset[str]:
        """Those that live as far as any listing has shown."""
        return frozenset(
            key for key, each in self.sightings.items() if each.alive and each.missing_since is None
        )

    def remember(
        self, sightings: Mapping[str, Sighting], *, bootstrapped: bool, foot: int | None
    ) -> None:
        """Take over what the store knows from before.

        Args:
            sightings: containers that live, or did lately.
            bootstrapped: the whole list was read to its end once.
            foot: the latest birth of a row that certainly two looks have shown. Of a process that
                has ended it is not known what its last look left out.
        """
        self.sightings = dict(sightings)
        self._bootstrapped = bootstrapped
        self._newest = _latest_birth(sightings.values())
        self._foot = foot
        self._shown_once = self._shown_twice = None

    @property
    def whole_as_of(self) -> float | None:
        """The latest moment of which this process knows all that lived then, provider time.

        When it began to list in a way that showed it, and a later look has read the same once
        more. None until then, and while no clock can be trusted.
        """
        clock, shown = self._api.clock, self._shown_twice
        if shown is None or not clock.trusted:
            return None
        # The clock may have been wrong then, and put right since by answers of other looks.
        return min(shown.as_of, clock.now() - (asyncio.get_running_loop().time() - shown.ticks))

    async def look(self) -> Census:
        """List the tail, and the living too when they are due for it."""
        foot = self._foot if self._bootstrapped else None
        regions = [plan_tail(foot, self._rules.watch.overlap)]
        now = asyncio.get_running_loop().time()
        reconciling = now - self._reconciled_at >= self._rules.watch.reconcile_interval
        if reconciling and self._bootstrapped:
            tail = regions[0].down_to
            regions += self._regions(
                each.id
                for each in self.sightings.values()
                if each.alive and tail is not None and each.container.created_at < tail
            )
        census = await self._read(regions)
        if reconciling and census.failure is None:
            self._reconciled_at = now
        if isinstance(self.amounts_to(census), CompleteInventory):
            self._note_shown(_Shown(now, census.as_of, self._newest))
        return census

    def _note_shown(self, shown: _Shown) -> None:
        """Take what was shown before for whole, now that it was read once more, and well apart."""
        before = self._shown_once
        if before is not None:
            if shown.ticks - before.ticks < self._rules.watch.interval:
                return
            self._shown_twice, self._foot = before, before.newest
        self._shown_once = shown

    async def refresh(self, container_ids: Collection[str], base: Census) -> Census:
        """List afresh the regions of the given containers, on top of this cycle's look."""
        census = await self._read(self._regions(container_ids))
        return replace(
            census,
            as_of=base.as_of,
            tail_finished=base.tail_finished,
            shrank=base.shrank or census.shrank,
            failure=base.failure or census.failure,
        )

    def amounts_to(self, census: Census) -> Inventory:
        """What the latest look amounts to."""
        return inventory(self._target, census, bootstrapped=self._bootstrapped)

    def _regions(self, container_ids: Iterable[str]) -> tuple[Region, ...]:
        wanted = [self.sightings[each].container for each in container_ids]
        cursors = [
            each.container
            for each in self.sightings.values()
            if each.deleted_at is None
            and each.missing_since is None
            and each.id not in self.own_deletes
            and each.id not in self._barred
            and each.container.status != "deleted"
        ]
        return plan_regions(wanted, cursors)

    async def _read(self, regions: Iterable[Region]) -> Census:
        listing = self._without_loose_ends(await self._api.read(tuple(regions)))
        now = self._api.clock.now()
        census = take_census(
            self.sightings,
            listing,
            self._rules,
            now,
            born_after=now - self.horizon,
            own_deletes=self.own_deletes,
            explicit=self.explicit,
        )
        births = (self._newest, _latest_birth(census.sightings.values()))
        self._newest = max((each for each in births if each is not None), default=None)
        self.sightings = self._living_or_recent(census.sightings, now)
        if census.whole_list and census.failure is None:
            self._bootstrapped = True
        self._barred.update(_useless_cursors(listing))
        self._barred.intersection_update(self.sightings)
        self.own_deletes.intersection_update(self.sightings)
        return census

    def _without_loose_ends(self, listing: Listing) -> Listing:
        """The listing without what is new in a tail that was not read down to its foot.

        The foot stands on what is known: were it set on a row above a gap, here or at the next
        start, what lies in the gap would never be listed, and the list would pass for complete.
        """
        return replace(
            listing,
            stretches=tuple(
                each
                if each.finished or each.region.after is not None
                else replace(each, rows=tuple(row for row in each.rows if row.id in self.sightings))
                for each in listing.stretches
            ),
        )

    def bury(self, container_ids: Collection[str], at: float) -> None:
        """Our own deletes were confirmed: from here on these rows are tombstones."""
        buried = {
            each: replace(self.sightings[each], gone_at=at, deleted_at=at)
            for each in container_ids
            if each in self.sightings
        }
        self.sightings = {**self.sightings, **buried}

    def _living_or_recent(
        self, sightings: Mapping[str, Sighting], now: float
    ) -> dict[str, Sighting]:
        # As where the store is asked: whatever an answer has told of the time, a birth tells more.
        oldest = (now if self._newest is None else min(now, self._newest)) - self.horizon
        return {
            key: each
            for key, each in sightings.items()
            if each.alive
            or each.container.created_at >= oldest
            # A tombstone that is still listed must not be taken for a new container.
            or (each.gone_at is not None and each.gone_at >= oldest)
        }


def _latest_birth(sightings: Iterable[Sighting]) -> int | None:
    """Of what was listed after it; a row from the future must not stand above real births."""
    return max(
        (
            each.container.created_at
            for each in sightings
            if each.container.created_at <= each.listed_at
        ),
        default=None,
    )


def _useless_cursors(listing: Listing) -> Iterator[str]:
    """Cursors that led nowhere; the next plan must do without them, or it would fail for ever."""
    failed = listing.failure is not None and listing.failure.kind in _CURSOR_FAULTS
    for stretch in listing.stretches:
        if stretch.region.after is None:
            continue
        if not stretch.rows if stretch.finished else failed:
            yield stretch.region.after
