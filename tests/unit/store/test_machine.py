"""The store against its twin: any life of it, restarts included."""

import shutil
import tempfile
from atexit import register
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from tests.examples import examples
from tests.unit.store.build import DAY, NOW
from tests.unit.store.standing import Standing, ids, some_ids, targets
from tests.unit.store.twin import Twin

from demurrage.decide.incidents import advance
from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.container import Container, Sighting
from demurrage.model.deletion import DeleteOutcome
from demurrage.model.error import StoreFailedError
from demurrage.model.history import Figure
from demurrage.model.plan import Hold, Rail
from demurrage.model.record import BirthTally, Conclusion, Cursor, Ruling
from demurrage.model.rules import IncidentRules, RetentionRules
from demurrage.model.totals import Tally
from demurrage.model.verdict import Code, Reason, Verdict, VerdictKind
from demurrage.store import SqlStore, open_store

tiers = st.sampled_from([None, "1g", "64g"])
ages = st.sampled_from([0, 10, 400, 4000, 90_000, int(20 * DAY)])
statuses = st.sampled_from(["running", "running", "running", "expired", "odd"])
ENDLESS = 10**9
rows = st.builds(
    lambda id_, age, status, tier: (id_, age, status, tier), ids, ages, statuses, tiers
)


@cache
def _empty() -> Path:
    """A folder with an empty store, for as long as this process lives."""
    folder = Path(tempfile.mkdtemp())
    register(shutil.rmtree, folder, ignore_errors=True)
    open_store(f"sqlite:///{folder}/demurrage.db", clock=lambda: NOW).close()
    return folder


