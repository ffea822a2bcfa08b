"""How the demo puts things, in few words; all times are told as they would be in life."""

from collections.abc import Iterable, Iterator

from demurrage.model.verdict import VerdictKind
from demurrage.simulator.demo_news import News, Row, Standing
from demurrage.simulator.demo_times import KEY_VARIABLE, TOKEN_VARIABLE
from demurrage.web.words import why


def switch(*, leaking: bool) -> str:
    """What Enter does."""
    return "Enter ends the leak" if leaking else "Enter makes it leak"


def opening(url: str, settings: str, speed: float) -> str:
    """What a person needs who wants to look closer, for pipes and logs."""
    return (
        f"the real daemon in a simulated harbour, {speed:g} times faster than life: {url}, "
        f"demurrage status --config {settings} (so with plan, check and the other commands, once "
        f"{KEY_VARIABLE} and {TOKEN_VARIABLE} are set to any word)"
    )


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    return f"{minutes}:{rest:02}"


def short(name: str | None) -> str:
    """The end of an id, which is what tells ids apart at a glance."""
    return f"…{name[-6:]}" if name else ""


def age(row: Row, now: float, speed: float) -> str:
    """How old it is, or came to be."""
    return clock(((row.gone_at or now) - row.created_at) * speed)


def fate(row: Row, now: float, speed: float) -> str:
    """What becomes of it."""
    if row.swept_at is not None:
        return f"swept at {clock((row.swept_at - row.created_at) * speed)}"
    if row.gone_at is not None:
        return "expired"
    if row.due_at is not None:
        return f"due in {clock((row.due_at - now) * speed)}" if row.due_at > now else "due"
    return "waits" if row.verdict == VerdictKind.PENDING else "stays"


def usd(amount: float) -> str:
    """An amount."""
    return f"${amount:,.2f}"


def kept(standing: Standing) -> Iterator[tuple[int, str]]:
    """What stays and why, the commonest first."""
    counts: dict[str, int] = {}
    for (verdict, code), count in standing.kept.items():
        words = why(verdict, code)
        counts[words] = counts.get(words, 0) + count
    yield from sorted(((count, words) for words, count in counts.items()), reverse=True)


def score(standing: Standing) -> str:
    """What complete coverage would have done, and whether that proved wrong."""
    return f"{standing.predicted} would go, {standing.refuted} of them wrongly"


def status_line(news: News, elapsed: float) -> str:
    """All of it in one line, for pipes and logs."""
    return f"{elapsed:5.0f} s  " + " | ".join(_brief(each) for each in news.standings)


def _brief(standing: Standing) -> str:
    parts = [
        f"{standing.target} ({standing.coverage}): created {standing.created}",
        f"referenced {standing.referenced}",
        f"orphans {standing.orphans}",
        f"swept {standing.swept} ({standing.before_floor} before the floor)",
        f"kept {sum(standing.kept.values())}",
        f"saved {standing.saved} estimated",
        f"harm {standing.harm}",
    ]
    if standing.predicted:
        parts.append(f"score: {score(standing)}")
    if standing.incidents:
        parts.append(f"incidents: {', '.join(standing.incidents)}")
    if standing.holds:
        parts.append(f"holds: {', '.join(standing.holds)}")
    return ", ".join(parts)


def summary(news: News) -> Iterable[str]:
    """What came of it all."""
    for each in news.standings:
        yield (
            f"{each.target}: {each.created} created, {each.referenced} referenced, "
            f"{each.orphans} proven orphans, {each.swept} swept "
            f"({each.before_floor} before the floor)"
        )
        yield (
            f"  orphans by the harbour's books: {each.true_orphans}, {each.true_swept} swept, "
            f"{each.true_in_time} of them before the floor"
        )
        yield (
            f"  orphans cost {usd(each.cost_usd)}, left alone {usd(each.left_usd)}; "
            f"all that was swept saved {each.saved}; all estimated"
        )
        if each.predicted:
            yield f"  score of complete coverage: {score(each)}"
        for count, words in kept(each):
            yield f"  kept {count}: {words}"
    yield f"deletes that did harm, by the harbours' own books: {news.harm}"
    yield f"containers retrieved by the daemon: {sum(e.retrieves for e in news.standings)}"
