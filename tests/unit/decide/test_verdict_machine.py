"""Verdicts over a random life: what may still be used is never let go, what is proven stays so."""

from dataclasses import dataclass, field
from math import inf

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests.examples import examples
from tests.unit.decide.builders import Writer, decision_of, facts, sighting

from demurrage.model.container import Sighting
from demurrage.model.event import Ending
from demurrage.model.rules import EvidenceRules
from demurrage.model.verdict import Verdict, VerdictKind

GOING = (VerdictKind.ORPHAN, VerdictKind.RELEASED)
RULES = EvidenceRules()
PLACES = st.integers(0, 1000)
STEPS = st.sampled_from([0.0, 1.0, 4.0, 20.0, 61.0])
TALKS = st.sampled_from(["talk-1", "talk-2", "talk-3"])
ENDINGS = st.sampled_from([*Ending])


@dataclass
class Run:
    """One response of one conversation; `made` is the container that it made, if any."""

    call: str
    writer: Writer
    talk: str
    starts: float
    made: str | None = None
    put_out: bool = False
    done: bool = False
    lost: bool = False


@dataclass
class Life:
    """What truly became of a container."""

    id: str
    born: float
    maker: Run
    named_by: set[str] = field(default_factory=set)
    pinned_until: float = -inf
    active: float | None = None


