"""What applications ask for: requests in the order of their starts, and ways to lay them out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log
from random import Random
from typing import Literal

Mode = Literal["blocking", "streamed", "background"]
MODES: tuple[Mode, ...] = ("blocking", "streamed", "background")
ToolChoice = Literal["code_interpreter", "shell", "none"]
TOOLS: tuple[ToolChoice, ...] = ("code_interpreter", "shell", "none")

# A `draw` that lies under every rate, and one that lies over all of them.
ALWAYS, NEVER = -1.0, 2.0

# Real traces: turns per session have a median of 1 to 3; pauses have a median of 89 s and a
# ninth decile of 1,113 s; a chat answer takes (2 + output tokens / 68) seconds times a
# lognormal factor.
_GOES_ON = 0.55
_PAUSE_MEDIAN, _PAUSE_SIGMA = 4.49, 1.97
_LONGEST_PAUSE = 1500.0
_TOKENS, _SECONDS_PER_TOKEN, _SECONDS_SIGMA = 400.0, 1 / 68, 0.33
# So many answers are of the long kind where a load has a tail, and from here on it reaches.
_LONG_SHARE, _TAIL_BEGINS = 0.1, 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One response to be had; `start` and `seconds` are seconds, the load begins at 0.

    The tool is called when `draw` lies under the tool-use rate. A `tier` or `mode` of None is
    left to the run.
    """

    session: str
    start: float
    seconds: float
    draw: float
    tier: str | None = None
    tool: ToolChoice = "code_interpreter"
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """Requests in the order of their starts; `span` is how long the load lasts, seconds.

    `recorded_use`: the requests say themselves whether the tool was called, so that no rate
    changes it. `recorded_mode`: each says how its response was had.
    """

    name: str
    requests: tuple[Request, ...]
    span: float
    recorded_use: bool = False
    recorded_mode: bool = False


def generate(*, rate: float, hours: float, tail: float = 0.0, seed: int = 0) -> Load:
    """A load from nothing but a seed.

    Args:
        rate: the mean, in requests a second.
        hours: how long sessions begin.
        tail: if positive, a tenth of the responses take from half a minute up to so many
            seconds, evenly spread on a logarithmic scale.
        seed: two loads of one seed are the same.
    """
    rng = Random(f"load/{seed}")  # noqa: S311 - a load repeats itself from its seed
    span = hours * 3600
    requests: list[Request] = []
    begins = rng.expovariate(rate * (1 - _GOES_ON))
    number = 0
    while begins < span:
        at = begins
        while True:
            seconds = _seconds(rng, tail)
            requests.append(Request(f"s{number}", at, seconds, rng.random()))
            if rng.random() >= _GOES_ON:
                break
            at += seconds + min(_LONGEST_PAUSE, rng.lognormvariate(_PAUSE_MEDIAN, _PAUSE_SIGMA))
        number += 1
        begins += rng.expovariate(rate * (1 - _GOES_ON))
    requests.sort(key=lambda each: each.start)
    return Load(f"{rate:g} requests/s for {hours:g} h", tuple(requests), span)


def _seconds(rng: Random, tail: float) -> float:
    tokens = rng.expovariate(1 / _TOKENS)
    usual = (2.0 + tokens * _SECONDS_PER_TOKEN) * rng.lognormvariate(0.0, _SECONDS_SIGMA)
    if tail > _TAIL_BEGINS and rng.random() < _LONG_SHARE:
        return exp(rng.uniform(log(_TAIL_BEGINS), log(tail)))
    return usual


def overlay(load: Load, times: int, seed: int = 0) -> Load:
    """The load laid over itself, each copy shifted by an independent part of its span.

    What a shift pushes over the end begins again at the start, whole sessions at a time.
    """
    first: dict[str, float] = {}
    for request in load.requests:
        first.setdefault(request.session, request.start)
    rng = Random(f"overlay/{seed}")  # noqa: S311 - shifts repeat themselves from the seed
    laid: list[Request] = list(load.requests)
    for copy in range(1, times):
        shift = rng.uniform(0.0, load.span)
        for request in load.requests:
            began = first[request.session]
            moved = (began + shift) % load.span + request.start - began
            laid.append(replace(request, session=f"{request.session}/{copy}", start=moved))
    laid.sort(key=lambda each: each.start)
    name = load.name if times == 1 else f"{load.name}, laid over itself {times} times"
    return replace(load, name=name, requests=tuple(laid))


def head(load: Load, hours: float) -> Load:
    """The first hours of a load."""
    span = min(load.span, hours * 3600)
    return replace(load, requests=_before(load.requests, span), span=span)


def _before(requests: Sequence[Request], moment: float) -> tuple[Request, ...]:
    return tuple(each for each in requests if each.start < moment)
