"""What became of the containers of some days, what it cost, and whose the orphans were.

Made from what the store and the event log hold, so that no call is needed and the daemon need not
run. A container counts by the last that was thought of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from demurrage.app.grouped import Grouped, grouped
from demurrage.decide import billing
from demurrage.eventlog.attempts import Attempt, attempts
from demurrage.eventlog.log import EventLog
from demurrage.model.case import ContainerEntry
from demurrage.model.rules import Rules
from demurrage.model.verdict import Verdict, VerdictKind
from demurrage.store.sqlstore import SqlStore

_PAGE = 1_000
_USED = frozenset({VerdictKind.REFERENCED, VerdictKind.RELEASED})
_UNKNOWN = "unknown"


@dataclass(slots=True)
class Sum:
    """Containers of one day, one tier, or all.

    `used` were referenced, `explicit` were made by an application itself, `orphans` proven to be
    needed by nobody, but for those `foretold`, which only complete coverage would have proven;
    `unsettled` are the rest, which could not be proven, or not yet. `deleted` are orphans that the
    daemon deleted, `before_minimum` those of them that went before the paid minimum ended; `let_go`
    are others that it deleted, which had been used and released. Money is estimated USD at list
    price: of those used and of the orphans as long as they lived, of the orphans had nobody deleted
    any, what deletes have saved of that, and what those of others have saved.
    """

    containers: int = 0
    used: int = 0
    explicit: int = 0
    orphans: int = 0
    foretold: int = 0
    unsettled: int = 0
    deleted: int = 0
    before_minimum: int = 0
    let_go: int = 0
    used_usd: float = 0.0
    orphans_usd: float = 0.0
    left_alone_usd: float = 0.0
    saved_usd: float = 0.0
    let_go_saved_usd: float = 0.0

    def add(self, entry: ContainerEntry, rules: Rules, now: float) -> None:
        """Count one container in; `now` is provider time, up to which a living one has cost."""
        kind = _kind(entry.latest.verdict if entry.latest is not None else None)
        deleted_at = entry.sighting.deleted_at
        self.containers += 1
        if kind is VerdictKind.ORPHAN:
            self._add_orphan(entry, rules, now)
            return
        if deleted_at is not None:
            self.let_go += 1
            row = entry.sighting.container
            self.let_go_saved_usd += billing.saves(row, deleted_at, rules.billing)
        self.used += kind in _USED
        self.explicit += kind is VerdictKind.EXPLICIT
        settled = kind in _USED or kind is VerdictKind.EXPLICIT
        self.unsettled += not settled
        self.used_usd += cost_of(entry, rules, now) if settled else 0.0

    def _add_orphan(self, entry: ContainerEntry, rules: Rules, now: float) -> None:
        row, deleted_at, rates = entry.sighting.container, entry.sighting.deleted_at, rules.billing
        self.orphans += 1
        self.foretold += entry.latest is not None and entry.latest.verdict.shadow is not None
        self.orphans_usd += cost_of(entry, rules, now)
        self.left_alone_usd += billing.cost_if_left(row, rates)
        if deleted_at is not None:
            self.deleted += 1
            self.before_minimum += deleted_at < row.created_at + rates.minimum
            self.saved_usd += billing.saves(row, deleted_at, rates)


@dataclass(slots=True)
class Blame:
    """Orphans whose most likely makers have one trait in common, such as a model or a label."""

    trait: str
    value: str
    orphans: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Births:
    """How long after its response's `created_at` a container was born, in seconds.

    Of those whose maker named them, and told its `created_at`. Births are whole seconds, so each
    may have been up to one second later than listed; both figures allow for that.
    """

    containers: int
    median: float
    longest: float


@dataclass(frozen=True, slots=True)
class Report:
    """All of one target, from `since` until `until`, epoch seconds.

    `births` is None where no container was named by a response that told its `created_at`.
    """

    target: str
    since: float
    until: float
    sums: Grouped[Sum]
    blame: tuple[Blame, ...]
    births: Births | None


def born_since(store: SqlStore, target: str, since: float) -> Iterator[ContainerEntry]:
    """The containers of a target that were born from a moment on, the newest first.

    Raises:
        StoreFailedError: the store cannot be read.
    """
    after: str | None = None
    while page := store.containers(target, limit=_PAGE, after=after):
        for entry in page:
            if entry.sighting.container.created_at < since:
                return
            yield entry
        after = page[-1].sighting.id


def makers_of(log: EventLog, entries: Iterable[ContainerEntry]) -> tuple[Attempt, ...]:
    """The requests that made the containers, as far as the log still holds them.

    Raises:
        LogUnreadableError: the log cannot be read.
    """
    calls = sorted({call for each in entries if (call := maker_of(each)) is not None})
    return tuple(
        attempt
        for start in range(0, len(calls), _PAGE)
        for attempt in attempts(log.events_about(calls[start : start + _PAGE]))
    )


def make_report(
    target: str,
    entries: Sequence[ContainerEntry],
    makers: Iterable[Attempt],
    rules: Rules,
    *,
    since: float,
    now: float,
) -> Report:
    """Add up.

    Args:
        target: whose.
        entries: its containers that were born since `since`.
        makers: the logged requests that made them, as far as the log still holds them.
        rules: the target's.
        since: epoch seconds.
        now: provider time.
    """

    def add_up(some: Iterable[ContainerEntry]) -> Sum:
        found = Sum()
        for entry in some:
            found.add(entry, rules, now)
        return found

    sums = grouped(entries, lambda entry: entry.sighting.container, add_up, rules.billing)
    by_call = {each.call_id: each for each in makers if each.target == target}
    blame = _blame(entries, by_call, rules, now)
    return Report(target, since, now, sums, blame, _births(entries, by_call))


def cost_of(entry: ContainerEntry, rules: Rules, now: float) -> float:
    """Estimated list price in USD of a container's life so far.

    One that has expired was gone then, however late a listing showed it.
    """
    row, sighting = entry.sighting.container, entry.sighting
    gone_at = now if sighting.gone_at is None else sighting.gone_at
    if sighting.deleted_at is None:
        gone_at = min(gone_at, billing.expires_at(row, rules.billing))
    return billing.billed_usd(row, gone_at, rules.billing)


def maker_of(entry: ContainerEntry) -> str | None:
    """The call id of the response that made a container, or most likely did."""
    return entry.latest.verdict.maker if entry.latest is not None else None


def _kind(verdict: Verdict | None) -> VerdictKind | None:
    return None if verdict is None else verdict.shadow or verdict.kind


def _blame(
    entries: Iterable[ContainerEntry], makers: dict[str, Attempt], rules: Rules, now: float
) -> tuple[Blame, ...]:
    """By trait, the dearest first."""
    found: dict[tuple[str, str], Blame] = {}
    for entry in entries:
        if _kind(entry.latest.verdict if entry.latest is not None else None) is not (
            VerdictKind.ORPHAN
        ):
            continue
        usd = cost_of(entry, rules, now)
        for trait, value in _traits(makers.get(maker_of(entry) or "")):
            each = found.setdefault((trait, value), Blame(trait, value))
            each.orphans += 1
            each.usd += usd
    return tuple(sorted(found.values(), key=lambda each: (each.trait, -each.usd, each.value)))


def _traits(maker: Attempt | None) -> Iterator[tuple[str, str]]:
    if maker is None:
        yield "model", _UNKNOWN
        return
    yield "model", maker.model or _UNKNOWN
    yield from maker.labels


def _births(entries: Iterable[ContainerEntry], makers: dict[str, Attempt]) -> Births | None:
    delays = [
        entry.sighting.container.created_at - maker.created_at
        for entry in entries
        if (maker := makers.get(maker_of(entry) or "")) is not None
        and maker.created_at is not None
        and entry.sighting.id in maker.named
    ]
    if not delays:
        return None
    middle, longest = (
        float(ceil(each + billing.WHOLE_SECOND)) for each in (median(delays), max(delays))
    )
    return Births(len(delays), middle, longest)
