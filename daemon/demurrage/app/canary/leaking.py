"""Does the leak exist: does a turn that needs no tool make a container?

Two turns without the tool in each of the three ways to carry context. For code interpreter the
response names nothing, so what is counted are births that the listing shows; others may make
containers at the same time, so a yes is given only where chance is out of the question.
"""

import math
from dataclasses import dataclass, field

from demurrage.app.canary.bench import TIER, Bench, Body, Turn, auto
from demurrage.app.canary.lookout import SLACK, Lookout, UnclearError
from demurrage.model.event import Tool
from demurrage.model.finding import Answer, Finding

# How likely it may be that all births counted are somebody else's.
_CHANCE = 0.01
_HELLO = "Say hello. Do not use any tool."
_STYLES = ("replayed", "previous_response_id", "conversation")
_TURNS = 2


@dataclass(slots=True)
class _Count:
    """What was seen so far. `exposure` has, for each birth, the seconds it was looked for in."""

    looking: Lookout
    born: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_STYLES, 0))
    named: set[str] = field(default_factory=set)
    exposure: list[float] = field(default_factory=list)
    beside: int = 0


async def leak(bench: Bench, tool: Tool, question: str) -> list[Finding]:
    """Hold the conversations.

    Raises:
        UnclearError: a turn failed or used the tool, or others make too many containers.
    """
    count = _Count(bench.lookout())
    await count.looking.look()
    before = len(_births(count.looking, count.looking.began_at - bench.pace.control))
    for style in _STYLES:
        await _style(bench, tool, style, count)
    rate = (before + count.beside + 1) / bench.pace.control
    chance = math.prod(-math.expm1(-rate * seconds) for seconds in count.exposure)
    figures = {
        **{f"containers, {style}": count.born[style] for style in _STYLES},
        "turns without the tool": _TURNS * len(_STYLES),
        "containers named": len(count.named),
        "containers of others": before + count.beside,
        "chance that all are others'": round(chance, 6) if count.exposure else None,
    }
    total = sum(count.born.values())
    says = ", ".join(f"{style} {count.born[style]} of {_TURNS}" for style in _STYLES)
    if not total:
        return [Finding(question, Answer.NO, "", figures)]
    if count.exposure and chance > _CHANCE:
        text = "others make containers at the same time; try again in a quieter hour"
        return [Finding(question, Answer.UNCLEAR, text, figures)]
    return [Finding(question, Answer.YES, says, figures)]


async def _style(bench: Bench, tool: Tool, style: str, count: _Count) -> None:
    """Two turns in one style."""
    items: list[Body] = []
    carried: Body = {}
    if style == "conversation":
        carried = {"conversation": await bench.conversation()}
    for _ in range(_TURNS):
        items.append({"role": "user", "content": _HELLO})
        request = {"input": list(items) if style == "replayed" else _HELLO, **carried}
        known = set(count.looking.seen)
        count.looking.narrow()
        turn = await bench.turn(auto(tool), **request)
        if turn.used:
            raise UnclearError("the model used the tool though it was told not to")
        count.born[style] += await _born(bench, turn, known, count)
        items += turn.output
        if style == "previous_response_id":
            carried = {"previous_response_id": turn.id}


async def _born(bench: Bench, turn: Turn, known: set[str], count: _Count) -> int:
    """1 if the turn made a container, by its own word or by the listing's; else 0."""
    fresh_names = turn.named - count.named
    count.named |= turn.named
    if turn.named:
        await count.looking.look()
        return int(bool(fresh_names))
    since = turn.created_at - SLACK

    def fresh() -> list[str]:
        return [each for each in _births(count.looking, since) if each not in known]

    if not await count.looking.until(lambda: bool(fresh()), bench.pace.patience):
        return 0
    found = fresh()
    count.exposure.append(count.looking.seen[found[0]].first_at - since)
    count.beside += len(found) - 1
    return 1


def _births(looking: Lookout, since: float) -> list[str]:
    """Containers of the tier that was asked for, born since a moment."""
    return [
        each.row.id
        for each in looking.seen.values()
        if each.row.created_at + SLACK > since and each.row.tier in (TIER, None)
    ]