class VerdictMachine(RuleBasedStateMachine):
    """Honest writers whose events arrive at once; the daemon decides after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.writers: list[Writer] = []
        self.runs: list[Run] = []
        self.lives: dict[str, Life] = {}
        self.closed: set[str] = set()
        self.protected: set[str] = set()
        self.past: dict[str, Verdict] = {}

    @initialize()
    def begin(self) -> None:
        """Two processes come up before anything is asked of the API."""
        self.writers = [Writer("app-1"), Writer("app-2", offset=7.0)]
        self._beat()

    def _beat(self) -> None:
        for writer in self.writers:
            open_calls = [run.call for run in self.runs if run.writer is writer and not run.done]
            writer.beats(self.now, *open_calls)

    @rule(step=STEPS)
    def pass_time(self, step: float) -> None:
        """Time goes by without a word."""
        self.now += step

    @rule(step=STEPS)
    def beat(self, step: float) -> None:
        """Time goes by, and both say that they are alive."""
        self.now += 60.0 + step
        self._beat()

    @rule(who=PLACES, talk=TALKS, replays=st.booleans())
    def ask(self, who: int, talk: str, *, replays: bool) -> None:
        """A turn of a conversation begins; it may carry the containers of the turns before."""
        if talk in self.closed:
            return
        writer = self.writers[who % 2]
        run = Run(f"call-{len(self.runs)}", writer, talk, self.now)
        carried = [each.id for each in self.lives.values() if talk in each.named_by and replays]
        writer.starts(run.call, self.now, conversation=talk, containers=carried)
        self.runs.append(run)

    @rule(who=PLACES, talk=TALKS, step=STEPS, uses=st.booleans(), how=ENDINGS)
    def turn(self, who: int, talk: str, step: float, *, uses: bool, how: Ending) -> None:
        """A whole turn that makes a container, and uses it or not."""
        if talk in self.closed or how is Ending.REFUSED:
            return
        last = len([run for run in self.runs if not run.done])
        self.ask(who, talk, replays=False)
        self.now += 1.0
        self.make(last)
        self.now += step
        self.put_out(last, uses=uses, other=False)
        self.end(last, uses=uses, how=how)
        self._beat()

    def _open(self, which: int) -> Run | None:
        left = [run for run in self.runs if not run.done]
        return left[which % len(left)] if left else None

    @rule(which=PLACES)
    def make(self, which: int) -> None:
        """The server makes the container of a running response."""
        run = self._open(which)
        late = run is not None and self.now > run.starts + RULES.max_birth_delay
        if run is None or run.made is not None or run.put_out or late:
            return
        run.made = f"cntr_{run.call}"
        self.lives[run.made] = Life(run.made, self.now, run)

    @rule(which=PLACES, uses=st.booleans(), other=st.booleans())
    def put_out(self, which: int, *, uses: bool, other: bool) -> None:
        """The first output item names what was made, an earlier container, or nothing."""
        run = self._open(which)
        if run is None or run.put_out:
            return
        run.put_out = True
        names = {run.made} - {None} if uses else set()
        if other:
            names |= {each.id for each in self.lives.values() if run.talk in each.named_by}
        run.writer.puts_out(run.call, self.now, *(name for name in names if name))
        self._name(run, names)

    def _name(self, run: Run, names: set[str | None]) -> None:
        for name in names:
            if name is not None:
                self.lives[name].named_by.add(run.talk)

    @rule(which=PLACES, uses=st.booleans(), how=ENDINGS)
    def end(self, which: int, *, uses: bool, how: Ending) -> None:
        """A response ends, or its answer is lost; one that made something was not refused."""
        run = self._open(which)
        if run is None or (how is Ending.REFUSED and (run.made or run.put_out)):
            return
        run.done, run.lost = True, how is Ending.LOST
        names = {run.made} if uses and run.made and not run.lost else set()
        run.writer.ends(run.call, self.now, *names, status=how)
        self._name(run, {*names})

    @rule(which=PLACES, lasts=st.sampled_from([1.0, 50.0, 500.0]))
    def pin(self, which: int, lasts: float) -> None:
        """Somebody pins a container that has not been let go."""
        life = self._life(which)
        if life is not None and life.id not in self.past:
            life.pinned_until = max(life.pinned_until, self.now + lasts)
            self.writers[0].pins(life.id, self.now, self.now + lasts)

    @rule(which=PLACES)
    def use(self, which: int) -> None:
        """A turn that is under way works in a container of its conversation."""
        life = self._life(which)
        if life is not None and any(
            not run.done and run.talk in life.named_by for run in self.runs
        ):
            life.active = self.now

    @rule(which=PLACES)
    def protect(self, which: int) -> None:
        """A person protects a container."""
        life = self._life(which)
        if life is not None and which % 8 == 0:
            self.protected.add(life.id)

    @rule(talk=TALKS, who=PLACES)
    def close(self, talk: str, who: int) -> None:
        """A conversation whose turns have all ended is over, clearly after they began."""
        mine = [run for run in self.runs if run.talk == talk]
        if not mine or any(not run.done for run in mine) or talk in self.closed:
            return
        self.now += 2 * RULES.clock_skew
        self.closed.add(talk)
        self.writers[who % 2].closes(self.now, talk)

    def _life(self, which: int) -> Life | None:
        known = list(self.lives.values())
        return known[which % len(known)] if known else None

    def _rows(self) -> list[Sighting]:
        return [
            sighting(
                each.id,
                int(each.born),
                active=int(each.born if each.active is None else each.active),
            )
            for each in self.lives.values()
        ]

    def _needed(self, life: Life) -> str | None:
        """Why the container may not go, as the truth has it; None if it may."""
        if life.id in self.protected:
            return "protected"
        if self.now < life.pinned_until:
            return "pinned"
        if not life.maker.done or life.maker.lost:
            return "its maker may yet name it"
        if life.named_by - self.closed:
            return "a live conversation names it"
        return None

    @invariant()
    def nothing_goes_that_is_needed_and_what_is_proven_stays_proven(self) -> None:
        """Every verdict against the truth, and against the verdict before it."""
        known = facts(protected=frozenset(self.protected))
        decision = decision_of(*self.writers, rows=self._rows(), now=self.now, known=known)
        for life in self.lives.values():
            verdict = decision.verdicts[life.id]
            needed = self._needed(life)
            assert needed is None or verdict.kind not in GOING, (needed, verdict)
            assert (life.id in self.protected) == (verdict.kind is VerdictKind.PROTECTED)
            if verdict.kind in GOING:
                assert self.now >= life.born + RULES.max_event_delay
                assert decision.watermark.through > life.born
                assert verdict.due_at is not None
                assert verdict.proven_at is not None
            else:
                assert verdict.due_at is None
            if life.named_by - self.closed and life.id not in self.protected:
                assert verdict.kind is VerdictKind.REFERENCED
            before = self.past.get(life.id)
            if before is not None and life.id not in self.protected:
                assert verdict.kind is before.kind, (before, verdict)
            if verdict.kind is VerdictKind.ORPHAN:
                assert not life.named_by
                self.past[life.id] = verdict
            assert all(reason.text for reason in verdict.reasons)


TestVerdicts = VerdictMachine.TestCase
TestVerdicts.settings = settings(examples(60), stateful_step_count=40)
