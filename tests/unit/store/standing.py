"""What operators, people and the evidence say of a target, told to a store and to its twin."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests.unit.store.twin import Twin

from demurrage.model.facts import BreakKind, CoverageBreak
from demurrage.model.verdict import VerdictKind
from demurrage.store import SqlStore

# Few, so that a life has to do with the same container often.
targets = st.sampled_from(["t", "t", "t", "u"])
ids = st.sampled_from(["a", "b", "c"])
some_ids = st.lists(ids, min_size=1, max_size=3, unique=True)


class Standing(RuleBasedStateMachine):
    """The part of the store's machine that is about predictions and standing facts."""

    store: SqlStore
    twin: Twin
    now: float

    @rule(name=targets, claims=st.dictionaries(ids, st.sampled_from(VerdictKind), min_size=1))
    def predict(self, name: str, claims: dict[str, VerdictKind]) -> None:
        """What complete coverage would have said."""
        self.store.predict(name, claims, self.now)
        self.twin.of(name).predict(claims, self.now)

    @rule(name=targets, wrong=some_ids)
    def refute(self, name: str, wrong: list[str]) -> None:
        """And what of it was wrong."""
        counted = self.store.refute(name, wrong, self.now)
        assert counted == self.twin.of(name).refute(wrong)

    @rule(name=targets, id_=ids, seconds=st.sampled_from([None, 0, 100, 10_000]))
    def protect(self, name: str, id_: str, seconds: int | None) -> None:
        """A person protects a container."""
        until = None if seconds is None else self.now + seconds
        self.store.protect(name, id_, until, "ann")
        self.twin.of(name).protections[id_] = until

    @rule(name=targets, id_=ids)
    def unprotect(self, name: str, id_: str) -> None:
        """And takes it back."""
        held = self.twin.of(name).protections
        assert self.store.unprotect(name, id_, "ann") is (id_ in held)
        held.pop(id_, None)

    @rule(
        name=targets,
        about=st.lists(
            st.tuples(
                st.sampled_from(BreakKind), ids, st.sampled_from([-50, 0, 50]), st.integers(0, 3)
            ),
            min_size=1,
            max_size=3,
        ),
    )
    def break_coverage(self, name: str, about: list[tuple[BreakKind, str, int, int]]) -> None:
        """Something contradicts the operator's word."""
        breaks = [
            CoverageBreak(name, kind, id_, self.now + at, "", position)
            for kind, id_, at, position in about
        ]
        self.store.add_breaks(breaks)
        self.twin.of(name).add_breaks(breaks)

    @rule(name=targets)
    def confirm(self, name: str) -> None:
        """A person confirms coverage."""
        settled = self.store.confirm_coverage(name, self.now, "ann")
        assert settled == self.twin.of(name).confirm(self.now)

    @rule(name=targets)
    def declare(self, name: str) -> None:
        """The settings say that coverage is complete."""
        self.store.declare_coverage(name, at=self.now)
        held = self.twin.of(name)
        if held.coverage_since is None:
            held.coverage_since = self.now

    @rule(given=st.sets(targets))
    def withdraw(self, given: set[str]) -> None:
        """The settings say so of some only."""
        self.store.withdraw_coverage(given)
        for name, held in self.twin.targets.items():
            if name not in given:
                held.coverage_since = None
                held.breaks.clear()

    @rule(name=targets, late=st.booleans())
    def windows(self, name: str, late: bool) -> None:  # noqa: FBT001 - by name
        """A late birth is seen, or a person resets the windows."""
        if late:
            self.store.note_late_births(name, self.now)
        else:
            self.store.reset_windows(name, self.now, "ann")
        self.twin.of(name).whole_life = late

    @rule(source=st.sampled_from(["urn:1", "urn:2"]))
    def retire(self, source: str) -> None:
        """A writer is retired."""
        self.store.retire_writer(source, self.now, "ann")
        self.twin.retired[source] = self.now

    @rule(spoken_of=st.sampled_from(["urn:1", "urn:2"]))
    def forget_retired(self, spoken_of: str) -> None:
        """The log speaks of one writer only."""
        gone = {
            each for each, at in self.twin.retired.items() if at < self.now and each != spoken_of
        }
        assert self.store.forget_retired(self.now, {spoken_of}) == len(gone)
        for each in gone:
            del self.twin.retired[each]
