"""Makes up a world's truth: honest applications, as users have them.

What the daemon's proof stands on holds here: a slot makes at most one container, inside its
window, and nobody uses what was ended. The faults of "maker" are drawn here too.
"""

import math
from dataclasses import dataclass, field
from math import inf
from typing import Any

from tests.simulation.belongings import own, pin
from tests.simulation.faults import Dice
from tests.simulation.shape import Shape
from tests.simulation.truth import EPOCH, TARGETS, Call, Hand, Line, Made, Story

from demurrage.model.event import Ending

# A container lives so long after its last activity, and is surely not reused so close to that.
EXPIRY = 1200.0
_REUSABLE = 1140.0
# Where a request would take so long to reach the API, the network stalls, so many times longer.
_STALLS, _STALLED = 1.35, 25
# And where it passes through a proxy, that one holds it back.
_HOLDS, _HELD = 12, 6
# Of the turns that a conversation may have, it has this part on the average.
_BRIEF = 7.2
_TIERS = ("1g", "1g", "1g", "4g", "16g", "64g")
_OUTCOMES = (Ending.COMPLETED,) * 8 + (Ending.FAILED, Ending.INCOMPLETE, Ending.CANCELLED)


@dataclass
class _Talk:
    """A conversation while it is made up.

    `branches`: off from another. `shared_until`: others go on with what it holds.
    """

    name: str
    keeps: str  # how context is carried: conversation, previous, replay or reference
    tier: str
    tool: str
    hand: Hand
    target: str = TARGETS[0]
    branches: bool = False
    current: Made | None = None
    last: Call | None = None
    busy_until: float = 0.0
    shared_until: float = 0.0
    held: list[Made] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def tell(shape: Shape, dice: Dice) -> Story:
    """The truth of a world."""
    told = Story()
    made_up = _Author(shape, dice, told)
    made_up.hire()
    number = 0
    while len(told.made) < shape.containers:
        made_up.talk(number)
        number += 1
    told.calls.sort(key=lambda call: (call.starts, call.id))
    told.over = max((call.ends for call in told.calls), default=0.0)
    return told


