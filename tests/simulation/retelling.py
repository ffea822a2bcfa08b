"""The truth about one container, told as lines of a trace."""

from collections.abc import Iterator, Sequence
from math import inf

from tests.simulation.telling import Letter, Post
from tests.simulation.truth import Call, Made, Story
from tests.simulation.watch import Broken, Noted


def told_of(broken: Sequence[Broken], story: Story, post: Post) -> Iterator[Noted]:
    """What truly happened to the first container that an invariant was broken for.

    Args:
        broken: the breaches of a world.
        story: the world's truth.
        post: what was said of it.
    """
    container = next((each.container for each in broken if each.container), None)
    if container is None:
        return
    made = story.made[container]
    yield from _birth(made)
    calls = [each for each in story.calls if made in each.names or each is made.maker]
    for call in calls:
        yield from _course(call, made)
    names = {call.id for call in calls}
    for letters in post.by_source.values():
        for letter in letters:
            if getattr(letter.read.event.fact, "call_id", None) in names:
                yield _arrival(letter, made)


def _birth(made: Made) -> Iterator[Noted]:
    told = f"tier {made.tier}, listed {made.lag:.1f} s later"
    yield Noted(made.born, "is born", made.id, told)
    for at in made.activity:
        yield Noted(at, "is used", made.id, "")
    if -inf < made.until < inf:
        yield Noted(made.until, "is needed no more", made.id, "")


def _course(call: Call, made: Made) -> Iterator[Noted]:
    what = f"{call.id} of {call.talk} by {call.hand.name}, {call.style}"
    yield Noted(call.starts, "request leaves", made.id, what)
    yield Noted(call.output, "first output", made.id, call.id)
    yield Noted(call.ends, "ends", made.id, f"{call.id} {call.ending}")


def _arrival(letter: Letter, made: Made) -> Noted:
    said = f"{letter.read.type} of {letter.read.event.source}, said at {letter.at:.1f}"
    at = letter.arrives if letter.arrives < inf else letter.at
    return Noted(at, "line arrives" if letter.delivered else "line is missing", made.id, said)
