"""`demurrage report`: what the containers of some days have cost, and whose the orphans were."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from demurrage.cli.exits import UsageError
from demurrage.cli.session import (
    chosen_targets,
    log_to_read,
    provider_now,
    settings_of,
    store_to_read,
)
from demurrage.cli.show import heading, say, say_json, table
from demurrage.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from demurrage.app.report import Births, Blame, Report, Sum
    from demurrage.app.settings import Settings
    from demurrage.model.rules import BillingRules

_DAY = 86_400.0
# Lines of each trait: what costs less is left to --json.
_MOST = 10
_CHARGED = {
    "unknown": "whether unused containers are charged is not known (billing.unused)",
    "charged": "unused containers are charged (billing.unused)",
    "free": "unused containers are free (billing.unused)",
}


def report(
    context: typer.Context,
    days: Annotated[float, typer.Option(help="How many days to look back.")] = 7.0,
    target: Annotated[str | None, typer.Option(help="One target only.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Tell what became of the containers of some days, what they cost, and whose the orphans were.

    By day, by tier, and by the model and labels of the requests that most likely left the orphans;
    and how soon after its response a container is born, which is what evidence.max_birth_delay
    has to allow for. Reads the store and the event log, so the daemon need not run.

    \b
    Example:
      demurrage report --days 30
    """
    if not 0 < days <= 3650:  # noqa: PLR2004 - ten years: nothing is kept from before
        raise UsageError("--days: must be above 0 and at most 3650")
    settings = settings_of(context, secrets=False)
    reports = _reports(settings, chosen_targets(settings, target), days)
    if as_json:
        plain = [_plain(each, settings) for each in reports]
        say_json({"version": 1, "days": days, "targets": plain})
        return
    for each in reports:
        _show(each, settings, days)


def _reports(settings: "Settings", names: tuple[str, ...], days: float) -> "list[Report]":
    from demurrage.app.report import born_since, make_report, makers_of

    found = []
    with store_to_read(settings) as store, log_to_read(settings) as log:
        for name in names:
            now = provider_now(store, name)
            since = now - days * _DAY
            entries = list(born_since(store, name, since))
            makers = makers_of(log, entries)
            rules = settings.rules(name)
            found.append(make_report(name, entries, makers, rules, since=since, now=now))
    return found


def _show(shown: "Report", settings: "Settings", days: float) -> None:
    total, rules = shown.sums.total, settings.rules(shown.target)
    born = counted(total.containers, "container")
    heading(f"{shown.target}: {born} born in the last {'day' if days == 1 else f'{days:g} days'}")
    if not total.containers:
        say("The store knows of none; `demurrage survey` asks the API.", "")
        return
    spent, alone = (_range(usd, rules.billing) for usd in (total.orphans_usd, total.left_alone_usd))
    say(
        f"{counted(total.orphans, 'orphan')}, {total.deleted:,} of them deleted, "
        f"{total.before_minimum:,} before the paid minimum ended.",
        f"They cost {spent}; left alone {alone}. Deletes saved "
        f"{_range(total.saved_usd, rules.billing)}. All estimated.",
    )
    if total.let_go:
        say(
            f"{counted(total.let_go, 'container')} more, used and released, deleted: that saved "
            f"${total.let_go_saved_usd:,.2f}, estimated."
        )
    say("")
    _sums("day (UTC)", shown.sums.by_day)
    say("")
    _sums("tier", shown.sums.by_tier)
    say("")
    if shown.blame:
        _blame(shown.blame)
        say("")
    for line in _notes(shown, settings, days):
        say(f"* {line}")
    say("")


def _sums(what: str, sums: "Mapping[str, Sum]") -> None:
    """The columns that tell most, for 80 columns hold no more; money is that of the orphans."""
    headers = (what, "born", "used", "orphans", "in time", "cost", "if left", "saved")
    rows = [
        (
            key,
            *(
                f"{count:,}"
                for count in (each.containers, each.used, each.orphans, each.before_minimum)
            ),
            *(f"${usd:,.2f}" for usd in (each.orphans_usd, each.left_alone_usd, each.saved_usd)),
        )
        for key, each in sums.items()
    ]
    table(headers, rows, right=headers[1:])