class _Author:
    def __init__(self, shape: Shape, dice: Dice, story: Story) -> None:
        self.shape = shape
        self.dice = dice
        self.story = story
        self.random = dice.of("story")

    def hire(self) -> None:
        """Say which processes there are, and when they come and go."""
        random, horizon = self.random, self.shape.horizon
        clocks, deaths = self.dice.on("clocks"), self.dice.on("deaths")
        for number in range(self.shape.writers):
            begins = 0.0 if number == 0 else random.uniform(0, horizon / 3)
            hand = Hand(f"app-{number}", begins, inf)
            if clocks:
                hand.offset = random.uniform(-29, 29)
                self.dice.note("clocks")
            if number and random.random() < 0.3:
                hand.leaves = random.uniform(horizon / 2, horizon)
            if number and deaths and self.dice.strikes("deaths"):
                hand.dies = random.uniform(horizon / 4, horizon)
                self._bury(hand)
            self.story.hands.append(hand)

    def _bury(self, hand: Hand) -> None:
        fate = self.random.random()
        after = self.random.uniform(20, 240)
        if fate < 0.6:
            hand.taken_over = hand.dies + after
        elif fate < 0.9:
            hand.retired = hand.dies + 60 + after

    def _hand(self, at: float) -> Hand:
        there = [each for each in self.story.hands if each.begins + 1 < at < each.works_until - 1]
        return self.random.choice(there or self.story.hands[:1])

    def talk(self, number: int) -> None:
        """One conversation from its first turn to its last, or to its end."""
        random = self.random
        at = 2 + random.uniform(0, self.shape.horizon)
        keeps = random.choice(["conversation", "previous", "replay"])
        tool = random.choice(["code_interpreter", "code_interpreter", "shell"])
        talk = _Talk(f"conv_{number}", keeps, random.choice(_TIERS), tool, self._hand(at))
        talk.target = self._target()
        at = self._go_on(talk, at)
        branch = self._branch(talk, at, "reference") if self._forks(talk) else None
        if branch is None:
            self._end(talk)
        else:
            self._hand_on(talk, branch, at)
        if self.dice.strikes("explicit"):
            made = self._bear(talk, None, at)
            own(self.random, self.story, self._hand(at), made)

    def _target(self) -> str:
        """Mostly the first; a process may work for all of them."""
        if self.shape.targets == 1:
            return TARGETS[0]
        return self.dice.of("targets").choice((TARGETS[0], *TARGETS[: self.shape.targets]))

    def _go_on(self, talk: _Talk, at: float) -> float:
        """The turns of a conversation from a moment on; returns when the next one would be."""
        random, most = self.random, self.shape.turns
        for _ in range(1 + min(most, int(random.expovariate(_BRIEF / most)))):
            call = self._turn(talk, at)
            usual = random.random() < 0.9
            pause = random.expovariate(1 / self.shape.pause) if usual else random.uniform(60, 900)
            at = max(call.ends, talk.busy_until) + 0.5 + pause
            if call.told_at < inf and call.ending is Ending.LOST:
                # Its user tries again while the server may still be at work.
                at = call.told_at + random.uniform(0.2, 5)
            if at > self.shape.horizon * 1.2 or len(self.story.made) > self.shape.containers:
                break
            if self._forks(talk):
                branch = self._branch(talk, at, "replay")
                at = talk.shared_until = self._go_on(branch, at)
                self._end(branch)
        return at

    def _forks(self, talk: _Talk) -> bool:
        """True where somebody takes a conversation up a second time, with what it holds."""
        share = self.shape.forks
        return share > 0 and talk.current is not None and self.random.random() < share

    def _branch(self, talk: _Talk, at: float, keeps: str) -> _Talk:
        """A conversation that goes on from what another has come to hold.

        Nothing but the containers' ids shows that in the log, and where items are referred to, not
        even those.
        """
        name = f"{talk.name}/{len(talk.calls)}"
        branch = _Talk(
            name, keeps, talk.tier, talk.tool, self._hand(at), talk.target, branches=True
        )
        branch.current, branch.held = talk.current, list(talk.held)
        for made in branch.held:
            made.shared = True
        return branch

    def _hand_on(self, talk: _Talk, branch: _Talk, at: float) -> None:
        """A conversation is declared over while the one that goes on from it is at its first turn.

        Where that turn does not name what it goes on with, it is left to the other again.
        """
        inherited = branch.current
        first = self._turn(branch, at)
        if inherited in first.names:
            self._end(talk, self.random.uniform(first.starts + 0.1, first.ends))
        else:
            branch.held = [each for each in branch.held if each in first.names]
            branch.current = branch.held[-1] if branch.held else None
            self._end(talk)
        self._go_on(branch, max(first.ends, first.starts + 1) + 0.5)
        self._end(branch)

    def _turn(self, talk: _Talk, at: float) -> Call:
        random = self.random
        if random.random() < 0.15 or not talk.hand.begins + 1 < at < talk.hand.works_until - 1:
            talk.hand = self._hand(at)
        call = self._request(talk, at)
        self.story.calls.append(call)
        talk.calls.append(call)
        talk.busy_until = max(talk.busy_until, call.ends)
        refused = call.ending is Ending.REFUSED
        reusable = talk.current is not None and at - talk.current.latest < _REUSABLE
        if reusable and talk.current is not None and random.random() < 0.8 and not refused:
            self._reuse(talk, call, talk.current)
        elif not refused and random.random() > 0.05:
            self._make(talk, call)
        self._learn(talk, call)
        talk.last = call
        return call

    def _request(self, talk: _Talk, at: float) -> Call:
        """One request and its course."""
        random = self.random
        style = random.choices(["blocking", "streamed", "background"], [4, 5, 1])[0]
        direct = random.random() < 0.5
        delay = random.uniform(0.05, 1.5) if direct else random.uniform(0.05, 15)
        stalled = delay * (_STALLED if direct else _HELD)
        if delay > (_STALLS if direct else _HOLDS) and at + stalled < talk.hand.dies:
            delay = stalled
        creation = at + delay
        runs = creation + (random.uniform(0, 30) if style == "background" else 0.0)
        long = random.random() < self.shape.long_share
        output = runs + (random.uniform(1, 120) if long else random.uniform(0.5, 12))
        ends = output + (random.uniform(10, 600) if long else random.uniform(0.5, 20))
        ending = random.choice(_OUTCOMES)
        if random.random() < 0.02:
            ending, runs, output, ends = Ending.REFUSED, creation, creation, creation
        told_at = ends + random.uniform(0.05, 1)
        call = Call(
            id=f"call_{len(self.story.calls)}",
            hand=talk.hand,
            talk=talk.name,
            style=style,
            starts=at,
            slots=self._slots(talk),
            previous=self._previous(talk),
            carried=self._carried(talk),
            direct=direct,
            sent=creation - 0.02 if direct else at + 0.03,
            creation=creation,
            runs=runs,
            output=output,
            ends=ends,
            ending=ending,
            told_at=told_at,
            conversation=talk.name if talk.keeps == "conversation" else None,
            opaque=talk.keeps == "reference",
            tells_creation=style != "blocking" and random.random() < 0.9,
            tells_output=style == "streamed",
            target=talk.target,
        )
        if ending is not Ending.REFUSED and self.dice.strikes("lost_responses"):
            self._lose(call)
        if call.told_at >= talk.hand.dies:
            call.told_at = inf
            if random.random() < 0.8:
                call.settled_at = max(call.ends, talk.hand.dies) + random.uniform(30, 300)
        if self.shape.ids:
            self._tell_by_id(call)
        return call

    def _tell_by_id(self, call: Call) -> None:
        """Its application logs nothing but the id; a person helps where the API has nothing."""
        random = self.dice.of("ids")
        early = call.tells_creation and call.known_at < min(call.hand.dies, call.hand.leaves)
        odd = call.opaque or call.ending in (Ending.LOST, Ending.REFUSED)
        if not early or odd or random.random() >= self.shape.ids:
            return
        call.by_id = True
        call.stored = random.random() < 0.95
        call.settled_at = inf if call.stored else call.ends + random.uniform(30, 300)

    def _lose(self, call: Call) -> None:
        """The answer is lost; a person may say later how it ended."""
        random = self.random
        call.ending = Ending.LOST
        call.told_at = random.uniform(call.starts, call.ends + 30)
        if random.random() < 0.8:
            call.settled_at = max(call.ends, call.told_at) + random.uniform(30, 300)

    def _slots(self, talk: _Talk) -> list[dict[str, Any]]:
        tier = None if self.dice.strikes("unknown_tiers") else talk.tier
        slots = [{"tool": talk.tool, "tier": tier, "container": "auto"}]
        if self.dice.strikes("many_tools"):
            other = "shell" if talk.tool == "code_interpreter" else "code_interpreter"
            slots.append({"tool": other, "tier": talk.tier, "container": "auto"})
        return slots

    def _previous(self, talk: _Talk) -> str | None:
        if talk.keeps != "previous":
            return None
        known = [each for each in talk.calls if self._id_known(each)]
        return known[-1].response_id if known else None

    @staticmethod
    def _id_known(call: Call) -> bool:
        return call.told_at < inf and call.ending not in (Ending.LOST, Ending.REFUSED)

    @staticmethod
    def _carried(talk: _Talk) -> tuple[str, ...]:
        """The ids that the request itself shows: where items are replayed, all that were named."""
        if talk.keeps != "replay":
            return ()
        return tuple(each.id for each in talk.held)

    def _reuse(self, talk: _Talk, call: Call, made: Made) -> None:
        """The context holds a container: the response names it, and makes none."""
        call.names.append(made)
        made.until = max(made.until, call.ends)
        if self.random.random() < 0.7:
            made.activity.append(self._within(call.output, call.ends))

    def _within(self, low: float, high: float) -> float:
        return low if high <= low else self.random.uniform(low, high)

    def _make(self, talk: _Talk, call: Call) -> None:
        """Every auto slot makes a container, or where that is lazy, the one that is used."""
        random, lazy = self.random, self.dice.on("lazy")
        uses = random.random() < self.shape.use
        if lazy:
            self.dice.note("lazy")
        latest = min(call.output, call.runs + 50, call.ends)
        for place, _ in enumerate(call.slots):
            used = uses and place == 0
            if (lazy and not used) or random.random() < 0.05:
                continue
            born = max(call.runs, latest - random.uniform(0, 2)) if lazy else None
            made = self._bear(talk, call, born or self._birth(call, latest))
            if used:
                self._use(talk, call, made)

    def _birth(self, call: Call, latest: float) -> float:
        """Mostly soon, sometimes at the very edges of its window."""
        spot = self.random.random()
        if spot < 0.1:
            return call.runs
        if spot < 0.2:
            return latest
        return min(latest, call.runs + self.random.uniform(0, 7))

    def _bear(self, talk: _Talk, call: Call | None, born: float) -> Made:
        number = len(self.story.made)
        stamp = int(born + EPOCH)
        made = Made(f"cntr_{stamp:08x}{number:040x}", born, talk.tier, call, target=talk.target)
        if self.dice.on("lag") and self.dice.strikes("lag"):
            made.lag = self.random.uniform(0, 30)
        self.story.made[made.id] = made
        if call is not None:
            call.born.append(made)
        return made

    def _use(self, talk: _Talk, call: Call, made: Made) -> None:
        made.named = True
        made.talk = talk.name
        made.until = max(made.until, call.ends)
        call.names.append(made)
        if self.random.random() < 0.7:
            made.activity.append(self._within(call.output, call.ends))

    def _learn(self, talk: _Talk, call: Call) -> None:
        """What the conversation holds from here on.

        Of a lost response only the server's own conversation still knows.
        """
        if not call.names:
            return
        shown = self._id_known(call) or (
            talk.keeps == "conversation" and call.ends < math.inf and self.random.random() < 0.3
        )
        if shown:
            talk.current = call.names[0]
            talk.held += [each for each in call.names if each not in talk.held]

    def _end(self, talk: _Talk, at: float | None = None) -> None:
        """A conversation ends and lets go of what it held, or stays open for good."""
        over = max(call.ends for call in talk.calls)
        told = max((call.told_at for call in talk.calls if call.told_at < inf), default=over)
        if at is None:
            at = max(over, told, talk.shared_until) + self.random.uniform(0.5, 120)
        known = [each for each in talk.calls if self._id_known(each)]
        # What a branch was handed and only shows is not given back by it either.
        named = [*talk.held, *(made for call in talk.calls for made in call.names)]
        ends = self.random.random() < self.shape.ends and known
        if not ends:
            for made in named:
                made.until = inf
            return
        for made in named:
            made.until = max(made.until, at)
        last = known[-1]
        # A release says that nobody needs it any more, and who shares it cannot know.
        if last.names and not last.names[0].shared and self.dice.strikes("pins"):
            told_at = last.told_at + 0.01
            made = last.names[0]
            pin(self.random, self.story, last.hand, made, after=told_at, open_until=at)
        speaker = talk.hand
        if not speaker.begins < at < speaker.works_until - 1:
            speaker = self._hand(at)
        if talk.keeps == "conversation":
            self._ends(talk, speaker, at, conversation=talk.name)
            return
        # Nothing in the log links the turns of a branch to each other.
        for each in known if talk.branches else known[-1:]:
            self._ends(talk, speaker, at, response_id=each.response_id)

    def _ends(self, talk: _Talk, speaker: Hand, at: float, **which: str) -> None:
        """Say that a conversation is over, by its own name or by a response of it."""
        line = Line(speaker, at, "conversation.ended", dict(which), talk.target)
        self.story.lines.append(line)
