"""`demurrage simulate`: what the daemon would make of a load, before it may delete anything."""

from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from demurrage.cli.exits import UsageError
from demurrage.cli.session import chosen_targets, settings_of
from demurrage.cli.show import on_terminal, say_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from demurrage.model.rules import Rules
    from demurrage.simulator.score.load import Load, Mode
    from demurrage.simulator.score.score import Score, Setting

_MOST_HOURS = 24 * 7.0
_FASTEST = 20.0
_MOST_COPIES = 100
_MIX = (("1g", 0.7), ("4g", 0.15), ("16g", 0.1), ("64g", 0.05))


class ProofChoice(StrEnum):
    """Which proof a replay goes by."""

    STRICT = "strict"
    DEDUCED = "deduced"
    BOTH = "both"


class TierChoice(StrEnum):
    """Which memory tier requests ask for where the trace does not say."""

    G1 = "1g"
    G4 = "4g"
    G16 = "16g"
    G64 = "64g"
    MIX = "mix"


def simulate(
    context: typer.Context,
    trace: Annotated[
        Path | None,
        typer.Argument(help="CSV or CSV.gz of requests; without it a load is generated."),
    ] = None,
    rate: Annotated[float, typer.Option(help="Generated: requests a second.")] = 0.1,
    hours: Annotated[
        float | None, typer.Option(help="Hours to run; of a trace its first. [default: 4, or all]")
    ] = None,
    tail: Annotated[
        float,
        typer.Option(help="Generated: a tenth of responses take up to so many seconds."),
    ] = 0.0,
    overlay: Annotated[int, typer.Option(help="Lay the load over itself so many times.")] = 1,
    tool_use: Annotated[
        str, typer.Option(help="Shares of responses that call the tool, by commas.")
    ] = "0.2",
    coverage: Annotated[
        str,
        typer.Option(
            help="Shares of applications that log, by commas: replays under partial coverage."
        ),
    ] = "",
    proof: Annotated[
        ProofChoice | None, typer.Option(help="Which proof. [default: as in the settings]")
    ] = None,
    streamed: Annotated[
        bool, typer.Option("--streamed/--blocking", help="How responses are had, else by trace.")
    ] = False,
    tier: Annotated[
        TierChoice, typer.Option(help="Memory tier where the trace names none; mix: of all.")
    ] = TierChoice.G1,
    writers: Annotated[int, typer.Option(help="Processes that log.")] = 1,
    naive_minutes: Annotated[
        float, typer.Option(help="The idle script deletes what is idle for longer than this.")
    ] = 5.0,
    seed: Annotated[int, typer.Option(help="Of delays, lags, shifts and generated loads.")] = 0,
    target: Annotated[str | None, typer.Option(help="Whose settings; else the first's.")] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the costs into this file, .svg or .png.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> None:
    """Score the daemon on a load: containers, orphans, deletes in time, harm, dollars.

    Replays a trace, or a generated load, on virtual time through the same decisions, plans and
    rails that `run` uses, by your settings; calls nothing and writes nothing but the plot. All
    applications log and coverage is complete, unless --coverage is given: then it is partial,
    nothing is deleted, and the score says whether the word "complete" may be given.

    \b
    Columns of a trace:
      start_s, duration_s (or duration_est_s)    seconds
      session                                    whose turn it is; else each row stands alone
      u (0 to 1), or uses_tool (true/false)      whether the tool was called; else drawn
      tier (1g 4g 16g 64g), mode (blocking streamed background)
      tool (code_interpreter shell none)
    \b
    Example:
      demurrage simulate requests.csv.gz --tool-use 0.04,0.2,0.5,0.83 --plot costs.svg
      demurrage simulate --rate 0.4 --hours 6 --tail 1800 --proof both
      demurrage simulate requests.csv --coverage 1,0.9,0.5
    """
    rates: Sequence[float | None] = _shares(tool_use, "--tool-use")
    logging = _shares(coverage, "--coverage") if coverage else ()
    _in_bounds(rate, hours, tail, overlay, writers, naive_minutes)
    if plot is not None and logging:
        raise UsageError("--plot: shows costs, and with --coverage nothing is deleted; leave one")
    if plot is not None:
        _check(plot)
    settings = settings_of(context, secrets=False)
    name = chosen_targets(settings, target)[0]
    load = _load(trace, rate=rate, hours=hours, tail=tail, overlay=overlay, seed=seed)
    if load.recorded_use:
        rates = (None,)
    otherwise: Mode = "streamed" if streamed else "blocking"
    mode = None if load.recorded_mode else otherwise
    runs = [
        (setting, rules)
        for use in rates
        for share in logging or (1.0,)
        for setting in (_setting(use, share, mode, tier, writers, naive_minutes * 60, seed),)
        for rules in _rules(settings.rules(name), proof, partial=bool(logging))
    ]
    scores = _scores(load, runs)
    if plot is not None:
        from demurrage.simulator.score.plot import draw

        draw(scores, plot)
    from demurrage.cli.simulate_view import plain, show

    if as_json:
        say_json({"version": 1, "scores": [plain(each) for each in scores]})
    else:
        show(load, scores, settings.rules(name), settings.targets[name].requests_per_minute)


def _shares(text: str, option: str) -> tuple[float, ...]:
    """Shares from 0 to 1, as an option names them."""
    try:
        shares = tuple(float(each) for each in text.split(","))
    except ValueError:
        raise UsageError(f"{option}: must be numbers, with commas between them") from None
    if not all(0 <= each <= 1 for each in shares):
        raise UsageError(f"{option}: each must lie between 0 and 1")
    return shares


def _in_bounds(
    rate: float,
    hours: float | None,
    tail: float,
    overlay: int,
    writers: int,
    naive_minutes: float,
) -> None:
    if not 0 < rate <= _FASTEST:
        raise UsageError(f"--rate: must be above 0 and at most {_FASTEST:g} requests a second")
    if hours is not None and not 0 < hours <= _MOST_HOURS:
        raise UsageError(f"--hours: must be above 0 and at most {_MOST_HOURS:g}")
    if not 0 <= tail <= 3600:  # noqa: PLR2004 - an hour: no response is let run longer
        raise UsageError("--tail: must lie between 0 and 3600 seconds")
    if not 1 <= overlay <= _MOST_COPIES:
        raise UsageError(f"--overlay: must lie between 1 and {_MOST_COPIES}")
    if not 1 <= writers <= _MOST_COPIES:
        raise UsageError(f"--writers: must lie between 1 and {_MOST_COPIES}")
    if not 0 < naive_minutes < 20:  # noqa: PLR2004 - the provider itself waits no longer
        raise UsageError("--naive-minutes: must be above 0 and below 20")


def _check(plot: Path) -> None:
    from demurrage.simulator.score.plot import PlotError, check_plot

    try:
        check_plot(plot)
    except PlotError as error:
        raise UsageError(str(error)) from None


def _load(
    trace: Path | None, *, rate: float, hours: float | None, tail: float, overlay: int, seed: int
) -> "Load":
    from demurrage.simulator.score.load import generate, head
    from demurrage.simulator.score.load import overlay as laid_over
    from demurrage.simulator.score.trace import TraceError, read_trace

    if trace is None:
        made = generate(rate=rate, hours=4.0 if hours is None else hours, tail=tail, seed=seed)
        if not made.requests:
            raise UsageError("--rate, --hours: no request begins in so short a time; raise one")
        return laid_over(made, overlay, seed)
    try:
        load = read_trace(trace, seed=seed)
    except TraceError as error:
        raise UsageError(str(error)) from None
    laid = laid_over(load, overlay, seed)
    return laid if hours is None else head(laid, hours)


def _setting(
    use: float | None,
    share: float,
    mode: "Mode | None",
    tier: TierChoice,
    writers: int,
    idle_after: float,
    seed: int,
) -> "Setting":
    from demurrage.simulator.score.policies import Script
    from demurrage.simulator.score.score import Setting
    from demurrage.simulator.score.truth import Habits

    tiers = _MIX if tier is TierChoice.MIX else ((tier.value, 1.0),)
    return Setting(
        habits=Habits(use, mode, tiers),
        share=share,
        writers=writers,
        seed=seed,
        script=Script(idle_after=idle_after),
    )


def _rules(own: "Rules", proof: ProofChoice | None, *, partial: bool) -> "Iterator[Rules]":
    """The settings' rules, with the coverage and the proofs that were asked for."""
    from dataclasses import replace

    chosen: dict[ProofChoice | None, tuple[Literal["strict", "deduced"], ...]] = {
        None: (own.evidence.proof,),
        ProofChoice.STRICT: ("strict",),
        ProofChoice.DEDUCED: ("deduced",),
        ProofChoice.BOTH: ("strict", "deduced"),
    }
    coverage: Literal["partial", "complete"] = "partial" if partial else "complete"
    for each in chosen[proof]:
        yield replace(own, evidence=replace(own.evidence, coverage=coverage, proof=each))


def _scores(load: "Load", runs: "list[tuple[Setting, Rules]]") -> "list[Score]":
    from functools import partial

    from demurrage.simulator.score.score import score

    with _progress(len(runs)) as tell:
        return [
            score(load, setting, rules, partial(_told, tell, number))
            for number, (setting, rules) in enumerate(runs)
        ]


def _told(tell: "Callable[[float], None]", before: int, share: float) -> None:
    """How much of all runs is over, when so many are and a share of the next."""
    tell(before + share)


@contextmanager
def _progress(runs: int) -> "Iterator[Callable[[float], None]]":
    """A bar on a terminal."""
    if not on_terminal():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Simulating", total=float(runs))
        yield lambda done: bar.update(task, completed=done)
