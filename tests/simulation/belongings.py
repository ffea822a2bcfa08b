"""What applications do with containers by themselves: they make some, pin some, let some go."""

from math import inf
from random import Random

from tests.simulation.truth import Hand, Line, Made, Story


def pin(
    random: Random, story: Story, hand: Hand, made: Made, *, after: float, open_until: float
) -> None:
    """Hold a named container for longer than its conversations do, until a moment or a release.

    Who has used it itself says by a release that nobody needs it any more, so that it comes after
    the conversation's end.

    Args:
        random: the chance.
        story: takes the lines.
        hand: the process, which has named the container.
        made: the container.
        after: when the pin is set.
        open_until: when the conversation ends.
    """
    if not hand.begins < after < hand.works_until - 1:
        return
    lasts = random.uniform(20, 600)
    if random.random() < 0.5:
        until = after + lasts
        story.lines.append(_line(hand, after, "container.referenced", made, lasts=lasts))
    else:
        story.lines.append(_line(hand, after, "container.referenced", made))
        until = release(story, hand, made, at=max(after, open_until) + lasts)
    made.until = max(made.until, until)


def own(random: Random, story: Story, hand: Hand, made: Made) -> None:
    """Make a container by `POST /containers`, use it, and let go of it or not."""
    answered = made.born + random.uniform(0.05, 2)
    if not hand.begins < answered < hand.works_until - 1:
        return  # killed before it heard the id, so that nobody will use it
    story.lines.append(_line(hand, answered, "container.created", made))
    at = answered
    for _ in range(random.randint(0, 4)):
        at += random.uniform(0, 300)
        made.activity.append(at)
    lets_go = random.random() < 0.6
    made.named = True
    made.until = release(story, hand, made, at=at + random.uniform(1, 200)) if lets_go else inf


def release(story: Story, hand: Hand, made: Made, *, at: float) -> float:
    """Say that nobody needs it any more; returns from when on, inf where nobody says so."""
    if at >= hand.works_until - 1:
        return inf
    story.lines.append(_line(hand, at, "container.released", made))
    return at


def _line(hand: Hand, at: float, kind: str, made: Made, **more: float) -> Line:
    return Line(hand, at, kind, {"container_id": made.id, **more}, made.target)
