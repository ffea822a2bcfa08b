"""Faults that break what the daemon's proof stands on, so that their harm can be measured."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from random import Random

from tests.simulation.faults import FAULTS, Dice
from tests.simulation.harbour import Harbour
from tests.simulation.loop import Agenda
from tests.simulation.shape import Shape
from tests.simulation.truth import EPOCH, TARGETS, Call, Made, Story

from demurrage.model.event import Ending

# A birth that is later after the server began than windows reach.
_LATE = 70.0


def outside(shape: Shape) -> bool:
    """True where some fault of a world breaks the assumptions."""
    return any(not FAULTS[each].inside for each in shape.faults)


def befall(story: Story, dice: Dice) -> float | None:
    """Change what truly happens; returns the moment of the first breach, None without one."""
    moments = [
        *_strangers(story, dice),
        *_late_births(story, dice),
        *_lost_starts(story, dice),
        *_twins(story, dice),
        *_returns(story, dice),
        # From the first listing on.
        *([0.0] if dice.on("observer_effect") else ()),
    ]
    return min(moments, default=None)


def reap(
    harbours: Mapping[str, Harbour], story: Story, dice: Dice, agenda: Agenda, start: float
) -> float | None:
    """Somebody else deletes containers, too; returns the moment of the first."""
    if not dice.on("second_reaper"):
        return None
    random = dice.of("second_reaper")
    moments = []
    for made in list(story.made.values()):
        if not dice.strikes("second_reaper"):
            continue
        at = made.born + random.uniform(60, 240)
        moments.append(at)
        agenda.at(start + at, partial(harbours[made.target].delete, made.id))
    return min(moments, default=None)


def _strangers(story: Story, dice: Dice) -> list[float]:
    """Containers of somebody who logs nothing, used soon after their birth or much later."""
    found = []
    for name, first in (("strangers", (5, 200)), ("late_strangers", (400, 1100))):
        random = dice.of(name)
        for _ in list(story.made):
            if not dice.strikes(name):
                continue
            tier = random.choice(["1g", "4g", "64g"])
            made = _made(story, random.uniform(5, story.over), tier, None, TARGETS[0])
            used = made.born + random.uniform(*first)
            made.activity.append(used)
            for _ in range(random.randint(0, 3)):
                used += random.uniform(5, 400)
                made.activity.append(used)
            made.until, made.named = used, True
            found.append(made.born)
    return found


def _late_births(story: Story, dice: Dice) -> list[float]:
    """Containers that are born long after the first output, and used at once."""
    if not dice.on("late_births"):
        return []
    found = []
    for call in story.calls:
        later = max(call.output + 8, call.runs + _LATE)
        for made in call.born:
            if made.maker is not call or later + 5 > call.ends or not dice.strikes("late_births"):
                continue
            made.born = later
            made.activity = [max(at, later + 4) for at in made.activity]
            made.named, made.until = True, max(made.until, call.ends)
            if made not in call.names:
                call.names.append(made)
            found.append(later)
    return found


def _lost_starts(story: Story, dice: Dice) -> list[float]:
    """Calls of which nothing is ever logged, by applications that log all else."""
    if not dice.on("lost_starts"):
        return []
    found: list[float] = []
    for call in list(story.calls):
        if call.born and dice.strikes("lost_starts"):
            story.calls.remove(call)
            found.extend(made.born for made in call.born)
    return found


def _twins(story: Story, dice: Dice) -> list[float]:
    """Slots that make a second container, which the response uses, too, and never names."""
    if not dice.on("twins"):
        return []
    random, found = dice.of("twins"), []
    for call in story.calls:
        if call.born and dice.strikes("twins"):
            made = _twin(story, call, random)
            found.append(made.born)
    return found


def _twin(story: Story, call: Call, random: Random) -> Made:
    first = call.born[0]
    made = _made(story, first.born, first.tier, call, call.target)
    made.until = call.ends
    if random.random() < 0.5:
        made.activity.append(random.uniform(made.born, call.ends))
    return made


def _returns(story: Story, dice: Dice) -> list[float]:
    """Turns of conversations that were declared over, on what they held."""
    return [
        at
        for name, wait in (("returns", (0.3, 10)), ("late_returns", (300, 500)))
        if dice.on(name)
        for at in _returns_after(story, dice, name, wait)
    ]


def _returns_after(
    story: Story, dice: Dice, name: str, wait: tuple[float, float]
) -> Iterator[float]:
    random = dice.of(name)
    of_response = {call.response_id: call for call in story.calls}
    last = {call.talk: call for call in story.calls}
    for line in story.lines:
        if line.kind != "conversation.ended":
            continue
        said = line.data.get("conversation")
        before = last[said] if said else last[of_response[line.data["response_id"]].talk]
        at = line.at + random.uniform(*wait)
        held = [made for made in before.names if made.latest + 1000 > at]
        if held and at + 1 < before.hand.works_until and dice.strikes(name):
            story.calls.append(_return(story, before, at, held))
            yield at
    story.calls.sort(key=lambda call: (call.starts, call.id))


def _return(story: Story, before: Call, at: float, held: list[Made]) -> Call:
    """One such turn; its user may come again at any time."""
    call = replace(
        before,
        id=f"call_{len(story.calls)}",
        style="blocking",
        starts=at,
        previous=None if before.conversation else before.response_id,
        creation=at + 0.1,
        runs=at + 0.1,
        output=at + 5,
        ends=at + 30,
        ending=Ending.COMPLETED,
        told_at=at + 30.1,
        settled_at=inf,
        tells_creation=False,
        tells_output=False,
        names=list(held),
        born=[],
    )
    for made in held:
        made.activity.append(call.output)
        made.until = inf
    story.over = max(story.over, call.ends)
    return call


def _made(story: Story, born: float, tier: str | None, maker: Call | None, target: str) -> Made:
    number = len(story.made)
    made = Made(f"cntr_{int(born + EPOCH):08x}{number:040x}", born, tier, maker, target=target)
    story.made[made.id] = made
    return made
