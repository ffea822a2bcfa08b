"""A store in plain dictionaries: what the real one must answer, whatever came before."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from demurrage.model.container import Sighting
from demurrage.model.deletion import DeleteOutcome, Deletion
from demurrage.model.facts import BreakKind, CoverageBreak, TargetFacts
from demurrage.model.history import Figure, HourTally, RailHistory
from demurrage.model.plan import RESTORE_RAILS, Hold, PlannedDelete
from demurrage.model.record import BirthTally, Conclusion, Cursor, Intent, Ruling
from demurrage.model.rules import RetentionRules
from demurrage.model.totals import Tally
from demurrage.model.verdict import Verdict, VerdictKind

HOUR, DAY = 3600, 86_400.0
_CLAIMS = (VerdictKind.ORPHAN, VerdictKind.RELEASED)
_SAFE = (DeleteOutcome.REFUSED, DeleteOutcome.FAILED)


@dataclass
class Row:
    """One container."""

    sighting: Sighting
    verdict_id: int | None = None
    verdict: Verdict | None = None
    was: set[VerdictKind] = field(default_factory=set)
    observed: bool = False


@dataclass
class Target:
    """All of one target."""

    rows: dict[str, Row] = field(default_factory=dict)
    verdicts: dict[int, Ruling] = field(default_factory=dict)
    deletions: dict[int, Deletion] = field(default_factory=dict)
    predictions: dict[str, float] = field(default_factory=dict)
    refuted: set[str] = field(default_factory=set)
    protections: dict[str, float | None] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    hours: dict[int, HourTally] = field(default_factory=dict)
    tallied: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    breaks: dict[tuple[BreakKind, str], tuple[CoverageBreak, float | None]] = field(
        default_factory=dict
    )
    tallies: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    coverage_since: float | None = None
    confirmed_at: float | None = None
    distrust_before: float | None = None
    whole_life: bool = False
    listed_whole: bool = False

    def count(self, tier: str | None, **figures: float) -> None:
        """Add to the totals."""
        self.tallies[tier or "unknown"] += Tally(**figures)  # type: ignore[arg-type] # few are money

    def alive(self, id_: str) -> bool:
        """True for a container that the inventory holds and that lives."""
        return id_ in self.rows and self.rows[id_].sighting.alive

    # inventory and verdicts

    def see(self, sightings: Iterable[Sighting]) -> None:
        """Save sightings."""
        for id_, each in {each.id: each for each in sightings}.items():
            if id_ in self.rows:
                self.rows[id_].sighting = each
                continue
            self.rows[id_] = Row(each)
            if each.alive or each.first_seen_at - each.container.created_at < DAY:
                self.count(each.container.tier, created=1)

    def judge(self, rulings: Sequence[Ruling], ids: Mapping[str, int]) -> None:
        """Record verdicts under the ids that the store gave them."""
        for id_, each in {each.verdict.container_id: each for each in rulings}.items():
            if id_ not in self.rows:
                self.see([Sighting(each.container, each.decided_at, each.decided_at)])
            row, kind, tier = self.rows[id_], each.verdict.kind, each.container.tier
            self.verdicts[ids[id_]] = each
            row.verdict_id, row.verdict = ids[id_], each.verdict
            if kind not in row.was:
                self.count(tier, referenced=kind is VerdictKind.REFERENCED)
                self.count(tier, orphans=kind is VerdictKind.ORPHAN)
            row.was.add(kind)

    def sightings(self, after: float) -> dict[str, Sighting]:
        """Those that live, or were born or went after a moment."""
        return {
            id_: row.sighting
            for id_, row in self.rows.items()
            if row.sighting.alive
            or row.sighting.container.created_at + 1 > after
            or (row.sighting.gone_at or 0) > after
        }

    def current(self) -> dict[str, tuple[int | None, Verdict]]:
        """The verdicts of the living."""
        return {
            id_: (row.verdict_id, row.verdict)
            for id_, row in self.rows.items()
            if row.sighting.alive and row.verdict is not None
        }

    def standing(self) -> Counter[tuple[VerdictKind, str]]:
        """The same, counted."""
        return Counter((verdict.kind, verdict.codes[0]) for _, verdict in self.current().values())

    # deletes

    def intend(self, made: Sequence[Deletion]) -> None:
        """Take over what the store says that it wrote down."""
        self.deletions.update((each.id, each) for each in made)

    def conclude(self, conclusions: Sequence[Conclusion]) -> None:
        """Complete the audit."""
        for each in {each.deletion_id: each for each in conclusions}.values():
            before = self.deletions[each.deletion_id]
            if before.outcome is not None and before.outcome.done:
                continue
            for outcome, by in ((before.outcome, -1), (each.outcome, 1)):
                self.count(before.tier, refused=by * (outcome is DeleteOutcome.REFUSED))
                self.count(before.tier, failed=by * (outcome is DeleteOutcome.FAILED))
            self.deletions[each.deletion_id] = replace(
                before,
                outcome=each.outcome,
                finished_at=each.finished_at,
                detail=each.detail,
                saved_usd=each.saved_usd,
            )
            if each.outcome.done:
                early = each.finished_at - before.created_at < 300
                self.count(before.tier, swept=1, swept_before_floor=early, saved_usd=each.saved_usd)
                self._bury(before.container_id, each.finished_at)

    def _bury(self, id_: str, at: float) -> None:
        if id_ in self.rows:
            row = self.rows[id_]
            gone, deleted = row.sighting.gone_at, row.sighting.deleted_at
            row.sighting = replace(
                row.sighting,
                gone_at=at if gone is None else gone,
                deleted_at=at if deleted is None else deleted,
            )

    def observe(self, planned: Sequence[PlannedDelete]) -> frozenset[str]:
        """Count what would have been deleted, each once."""
        fresh = {
            each.container_id: each
            for each in planned
            if each.container_id in self.rows and not self.rows[each.container_id].observed
        }
        for id_, each in fresh.items():
            self.rows[id_].observed = True
            self.count(each.tier, observed=1, observed_usd=each.saves_usd)
        return frozenset(fresh)

    # predictions

    def predict(self, kinds: Mapping[str, VerdictKind], at: float) -> None:
        """Keep the first claim."""
        for id_, kind in kinds.items():
            if kind in _CLAIMS and id_ not in self.predictions:
                self.predictions[id_] = at
                self.count(self._tier(id_), predicted=1)

    def refute(self, ids: Iterable[str]) -> int:
        """Count those that are proven wrong now."""
        wrong = (set(ids) & self.predictions.keys()) - self.refuted
        for id_ in wrong:
            self.count(self._tier(id_), refuted=1)
        self.refuted |= wrong
        return len(wrong)

    def _tier(self, id_: str) -> str | None:
        return self.rows[id_].sighting.container.tier if id_ in self.rows else None

    # facts

    def add_breaks(self, breaks: Sequence[CoverageBreak]) -> None:
        """Record breaches, each once, and those of the settled that happened again."""
        latest: dict[tuple[BreakKind, str], CoverageBreak] = {}
        for each in breaks:
            key = each.kind, each.about
            if key not in latest or each.at > latest[key].at:
                latest[key] = each
        for key, each in latest.items():
            known, settled = self.breaks.get(key, (each, -1.0))
            further = each.position > known.position
            again = each.position == 0 or further or settled == -1.0
            if further if settled is None else each.at >= settled and again:
                self.breaks[key] = each, None

    def confirm(self, at: float) -> int:
        """Settle every open break."""
        opened = [key for key, (_, settled) in self.breaks.items() if settled is None]
        for key in opened:
            self.breaks[key] = self.breaks[key][0], at
        if opened:
            self.confirmed_at = at
        return len(opened)

    def facts(self, now: float, retired: Mapping[str, float]) -> TargetFacts:
        """All that stands between the daemon and a delete."""
        opened = [each for each, settled in self.breaks.values() if settled is None]
        answered = [
            each
            for each, settled in self.breaks.values()
            if settled is not None and each.position > 0
        ]
        return TargetFacts(
            coverage_since=self.coverage_since,
            breaks=tuple(sorted(opened, key=lambda each: (each.at, each.kind, each.about))),
            settled=tuple(sorted(answered, key=lambda each: (each.at, each.kind, each.about))),
            whole_life_windows=self.whole_life,
            distrust_before=inf if self.asked else self.distrust_before,
            protected=frozenset(
                id_ for id_, until in self.protections.items() if until is None or until > now
            ),
            retired=retired,
            proven={
                id_: verdict.proven_at
                for id_, (_, verdict) in self.current().items()
                if verdict.kind in _CLAIMS and verdict.proven_at is not None
            },
            confirmed_at=self.confirmed_at,
        )

    # rails

    def save(self, hold: Hold) -> None:
        """Keep it; by the yes to a restore births so far are beyond proof."""
        self.holds[hold.id] = hold
        if hold.resumed_at is not None and hold.rail in RESTORE_RAILS:
            self.distrust_before = max(self.distrust_before or 0.0, hold.resumed_at)

    @property
    def asked(self) -> bool:
        """True while a person has to answer for a restore."""
        return any(each.rail in RESTORE_RAILS and not each.ended for each in self.holds.values())

    def tally(self, tallies: Iterable[BirthTally]) -> None:
        """Add to the hours."""
        for each in tallies:
            held = self.hours.get(each.hour, HourTally())
            self.hours[each.hour] = HourTally(
                held.births + each.births,
                held.logged + each.logged,
                held.deleted + each.deleted,
            )

    def tally_once(self, figure: Figure, ids: Iterable[str]) -> None:
        """Add containers to their hours, each once."""
        for id_ in set(ids) & self.rows.keys() - self.tallied[figure]:
            self.tallied[figure].add(id_)
            hour = self.rows[id_].sighting.container.created_at // HOUR
            held = self.hours.get(hour, HourTally())
            self.hours[hour] = replace(held, **{figure: getattr(held, figure) + 1})

    def history(self, now: float) -> RailHistory:
        """The week by the hour, and the last hour."""
        hour = int(now // HOUR)
        young = {
            id_: row.sighting.deleted_at is not None
            for id_, row in self.rows.items()
            if row.sighting.container.created_at > now - HOUR
        }
        for each in self.deletions.values():
            if each.hold_id is not None:
                young.pop(each.container_id, None)
        return RailHistory(
            hours={key: held for key, held in self.hours.items() if hour - 168 < key <= hour},
            deletes_last_hour=len(
                {
                    each.container_id
                    for each in self.deletions.values()
                    if each.intended_at > now - HOUR
                    and each.hold_id is None
                    and each.outcome not in _SAFE
                }
            ),
            born_last_hour=len(young),
            deleted_of_those=sum(young.values()),
            last_sweep_at=max((each.intended_at for each in self.deletions.values()), default=None),
        )

    # retention

    def prune(self, now: float, rules: RetentionRules) -> Counter[str]:
        """Forget what is over and bears on no living container."""
        old, ancient = now - rules.verdicts, now - max(rules.deletions, rules.verdicts)
        counts = Counter[str]()

        def forget(name: str, held: dict[Any, Any], over: Iterable[Any]) -> None:
            for key in list(over):
                del held[key]
                counts[name] += 1

        forget(
            "deletions",
            self.deletions,
            [
                id_
                for id_, each in self.deletions.items()
                if each.outcome is not None
                and (each.finished_at or 0) < ancient
                and not self.alive(each.container_id)
            ],
        )
        forget("containers", self.rows, self._forgettable(now - max(rules.verdicts, DAY)))
        for tallied in self.tallied.values():
            tallied.intersection_update(self.rows)
        pointed = {row.verdict_id for row in self.rows.values()}
        pointed |= {each.verdict_id for each in self.deletions.values()}
        forget(
            "verdicts",
            self.verdicts,
            [
                id_
                for id_, each in self.verdicts.items()
                if each.decided_at < old
                and id_ not in pointed
                and not self.alive(each.verdict.container_id)
            ],
        )
        over = [id_ for id_, at in self.predictions.items() if at < old and not self.alive(id_)]
        forget("predictions", self.predictions, over)
        self.refuted -= set(over)
        forget(
            "protections",
            self.protections,
            [
                id_
                for id_, until in self.protections.items()
                if until is not None and until < old and not self.alive(id_)
            ],
        )
        last = now // HOUR - 192
        forget("hourly_births", self.hours, [hour for hour in self.hours if hour < last])
        forget(
            "holds",
            self.holds,
            [
                id_
                for id_, each in self.holds.items()
                if each.lapsed_at is not None and each.lapsed_at < ancient
            ],
        )
        forget(
            "coverage_breaks",
            self.breaks,
            [
                key
                for key, (_, settled) in self.breaks.items()
                if settled is not None and settled < ancient
            ],
        )
        return counts

    def _forgettable(self, before: float) -> list[str]:
        births = [
            row.sighting.container.created_at for row in self.rows.values() if row.sighting.alive
        ]
        awaited = {each.container_id for each in self.deletions.values() if each.outcome is None}
        return [
            id_
            for id_, row in self.rows.items()
            if not row.sighting.alive
            and _ended(row.sighting) < before
            and not any(abs(row.sighting.container.created_at - birth) <= DAY for birth in births)
            and id_ not in awaited
        ]


def _ended(sighting: Sighting) -> float:
    if sighting.gone_at is not None:
        return sighting.gone_at
    return sighting.listed_at if sighting.deleted_at is None else sighting.deleted_at


@dataclass
class Twin:
    """All targets, and what belongs to none."""

    targets: dict[str, Target] = field(default_factory=dict)
    retired: dict[str, float] = field(default_factory=dict)
    cursor: Cursor | None = None

    def of(self, target: str) -> Target:
        """One target."""
        return self.targets.setdefault(target, Target())

    def intents(self, target: str, ids: Iterable[str], hold_id: str | None) -> list[Intent]:
        """Intents on the verdicts that stand."""
        rows = self.of(target).rows
        return [
            Intent(
                PlannedDelete(
                    id_,
                    row.verdict,
                    row.sighting.container.created_at,
                    row.sighting.container.tier,
                    0.5,
                    0.0,
                ),
                row.verdict_id,
                hold_id,
            )
            for id_ in ids
            if (row := rows.get(id_)) is not None
            and row.verdict is not None
            and row.verdict_id is not None
        ]
