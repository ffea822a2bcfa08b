"""From a world that fails to the smallest that still does, and to the story of it."""

from collections.abc import Iterator

from tests.simulation.shape import smaller
from tests.simulation.world import Result, run

_LINES = 60
# What is told of every container's fate, whichever it is.
_COMMON = frozenset(
    {
        "started",
        "killed",
        "stopped",
        "freezes",
        "held",
        "lapsed",
        "resumed",
        "retired",
        "fault",
        "listing",
    }
)


def shrink(result: Result, tries: int = 60) -> Result:
    """Simplify a failing world, step by step, as long as the same invariant breaks.

    Args:
        result: of the world that failed.
        tries: how many worlds may be lived through for it.
    """
    kinds = _kinds(result)
    progress = True
    while progress and tries > 0:
        progress = False
        for shape in smaller(result.shape):
            tries -= 1
            tried = run(shape)
            if kinds & _kinds(tried):
                result, progress = tried, True
                break
            if tries <= 0:
                break
    return result


def _kinds(result: Result) -> set[str]:
    return {each.name for each in result.broken} | ({"error"} if result.error else set())


def story_of(result: Result) -> Iterator[str]:
    """The last lines around the first container that an invariant was broken for."""
    if result.error:
        yield f"the daemon failed: {result.error}"
    for broken in result.broken[:5]:
        yield f"{broken.at:8.1f}  {broken.name}  {broken.container or ''}  {broken.detail}"
    container = next((each.container for each in result.broken if each.container), None)
    until = result.broken[0].at + 60 if result.broken else result.virtual
    lines = [
        f"{each.at:8.1f}  {each.what}  {each.about or ''}  {each.detail}"
        for each in sorted(result.trace, key=lambda each: each.at)
        if each.at <= until and (each.about == container or each.what.partition(" ")[0] in _COMMON)
    ]
    yield from lines[-_LINES:]