class Lives(Standing):
    """Whatever is done to the store, it answers what its twin answers."""

    @initialize()
    def open(self) -> None:
        """Begin with an empty store, a copy of one: migrating each anew would take long."""
        self.folder = Path(tempfile.mkdtemp())
        shutil.copytree(_empty(), self.folder, dirs_exist_ok=True)
        self.now = NOW
        self.twin = Twin()
        self.kinds: dict[str, set[ConditionKind]] = {}
        self.highest = 0
        self.store = self._opened()

    def _opened(self) -> SqlStore:
        return open_store(f"sqlite:///{self.folder}/demurrage.db", clock=lambda: self.now)

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    # time, and the process

    @rule(seconds=st.sampled_from([1, 60, 299, 3000, 7200, DAY, 15 * DAY, 400 * DAY]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @rule(well=st.booleans())
    def reopen(self, well: bool) -> None:  # noqa: FBT001 - Hypothesis passes it by name
        """The daemon is restarted; unless it ended well, beside what is left of it."""
        left = self.store
        if well:
            left.close()
        self.store = self._opened()
        left.close()

    # inventory and verdicts

    def _container(self, row: tuple[str, int, str, str | None]) -> Container:
        id_, age, status, tier = row
        born = int(self.now) - age
        return Container(id_, born, status, born, tier, "auto", 1200.0)

    @rule(name=targets, seen=st.lists(rows, min_size=1, max_size=3), gone=st.booleans())
    def see(
        self,
        name: str,
        seen: list[tuple[str, int, str, str | None]],
        gone: bool,  # noqa: FBT001 - Hypothesis passes it by name
    ) -> None:
        """A listing is saved; the engine never takes a delete back."""
        known = self.twin.of(name).rows
        sightings = []
        for row in seen:
            sighting = Sighting(self._container(row), self.now, self.now)
            if row[0] in known:
                before = known[row[0]].sighting
                sighting = replace(sighting, gone_at=before.gone_at, deleted_at=before.deleted_at)
            if gone:
                sighting = replace(sighting, gone_at=sighting.gone_at or self.now)
            sightings.append(sighting)
        self.store.save_sightings(name, sightings)
        self.twin.of(name).see(sightings)

    @rule(
        name=targets,
        judged=st.lists(st.tuples(rows, st.sampled_from(VerdictKind)), min_size=1, max_size=3),
        proven=st.booleans(),
        meant=st.booleans(),
    )
    def judge(
        self,
        name: str,
        judged: list[tuple[tuple[str, int, str, str | None], VerdictKind]],
        proven: bool,  # noqa: FBT001 - Hypothesis passes it by name
        meant: bool,  # noqa: FBT001 - likewise
    ) -> None:
        """Verdicts are recorded, on containers known or not; deletes may follow at once."""
        reasons = (Reason(Code.NO_REFERENCE, "No response names it."),)
        proven_at = self.now - 1 if proven else None
        rulings = [
            Ruling(
                self._container(row),
                Verdict(row[0], kind, reasons, due_at=self.now, proven_at=proven_at),
                self.now,
            )
            for row, kind in judged
        ]
        given = self.store.record_verdicts(name, rulings)
        assert given.keys() == {row[0] for row, _ in judged}
        assert min(given.values()) > self.highest
        self.highest = max(given.values())
        self.twin.of(name).judge(rulings, given)
        if meant:
            self._intend(name, sorted(given), None)

    # deletes

    @rule(name=targets, chosen=some_ids, held=st.booleans())
    def intend(self, name: str, chosen: list[str], held: bool) -> None:  # noqa: FBT001 - by name
        """Deletes are written down on the verdicts that stand."""
        self._intend(name, chosen, f"{name}/h1" if held else None)

    def _intend(self, name: str, chosen: list[str], hold_id: str | None) -> None:
        intents = self.twin.intents(name, chosen, hold_id)
        made = self.store.intend(name, intents, self.now)
        assert [each.container_id for each in made] == [
            each.planned.container_id for each in intents
        ]
        self.twin.of(name).intend(made)

    @rule(name=targets, chosen=some_ids)
    def intend_without_verdict(self, name: str, chosen: list[str]) -> None:
        """A delete on a verdict that was never recorded is refused, and all with it."""
        intents = self.twin.intents(name, chosen, None)
        if intents:
            with pytest.raises(StoreFailedError):
                self.store.intend(
                    name, [*intents, replace(intents[0], verdict_id=ENDLESS)], self.now
                )

    @precondition(lambda self: any(each.deletions for each in self.twin.targets.values()))
    @rule(
        data=st.data(),
        outcomes=st.lists(st.sampled_from(DeleteOutcome), min_size=1, max_size=3),
        lost=st.booleans(),
    )
    def conclude(
        self,
        data: st.DataObject,
        outcomes: list[DeleteOutcome],
        lost: bool,  # noqa: FBT001 - Hypothesis passes it by name
    ) -> None:
        """Outcomes arrive, some correct earlier ones; with one for nothing, none does."""
        names = [name for name, each in self.twin.targets.items() if each.deletions]
        name = data.draw(st.sampled_from(names))
        held = sorted(self.twin.of(name).deletions)
        chosen = data.draw(st.lists(st.sampled_from(held), min_size=1, max_size=3))
        for outcome in outcomes:
            saved = 0.25 if outcome is DeleteOutcome.DELETED else 0.0
            told = [Conclusion(each, outcome, self.now, "", saved) for each in chosen]
            if lost:
                with pytest.raises(StoreFailedError):
                    self.store.conclude([*told, Conclusion(ENDLESS, outcome, self.now)])
                return
            self.store.conclude(told)
            self.twin.of(name).conclude(told)

    @rule(name=targets, chosen=some_ids)
    def observe(self, name: str, chosen: list[str]) -> None:
        """Observe mode notes what it would have deleted."""
        planned = [each.planned for each in self.twin.intents(name, chosen, None)]
        fresh = self.store.observe(name, planned, self.now)
        assert fresh == self.twin.of(name).observe(planned)

    # rails, log, conditions

    @rule(
        name=targets,
        number=st.sampled_from(["h1", "h2"]),
        rail=st.sampled_from(Rail),
        held=st.frozensets(ids),
        over=st.booleans(),
    )
    def hold(
        self,
        name: str,
        number: str,
        rail: Rail,
        held: frozenset[str],
        over: bool,  # noqa: FBT001 - Hypothesis passes it by name
    ) -> None:
        """A rail holds, goes on holding, or lets go by a person's yes."""
        hold = Hold(f"{name}/{number}/{rail}", name, rail, self.now, "", held)
        if over:
            hold = replace(hold, resumed_at=self.now, resumed_by="ann", lapsed_at=self.now)
        self.store.save_hold(hold)
        self.twin.of(name).save(hold)

    @rule(name=targets, hours=st.lists(st.sampled_from([0, 1, 167, 168, 300]), min_size=1))
    def tally(self, name: str, hours: list[int]) -> None:
        """Births are counted by the hour."""
        this = int(self.now // 3600)
        tallies = [BirthTally(this - ago, births=2, logged=1, deleted=1) for ago in hours]
        self.store.tally(name, tallies)
        self.twin.of(name).tally(tallies)

    @rule(name=targets, figure=st.sampled_from(["logged", "deleted"]), told=some_ids)
    def tally_once(self, name: str, figure: Figure, told: list[str]) -> None:
        """Containers are counted, each once."""
        self.store.tally_once(name, figure, told)
        self.twin.of(name).tally_once(figure, told)

    @rule(position=st.integers(0, 1000), name=targets)
    def read_log(self, position: int, name: str) -> None:
        """The log is read, the list too, and the cycle ends."""
        cursor = Cursor("generation", position, self.now)
        self.store.save_cursor(cursor)
        self.twin.cursor = cursor
        self.store.note_listed_whole(name)
        self.twin.of(name).listed_whole = True
        self.store.touch(self.now)

    @rule(name=targets, kinds=st.sets(st.sampled_from(ConditionKind), max_size=3))
    def say(self, name: str, kinds: set[ConditionKind]) -> None:
        """Incidents come and go."""
        made = advance(
            self.store.standing_incidents(name),
            [Condition(kind, name, "So it is.") for kind in kinds],
            looked_at=frozenset(ConditionKind),
            rules=IncidentRules(patience=0.0, quiet=0.0),
            now=self.now,
        )
        self.store.save_incidents(made.incidents)
        self.kinds[name] = kinds

    @rule(
        later=st.sampled_from([0, 2, 20, 400]), days=st.sampled_from([(0, 0), (1, 14), (14, 365)])
    )
    def prune(self, later: int, days: tuple[int, int]) -> None:
        """After a while retention takes what is over, and nothing of the living."""
        self.now += later * DAY
        rules = RetentionRules(verdicts=days[0] * DAY, events=0, deletions=days[1] * DAY)
        taken = dict(self.store.prune(self.now, rules))
        del taken["acts"], taken["incidents"]
        expected = [each.prune(self.now, rules) for each in self.twin.targets.values()]
        assert taken == {name: sum(each[name] for each in expected) for name in taken}

    # what must hold

    @rule(name=targets, id_=ids)
    def open_case(self, name: str, id_: str) -> None:
        """The case of a container is all that was ever said of it, and not forgotten."""
        held, case = self.twin.of(name), self.store.case(id_, name)
        verdicts = [
            (number, each.verdict)
            for number, each in held.verdicts.items()
            if each.verdict.container_id == id_
        ]
        deletions = [each for each in held.deletions.values() if each.container_id == id_]
        if case is None:
            assert not verdicts
            assert not deletions
            assert id_ not in held.rows
            return
        assert [(each.id, each.verdict) for each in case.verdicts] == verdicts
        assert list(case.deletions) == deletions
        assert (case.prediction is not None) is (id_ in held.predictions)
        assert (case.protection is not None) is (id_ in held.protections)
        assert {each.id for each in case.holds} == {
            hold.id for hold in held.holds.values() if id_ in hold.containers
        }

    @invariant()
    def agrees(self) -> None:
        """Every answer is the twin's."""
        assert self.store.cursor() == self.twin.cursor
        assert not self.store.restored
        for name, held in self.twin.targets.items():
            self._agrees(name)
            assert self.store.listed_whole(name) is held.listed_whole
            for each in (0.0, self.now - 500):
                seen = self.store.sightings(name, alive_or_born_after=each)
                assert seen == held.sightings(each)

    def _agrees(self, name: str) -> None:
        store, held, now = self.store, self.twin.of(name), self.now
        assert store.current_verdicts(name) == held.current()
        assert store.standing(name) == held.standing()
        audit = store.deletions(name, limit=ENDLESS)
        assert list(reversed(audit)) == list(held.deletions.values())
        assert store.unfinished(name) == tuple(
            each for each in held.deletions.values() if each.outcome is None
        )
        assert _spoken(store.totals(name, 300).by_tier) == _spoken(held.tallies)
        assert store.facts(name, now) == held.facts(now, self.twin.retired)
        assert set(store.holds(name)) == {each for each in held.holds.values() if not each.ended}
        assert store.history(name, now) == held.history(now)
        assert {each.condition.kind for each in store.open_incidents(name)} == (
            self.kinds.get(name, set())
        )


def _spoken(tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """Those that count anything."""
    return {tier: tally for tier, tally in tallies.items() if tally != Tally()}


TestLives = Lives.TestCase
TestLives.settings = settings(
    examples(6), stateful_step_count=50, suppress_health_check=[HealthCheck.too_slow]
)
