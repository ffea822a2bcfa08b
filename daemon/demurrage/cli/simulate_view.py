"""What `demurrage simulate` prints."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from demurrage.cli.moments import span
from demurrage.cli.show import heading, say, table
from demurrage.model.counted import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demurrage.model.rules import Rules
    from demurrage.simulator.score.load import Load
    from demurrage.simulator.score.score import Score

_MONEY = (
    "Money is the estimated list price of orphans alone; whether the provider charges unused "
    "containers is a setting (billing.unused = {unused})."
)
_BEST = (
    "Best possible: knows every container's maker but not the future. Idle script: deletes what "
    "was idle for longer than {minutes:g} minutes; its harm is what it deletes although a "
    "response needs it afterwards."
)
_PROVABLE = (
    "Of provable: of the orphans that an omniscient reading of the log could prove at a cycle "
    "before the paid minimum ends, how many were deleted by then; at the floor: the same, had it "
    "read at that very moment."
)
_FIGURES = {
    "in_time": "deleted_before_floor",
    "late": "deleted_late",
    "missed": "never_deleted",
    "provable_in_time": "provable_deleted_before_floor",
}
_CALLS = (
    "The call budget is not simulated: {rate} a minute in the mean, beside "
    "requests_per_minute = {budget}."
)
_PARTIAL = (
    "Coverage is partial, so nothing is deleted. A word is fit to be given only if everything "
    "that makes containers logs; this replay knows only the load that it was given."
)


def show(load: "Load", scores: "Sequence[Score]", rules: "Rules", budget: int) -> None:
    """Print the scores of one load."""
    heading(f"{load.name}: {counted(len(load.requests), 'request')} in {span(load.span)}")
    if scores[0].coverage == "partial":
        _partial(scores)
        return
    _orphans(scores)
    say("")
    _dollars(scores)
    say("")
    for each in scores:
        _trouble(each)
    minutes = scores[0].setting.script.idle_after / 60
    say(f"* {_BEST.format(minutes=minutes)}")
    say(f"* {_PROVABLE}")
    say(f"* {_MONEY.format(unused=rules.billing.unused)}")
    busiest = max(each.in_time + each.late for each in scores) / (load.span / 60)
    say(f"* {_CALLS.format(rate=counted(round(busiest), 'delete'), budget=budget)}")


def _names(score: "Score") -> tuple[str, str, str]:
    return score.setting.habits.tool_use_words, score.setting.habits.mode_words, score.proof


def _orphans(scores: "Sequence[Score]") -> None:
    headers = (
        "tool use",
        "mode",
        "proof",
        "containers",
        "orphans",
        "in time",
        "late",
        "missed",
        "harmful",
        "of provable",
        "at the floor",
    )
    rows = [
        (
            *_names(each),
            f"{each.containers}",
            f"{each.orphans}",
            f"{each.in_time}",
            f"{each.late}",
            f"{each.missed}",
            f"{each.harmful}",
            f"{each.provable_share:.2%}",
            f"{each.provable_share_at_floor:.2%}",
        )
        for each in scores
    ]
    table(headers, rows, right=headers[3:])


def _dollars(scores: "Sequence[Score]") -> None:
    headers = (
        "tool use",
        "mode",
        "proof",
        "left alone",
        "idle script",
        "its harm",
        "demurrage",
        "best",
        "÷ best",
    )
    rows = [
        (
            *_names(each),
            f"${each.dollars.left_alone:,.2f}",
            f"${each.dollars.script:,.2f}",
            f"{each.script_harm}",
            f"${each.dollars.daemon:,.2f}",
            f"${each.dollars.best:,.2f}",
            f"{each.ratio:.3f}",
        )
        for each in scores
    ]
    table(headers, rows, right=headers[3:])


def _trouble(score: "Score") -> None:
    name = ", ".join(_names(score))
    if score.why:
        what = ", ".join(f"{count} {reason}" for reason, count in score.why.items())
        say(f"* {name}: not in time, by what was waited for last: {what}.")
    for summary in score.holds:
        say(f"* {name}: a rail held: {summary}.")
    if score.breaks:
        say(f"* {name}: coverage broke: {', '.join(score.breaks)}.")


def _partial(scores: "Sequence[Score]") -> None:
    headers = (
        "tool use",
        "proof",
        "log",
        "deleted",
        "would delete",
        "wrong",
        "noticed",
        "strangers",
        "may be called complete",
    )
    rows = [
        (
            each.setting.habits.tool_use_words,
            each.proof,
            f"{each.setting.share:.0%}",
            f"{each.in_time + each.late}",
            f"{each.foretold.deletes}",
            f"{each.foretold.wrong}",
            f"{each.foretold.noticed}",
            f"{each.foretold.strangers}",
            _word(each),
        )
        for each in scores
    ]
    table(headers, rows, right=headers[2:-1])
    say("")
    say(f"* {_PARTIAL}")
    say(
        "* log: share of applications that log. wrong: needed by a response afterwards; noticed: "
        "so many of them the log itself shows. strangers: no logged response can have made them."
    )


def _word(score: "Score") -> str:
    """Whether the word may be given; where not all is logged it may not, though nothing shows."""
    seems = score.foretold.word_may_be_given
    if score.setting.share < 1.0:
        return "no, but nothing shows it" if seems else "no"
    return "yes" if seems else "no"


def plain(score: "Score") -> dict[str, Any]:
    """The score for programs."""
    told = asdict(score)
    del told["decisions"]
    # Names that cannot be taken for moments.
    for old, new in _FIGURES.items():
        told[new] = told.pop(old)
    setting = told.pop("setting")
    return {
        **{key: told.pop(key) for key in ("load", "proof", "coverage")},
        "tool_use": setting["habits"]["tool_use"],
        "mode": setting["habits"]["mode"],
        "share_logging": setting["share"],
        "writers": setting["writers"],
        "seed": setting["seed"],
        **told,
        "usd": {key: round(value, 6) for key, value in told.pop("dollars").items()},
        "ratio_to_best": round(score.ratio, 6),
        "provable_share": round(score.provable_share, 6),
        "provable_share_at_floor": round(score.provable_share_at_floor, 6),
        "may_be_called_complete": (
            score.setting.share >= 1.0 and score.foretold.word_may_be_given
            if score.coverage == "partial"
            else None
        ),
    }
