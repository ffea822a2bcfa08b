"""What the engine needs of the world, declared by its only consumer."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Container as SetContainer
from typing import Any, Protocol

from demurrage.decide.response import Claim
from demurrage.model.container import Sighting
from demurrage.model.deletion import Deletion
from demurrage.model.facts import CoverageBreak, TargetFacts
from demurrage.model.finding import FindingRecord
from demurrage.model.history import Figure, RailHistory
from demurrage.model.incident import Incident
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.plan import Hold, PlannedDelete
from demurrage.model.record import (
    BirthTally,
    Conclusion,
    Cursor,
    Intent,
    Ruling,
)
from demurrage.model.resolution import Resolution
from demurrage.model.rules import RetentionRules
from demurrage.model.spike import SpikeMemory, SpikeNews
from demurrage.model.totals import Totals
from demurrage.model.verdict import Verdict, VerdictKind


class ProviderClock(Protocol):
    """The provider's time, measured from its `Date` headers."""

    def now(self) -> float:
        """Provider time in epoch seconds; the local clock until a header was seen."""
        ...

    @property
    def jumped(self) -> bool:
        """True from a step of either clock until the offset is measured anew."""
        ...

    @property
    def trusted(self) -> bool:
        """True while `now` tells the provider's time: the offset is measured, and in no doubt."""
        ...

    @property
    def steps(self) -> int:
        """How many signs of a step of either clock there were so far, settled or not."""
        ...

    @property
    def offset(self) -> float | None:
        """Provider time minus local time in seconds, None until measured."""
        ...

    @property
    def doubt(self) -> float:
        """By how many seconds `now` may be off at the most; +inf until it is measured."""
        ...