def _blame(blame: "Iterable[Blame]") -> None:
    """Whose the orphans most likely were, the dearest of each trait."""
    shown: dict[str, list[Blame]] = {}
    for each in blame:
        shown.setdefault(each.trait, []).append(each)
    rows = [
        (trait, each.value, f"{each.orphans:,}", f"${each.usd:,.2f}")
        for trait, some in shown.items()
        for each in some[:_MOST]
    ]
    table(("most likely by", "which", "orphans", "cost"), rows, right=("orphans", "cost"))


def _notes(shown: "Report", settings: "Settings", days: float) -> list[str]:
    total, rules = shown.sums.total, settings.rules(shown.target)
    charged = _CHARGED[rules.billing.unused]
    notes = [f"Money in the tables is that of the orphans, at list price; {charged}."]
    if total.foretold:
        notes.append(
            f"{counted(total.foretold, 'orphan')} by what complete coverage would have said: when "
            "judged last, coverage was partial."
        )
    if total.unsettled:
        notes.append(
            f"{counted(total.unsettled, 'container')} unsettled: not proven either way, or "
            "not yet; `demurrage status` says what it waits for. Of what nobody logs, `demurrage "
            "survey` tells whether it was used."
        )
    if shown.births is not None:
        notes.append(_words_of(shown.births, rules.evidence.max_birth_delay))
    kept = settings.retention.verdicts
    if days * _DAY > kept:
        notes.append(
            f"Containers are kept for {kept / _DAY:g} days after they are gone "
            "(retention.verdicts), and the requests that made them for "
            f"{settings.retention.events / _DAY:g} (retention.events)."
        )
    return notes


def _words_of(births: "Births", allowed: float) -> str:
    return (
        f"{counted(births.containers, 'container')} that its response named, and told its "
        f"created_at: born within {births.median:.0f} s of it in the median, within "
        f"{births.longest:.0f} s at the most; evidence.max_birth_delay allows for {allowed:g} s."
    )


def _range(usd: float, rates: "BillingRules") -> str:
    from demurrage.decide.billing import money

    return str(money(usd, rates, used=False))


def _plain(shown: "Report", settings: "Settings") -> dict[str, Any]:
    rates = settings.rules(shown.target).billing
    return {
        "target": shown.target,
        "since_at": shown.since,
        "until_at": shown.until,
        "billing_unused": rates.unused,
        "total": _plain_sum(shown.sums.total, rates),
        "by_tier": {tier: _plain_sum(each, rates) for tier, each in shown.sums.by_tier.items()},
        "by_day": {day: _plain_sum(each, rates) for day, each in shown.sums.by_day.items()},
        "blame": [
            {
                "trait": each.trait,
                "value": each.value,
                "orphans": each.orphans,
                "cost_usd": _bounds(each.usd, rates, used=False),
            }
            for each in shown.blame
        ],
        "births": None
        if shown.births is None
        else {
            "containers": shown.births.containers,
            "median_seconds": round(shown.births.median, 3),
            "longest_seconds": shown.births.longest,
        },
    }


def _plain_sum(each: "Sum", rates: "BillingRules") -> dict[str, Any]:
    figures = asdict(each)
    for name in ("orphans_usd", "left_alone_usd", "saved_usd"):
        figures[name] = _bounds(figures[name], rates, used=False)
    for name in ("used_usd", "let_go_saved_usd"):
        figures[name] = _bounds(figures[name], rates, used=True)
    return figures


def _bounds(usd: float, rates: "BillingRules", *, used: bool) -> dict[str, float]:
    from demurrage.decide.billing import money

    found = money(usd, rates, used=used)
    return {"low": round(found.low, 6), "high": round(found.high, 6)}
