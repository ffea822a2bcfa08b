"""The questions, what each costs at most, and the experiment that answers it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from demurrage.app.canary import deleting, in_flight, refreshing, showing
from demurrage.app.canary.bench import TIER, Bench
from demurrage.app.canary.leaking import leak
from demurrage.model.event import Tool
from demurrage.model.finding import Finding
from demurrage.model.rules import BillingRules


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment.

    Attributes:
        answers: by question, what is asked.
        left: containers that the API may make for it, which stand until the daemon sweeps them or
            they expire.
        made: containers that it makes by name and deletes.
        turns: calls of the model.
        run: does it; the answers to all its questions.
    """

    answers: Mapping[str, str]
    left: int
    made: int
    turns: int
    run: Callable[[Bench], Awaitable[list[Finding]]]

    def cost(self, billing: BillingRules) -> float:
        """USD at list price if its containers stand until they expire; tokens come on top."""
        minutes = (self.left + self.made) * billing.idle_expiry / 60
        return minutes * billing.usd_per_minute.get(TIER, 0.0)


def _leak(tool: Tool, name: str) -> Experiment:
    question = f"leak-{name}"
    asks = f"Does a turn that needs no tool make a container for {name.replace('-', ' ')}?"
    return Experiment({question: asks}, 6, 0, 6, partial(leak, tool=tool, question=question))


EXPERIMENTS: tuple[Experiment, ...] = (
    _leak(Tool.CODE_INTERPRETER, "code-interpreter"),
    _leak(Tool.SHELL, "hosted-shell"),
    Experiment(
        {
            showing.LATE: "Does a new container show in the listing later than half a minute?",
            showing.NAME: "Do containers that the API makes for a request bear a name?",
        },
        1,
        0,
        1,
        showing.showing,
    ),
    Experiment(
        {refreshing.QUESTION: "Does listing a container count as its activity?"},
        0,
        1,
        0,
        refreshing.refreshing,
    ),
    Experiment(
        {deleting.QUESTION: "Does DELETE remove a container, and with which header?"},
        0,
        1,
        0,
        deleting.deleting,
    ),
    Experiment(
        {in_flight.QUESTION: "Does a call in flight fail when its container goes?"},
        0,
        1,
        1,
        in_flight.in_flight,
    ),
)
QUESTIONS: tuple[str, ...] = tuple(name for each in EXPERIMENTS for name in each.answers)


def chosen(questions: Iterable[str]) -> tuple[Experiment, ...]:
    """The experiments that answer these questions, all of them for none."""
    wanted = set(questions) or set(QUESTIONS)
    return tuple(each for each in EXPERIMENTS if wanted & each.answers.keys())
