"""`demurrage survey`: how many containers of the past days were never used."""

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import Code, UsageError
from demurrage.cli.session import chosen_targets, finish, settings_of
from demurrage.cli.show import heading, note, on_terminal, say, say_json, table
from demurrage.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demurrage.app.settings import Settings
    from demurrage.app.survey import Progress, Sample
    from demurrage.app.survey_figures import Count, Figures
    from demurrage.model.rules import BillingRules

_DAY = 86_400.0
_NOTES = (
    (
        "Counted as never used: the last activity lies within {tolerance:g} s of the birth. A use "
        "as early as that, or one that the API does not count as activity, would not show."
    ),
    (
        "The listing does not say who made a container, so those that an application created by "
        "POST /containers are among them; nor does it show those that were deleted."
    ),
    (
        "Money is estimated, at list price until expiry. Whether the provider charges unused "
        "containers is a setting (billing.unused = {unused}); its usage figures are the judge."
    ),
)
_LIVE = "{count} of the never used still live and may yet be used."
_UNCLEAR = "{count} rows show no last activity and are neither used nor unused here."


def survey(
    context: typer.Context,
    days: Annotated[float, typer.Option(help="How many days to look back.")] = 7.0,
    rpm: Annotated[
        int | None, typer.Option(help="Calls a minute, in place of requests_per_minute.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="One target only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Tell how many containers of the past days were seemingly never used, and their price.

    Needs nothing but a key: OPENAI_API_KEY, or the settings. It lists; it never retrieves, never
    deletes, and writes nothing. A survey that could not be finished is named partial (exit 1).

    \b
    Example:
      OPENAI_API_KEY=sk-... demurrage survey --days 7
    """
    if not 0 < days <= 3650:  # noqa: PLR2004 - ten years: nothing is listed from before
        raise UsageError("--days: must be above 0 and at most 3650")
    if rpm is not None and rpm < 1:
        raise UsageError("--rpm: must be at least 1")
    settings = settings_of(context)
    answers = []
    complete = True
    for name in chosen_targets(settings, target):
        sample, figures = finish(_survey(settings, name, days, rpm))
        complete = complete and sample.complete
        if as_json:
            answers.append(_plain(name, days, sample, figures, settings.rules(name).billing))
        else:
            _show(settings, name, days, sample, figures)
    if as_json:
        say_json({"version": 1, "targets": answers})
    if not complete:
        raise typer.Exit(Code.FAILED)


async def _survey(
    settings: "Settings", name: str, days: float, rpm: int | None
) -> "tuple[Sample, Figures]":
    import asyncio

    from demurrage.app.assembly import connection
    from demurrage.app.survey import Survey
    from demurrage.app.survey_figures import figures_of
    from demurrage.provider.api import OpenAIContainers
    from demurrage.provider.budget import CallBudget

    budget = CallBudget(rpm or settings.targets[name].requests_per_minute)
    api = OpenAIContainers(connection(settings, name), budget, max_pages=1)
    try:
        with _progress(name, settings.targets[name].base_url) as tell:
            taken = Survey(
                api,
                since=api.clock.now() - days * _DAY,
                now=api.clock.now,
                tell=tell,
            )
            reading = asyncio.ensure_future(taken.run())
            # Whoever interrupts a long survey still gets what was read.
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, reading.cancel)
            try:
                sample = await reading
            except asyncio.CancelledError:
                sample = taken.sample()
    finally:
        await api.close()
    return sample, figures_of(sample.rows, settings.rules(name))


@contextmanager
def _progress(name: str, base_url: str) -> "Iterator[Callable[[Progress], None]]":
    """A bar on a terminal; elsewhere only trouble is told."""
    tell_trouble = _troubles(name, base_url)
    if not on_terminal():
        yield tell_trouble
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}% of the days, {task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task(f"Listing {name}", total=1.0, rows=0)

        def tell(progress: "Progress") -> None:
            bar.update(task, completed=progress.share, rows=progress.rows)
            tell_trouble(progress)

        yield tell


def _troubles(name: str, base_url: str) -> "Callable[[Progress], None]":
    """Tells each trouble of a page once, however often it is tried, and whose it is first."""
    told: set[tuple[int, str]] = set()

    def tell(progress: "Progress") -> None:
        if progress.trouble is None:
            return
        trouble = (progress.pages + 1, progress.trouble.detail)
        if trouble not in told:
            whose = "" if told else f"{name} ({base_url}): "
            told.add(trouble)
            note(f"demurrage: {whose}page {trouble[0]}: {trouble[1]}")

    return tell


def _show(
    settings: "Settings", name: str, days: float, sample: "Sample", figures: "Figures"
) -> None:
    from demurrage.cli.moments import local

    why = "it was interrupted" if sample.failure is None else sample.failure.detail
    if not sample.rows and not sample.complete:
        heading(f"{name}: nothing was read of the last {_days(days)}")
        say(f"Why: {why}. Calls made: {sample.calls}.")
        return
    rules = settings.rules(name)
    total = figures.total
    partial = "" if sample.complete else "PARTIAL: "
    heading(
        f"{partial}{name}: {counted(total.containers, 'container')} born in the last {_days(days)}"
    )
    if not sample.complete:
        say(f"Not the whole: only those since {local(sample.read_down_to)} were read, for {why}.")
    if total.containers:
        share = total.unused / total.containers
        cost = _share(total.unused_usd, total.all_usd)
        say(f"{total.unused:,} of them ({share:.0%}) were seemingly never used: {cost}.")
        doubt = "estimated" if rules.billing.unused != "unknown" else "estimated, not reconciled"
        say(f"Left alone they cost {_range(total.unused_usd, rules.billing)} ({doubt}).")
        say(
            f"Of that, {_range(total.saved_usd, rules.billing)} would have been saved by sweeping "
            "before the paid minimum ends."
        )
        say("")
        _counts("tier", figures.by_tier)
        say("")
        _counts("day (UTC)", figures.by_day)
        say("")
    for line in _notes(settings, name, figures):
        say(f"* {line}")
    say(f"* Calls made: {sample.calls}, all of them lists; nothing was changed.")


def _days(days: float) -> str:
    return "day" if days == 1 else f"{days:g} days"


def _counts(what: str, counts: "dict[str, Count]") -> None:
    headers = (what, "containers", "used", "never used", "unclear", "at list price", "avoidable")
    rows = [
        (
            key,
            f"{count.containers}",
            f"{count.used}",
            f"{count.unused}",
            f"{count.unclear}",
            f"${count.unused_usd:,.2f}",
            f"${count.saved_usd:,.2f}",
        )
        for key, count in counts.items()
    ]
    table(headers, rows, right=headers[1:])


def _range(usd: float, rules: "BillingRules") -> str:
    """What unused containers come to, as far as anyone knows."""
    low = usd if rules.unused == "charged" else 0.0
    high = 0.0 if rules.unused == "free" else usd
    if low == high:
        return f"${high:,.2f}"
    return f"${low:,.0f} to ${high:,.2f}"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%} of the list price of all" if whole else "of no known price"


def _notes(settings: "Settings", name: str, figures: "Figures") -> list[str]:
    rules = settings.rules(name)
    tolerance, unused = rules.evidence.activity_tolerance, rules.billing.unused
    notes = [each.format(tolerance=tolerance, unused=unused) for each in _NOTES]
    if figures.total.live_unused:
        notes.insert(0, _LIVE.format(count=figures.total.live_unused))
    if figures.total.unclear:
        notes.insert(0, _UNCLEAR.format(count=figures.total.unclear))
    return notes


def _plain(
    name: str, days: float, sample: "Sample", figures: "Figures", rules: "BillingRules"
) -> dict[str, Any]:
    failure = sample.failure
    return {
        "target": name,
        "complete": sample.complete,
        "interrupted": sample.interrupted,
        "failure": None
        if failure is None
        else {"kind": failure.kind.value, "detail": failure.detail},
        "days": days,
        "since": sample.since,
        "taken_at": sample.taken_at,
        "read_down_to_at": sample.read_down_to,
        "calls": sample.calls,
        "billing_unused": rules.unused,
        "total": _plain_count(figures.total, rules) if sample.rows or sample.complete else None,
        "by_tier": {tier: _plain_count(each, rules) for tier, each in figures.by_tier.items()},
        "by_day": {day: _plain_count(each, rules) for day, each in figures.by_day.items()},
    }


def _plain_count(count: "Count", rules: "BillingRules") -> dict[str, Any]:
    from demurrage.decide.billing import money

    unused = money(count.unused_usd, rules, used=False)
    saved = money(count.saved_usd, rules, used=False)
    return {
        "containers": count.containers,
        "used": count.used,
        "never_used": count.unused,
        "unclear": count.unclear,
        "live_never_used": count.live_unused,
        "list_price_usd": round(count.all_usd, 6),
        "never_used_usd": {"low": round(unused.low, 6), "high": round(unused.high, 6)},
        "avoidable_usd": {"low": round(saved.low, 6), "high": round(saved.high, 6)},
    }
