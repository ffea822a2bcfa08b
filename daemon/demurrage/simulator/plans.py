"""Conversations to be had, laid out beforehand from a seed."""

from dataclasses import dataclass
from random import Random
from typing import Literal

from demurrage.simulator.ask import TIERS, ToolName

Style = Literal["replayed", "previous", "conversation"]
Mode = Literal["blocking", "streamed", "background"]

_STYLES: tuple[Style, ...] = ("replayed", "previous", "conversation")
_MODES: tuple[Mode, ...] = ("blocking", "streamed", "background")
_TIER_WEIGHTS = (0.7, 0.15, 0.1, 0.05)
_MODE_WEIGHTS = (0.5, 0.3, 0.2)
_MOST_TURNS = 8
# Real traces: pauses have a median of 89 s and a ninth decile of 1,113 s.
_PAUSE_MEDIAN, _PAUSE_SIGMA = 4.49, 1.97
# Chat: (2 + output tokens / 68) seconds, times a lognormal factor.
_SECONDS_PER_TOKEN, _SECONDS_SIGMA = 1 / 68, 0.33


@dataclass(frozen=True, slots=True)
class Turn:
    """One request; `seconds` and `pause` (before it) are nominal.

    `draw` (0 to 1) says whether the model runs code, by the habits that it has when it is asked.
    """

    draw: float
    mode: Mode
    seconds: float
    pause: float

    def uses_tool(self, habits: "Habits") -> bool:
        """Whether the model runs code while it has these habits."""
        return self.draw < habits.tool_use_rate


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation; `explicit`: it brings its own container, `ends`: it says when over."""

    number: int
    style: Style
    tool: ToolName
    tier: str
    turns: tuple[Turn, ...]
    explicit: bool
    ends: bool


@dataclass(frozen=True, slots=True)
class Habits:
    """Shares, from 0 to 1, of what conversations do.

    `tool_use_rate`: the share of turns in which the model runs code; the lower, the more
    containers leak.
    """

    tool_use_rate: float = 0.2
    shell_share: float = 0.15
    explicit_share: float = 0.1
    ends_share: float = 0.8
    longest_pause: float = 1500.0


def talk(seed: int, number: int, habits: Habits) -> Talk:
    """The conversation of that number: always the same for the same seed and habits."""
    rng = Random(f"{seed}/{number}")  # noqa: S311 - a workload repeats itself from its seed
    turns = min(_MOST_TURNS, 1 + int(rng.expovariate(0.6)))
    explicit = rng.random() < habits.explicit_share
    shell = not explicit and rng.random() < habits.shell_share
    return Talk(
        number=number,
        style=rng.choice(_STYLES),
        tool="shell" if shell else "code_interpreter",
        tier=rng.choices(TIERS, _TIER_WEIGHTS)[0],
        turns=tuple(_turn(rng, habits, first=place == 0) for place in range(turns)),
        explicit=explicit,
        ends=rng.random() < habits.ends_share,
    )


def _turn(rng: Random, habits: Habits, *, first: bool) -> Turn:
    tokens = rng.expovariate(1 / 400)
    pause = min(habits.longest_pause, rng.lognormvariate(_PAUSE_MEDIAN, _PAUSE_SIGMA))
    return Turn(
        draw=rng.random(),
        mode=rng.choices(_MODES, _MODE_WEIGHTS)[0],
        seconds=(2.0 + tokens * _SECONDS_PER_TOKEN) * rng.lognormvariate(0.0, _SECONDS_SIGMA),
        pause=0.0 if first else pause,
    )