class ContainersApi(Protocol):
    """One target's API: list and delete containers, read responses, retrieve no container."""

    @property
    def clock(self) -> ProviderClock:
        """The target's clock."""
        ...

    async def read(self, regions: Sequence[Region]) -> Listing:
        """Read stretches of the listing, several at a time. Never raises for API faults."""
        ...

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """Delete one container and read the answer's body. Never raises for API faults.

        `hindrance` is asked right before the call leaves, after its wait in the budget; what it
        names keeps it from being sent, and is the answer's failure.
        """
        ...

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """Read a response, and its input items if asked. Never raises for API faults."""
        ...

    def affordable(self, seconds: float) -> int:
        """How many calls the budget would grant within so many seconds from now."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Store(Protocol):
    """Durable state. Every method is one transaction; all raise StoreFailedError."""

    # inventory
    def sightings(self, target: str, *, alive_or_born_after: float) -> dict[str, Sighting]:
        """Known containers that live, or were born or went after the given moment."""
        ...

    def newest_birth(self, target: str, listed_for: float = 0.0) -> int | None:
        """When the latest remembered container was born that was listed for so many seconds."""
        ...

    def watched_since(self, target: str) -> float | None:
        """When the first of the target's containers that are remembered was seen."""
        ...

    def save_sightings(self, target: str, sightings: Iterable[Sighting]) -> None:
        """Insert or replace by (target, container id)."""
        ...

    def listed_whole(self, target: str) -> bool:
        """True once the target's whole list was read to its end."""
        ...

    def note_listed_whole(self, target: str) -> None:
        """The whole list was read to its end."""
        ...

    # its own life
    @property
    def restored_since(self) -> float | None:
        """The last moment before the store went back in time, None once that is taken note of."""
        ...

    def acknowledge_restore(self, at: float, by: str) -> bool:
        """The restore is taken note of, by a hold of every target; False when there was none."""
        ...

    def targets(self) -> frozenset[str]:
        """Every target that something is remembered of, whether the settings have it or not."""
        ...

    def touch(self, now: float) -> None:
        """Advance the store's tick, so that an older copy is known when it comes back."""
        ...

    # the log
    def cursor(self) -> Cursor | None:
        """The last saved cursor, None before the first reading."""
        ...

    def save_cursor(self, cursor: Cursor) -> None:
        """Remember how far the log was read."""
        ...

    def claims(self) -> Mapping[str, Claim]:
        """By target, what decisions took for true of the log."""
        ...

    def save_claim(self, target: str, claim: Claim) -> None:
        """Keep what the target's decisions have taken for true; ahead of what is done for it."""
        ...

    def forget_places(self) -> None:
        """Drop how far breaches and claims reach in a log that is another one now."""
        ...

    @property
    def held(self) -> bool:
        """False as soon as another process may act on the store; never waits."""
        ...

    # verdicts
    def record_verdicts(self, target: str, rulings: Sequence[Ruling]) -> dict[str, int]:
        """Append to the verdict log; returns verdict ids by container id."""
        ...

    def current_verdicts(self, target: str) -> dict[str, tuple[int, Verdict]]:
        """The latest recorded verdict (id, value) of every container that lives."""
        ...

    # deletes
    def intend(self, target: str, intents: Sequence[Intent], at: float) -> tuple[Deletion, ...]:
        """Write-ahead: record deletes before the calls go out.

        Raises:
            StoreFailedError: it could not be written, or the store went back in time meanwhile.
        """
        ...

    def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        """Complete the audit; done outcomes mark their sightings deleted."""
        ...

    def unfinished(self, target: str) -> tuple[Deletion, ...]:
        """Intents without an outcome: what a crash left behind."""
        ...

    def observe(self, target: str, planned: Sequence[PlannedDelete], at: float) -> frozenset[str]:
        """Observe mode: note, once per container, that it would have been deleted now.

        Returns the ids of those that are new.
        """
        ...

    def deletions(self, target: str | None = None, limit: int = 100) -> tuple[Deletion, ...]:
        """The latest deletes, newest first."""
        ...

    # what stands between the daemon and a delete
    def protected(self, target: str, now: float) -> frozenset[str]:
        """The containers that a person protects at that moment."""
        ...

    def facts(self, target: str, now: float) -> TargetFacts:
        """The standing facts, protections with their `until` applied, holds for a restore, too."""
        ...

    def declare_coverage(self, target: str, at: float) -> None:
        """The word is given; it counts from the first time since it was last taken back."""
        ...

    def withdraw_coverage(self, given: Collection[str]) -> None:
        """Take the word back, and the breaks with it, for all targets but those it is given for."""
        ...

    def add_breaks(self, breaks: Iterable[CoverageBreak]) -> None:
        """Record breaches of coverage; the same (target, kind, about) is recorded once."""
        ...

    def confirm_coverage(self, target: str, at: float, by: str) -> int:
        """A person confirms coverage again; returns how many breaks that settles."""
        ...

    def note_late_births(self, target: str, at: float) -> None:
        """From now on the target uses whole-life windows."""
        ...

    def reset_windows(self, target: str, at: float, by: str) -> None:
        """A person takes whole-life windows back."""
        ...

    def protect(self, target: str, container_id: str, until: float | None, by: str) -> None:
        """A person protects a container, for ever or until a moment."""
        ...

    def unprotect(self, target: str, container_id: str, by: str) -> bool:
        """Take a protection back; False when there was none."""
        ...

    def retire_writer(self, source: str, at: float, by: str) -> None:
        """A person's word, or proof of its death, that a writer will not return."""
        ...

    def forget_retired(self, before: float, spoken_of: SetContainer[str]) -> int:
        """Drop the word on those retired before a moment of whom nothing is held; how many."""
        ...

    # rails
    def holds(self, target: str) -> tuple[Hold, ...]:
        """Holds that have not ended."""
        ...

    def hold(self, hold_id: str) -> Hold | None:
        """One hold, ended or not; None if there never was one of that id."""
        ...

    def amend_hold(self, hold_id: str, change: Callable[[Hold], Hold]) -> Hold | None:
        """Change a hold as it stands, at once; None where nothing about it has changed."""
        ...

    def save_hold(self, hold: Hold) -> None:
        """Insert or replace by id; with the yes to a restore distrust has its end."""
        ...

    def history(self, target: str, now: float) -> RailHistory:
        """The past week by the hour and the last hour's deletes."""
        ...

    def tally(self, target: str, tallies: Iterable[BirthTally]) -> None:
        """Add to the hourly figures."""
        ...

    def tally_once(self, target: str, figure: Figure, container_ids: Iterable[str]) -> None:
        """Add containers to a figure of their hours of birth, each once however often told."""
        ...

    # what the canary found
    def changed_findings(self, target: str) -> tuple[FindingRecord, ...]:
        """The answers that have changed, until the next run confirms them or a person does."""
        ...

    # what people see
    def standing_incidents(self, target: str) -> tuple[Incident, ...]:
        """Those of a target that brood or are open, oldest first."""
        ...

    def open_incidents(self) -> tuple[Incident, ...]:
        """Those that are open, of all targets, oldest first."""
        ...

    def save_incidents(self, some: Iterable[Incident]) -> tuple[Incident, ...]:
        """Keep them as they are now; returns them, the new ones with their ids.

        What people said meanwhile stays, unless an incident has escalated since it was read.
        """
        ...

    def time_is_told(self, target: str) -> bool:
        """True where there is a last look, and it knew the provider's time."""
        ...

    def forget_looks(self) -> None:
        """Drop the last status of every target, which speaks of another time's store or log."""
        ...

    def save_status(self, target: str, at: float, status: Mapping[str, Any]) -> None:
        """Replace the target's status snapshot."""
        ...

    def totals(self, target: str, minimum: float) -> Totals:
        """The running totals; `minimum` is the floor in seconds before which a sweep is timely."""
        ...

    # the watch over orphans
    def spike_memory(
        self, target: str, *, born_after: float, grain: float, width: float
    ) -> SpikeMemory:
        """What is kept; no scopes where it was kept in other grains or widths of bins (s)."""
        ...

    def save_spikes(self, target: str, news: SpikeNews, *, grain: float, width: float) -> None:
        """Keep what has changed; a birth that is kept already stays as it is."""
        ...

    def predict(self, target: str, predictions: Mapping[str, VerdictKind], at: float) -> None:
        """Under partial coverage: what complete would have said, first time per container."""
        ...

    def refute(self, target: str, container_ids: Iterable[str], at: float) -> int:
        """Mark predictions proven wrong (named or used later); returns how many were new."""
        ...

    def prune(self, now: float, retention: RetentionRules) -> Mapping[str, int]:
        """Apply retention; never evidence about a living container. Counts by table."""
        ...
