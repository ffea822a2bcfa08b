"""The costs as a picture; matplotlib comes with an extra of its own."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from demurrage.model.error import DemurrageError
from demurrage.simulator.score.score import Score

_FORMATS = (".svg", ".png")


class PlotError(DemurrageError):
    """The picture cannot be drawn; the message says what to do."""


def check_plot(path: Path) -> None:
    """Make sure, before a long replay, that its picture can be drawn.

    Raises:
        PlotError: the name has another ending, its folder is not there, or matplotlib is not.
    """
    if path.suffix.lower() not in _FORMATS:
        raise PlotError(f"--plot: {path.name} must end in .svg or .png")
    if not path.absolute().parent.is_dir():
        raise PlotError(f"--plot: the folder of {path} does not exist; make it first")
    if find_spec("matplotlib") is None:
        raise PlotError("--plot: needs matplotlib; in the project's folder: pip install '.[plot]'")


def draw(scores: Sequence[Score], path: Path) -> None:
    """Draw what each policy lets orphans cost, a group of bars for each score.

    Raises:
        PlotError: the file cannot be written.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - only where the extra is installed

    policies = {
        "left alone": [each.dollars.left_alone for each in scores],
        "idle script": [each.dollars.script for each in scores],
        "demurrage": [each.dollars.daemon for each in scores],
        "best possible": [each.dollars.best for each in scores],
    }
    width = 0.8 / len(policies)
    figure = Figure(figsize=(max(6.0, 1.6 * len(scores) + 3), 4.5), layout="constrained")
    axes = figure.add_subplot()
    for place, (name, dollars) in enumerate(policies.items()):
        axes.bar(
            [number + place * width for number in range(len(scores))], dollars, width, label=name
        )
    axes.set_xticks(
        [number + 1.5 * width for number in range(len(scores))],
        [f"{each.setting.habits.tool_use_words}\n{each.proof}" for each in scores],
    )
    axes.set_ylabel("orphans, estimated USD")
    axes.set_title(scores[0].load, fontsize=10)
    axes.legend()
    try:
        figure.savefig(path)
    except OSError as error:
        reason = (error.strerror or "unwritable").lower()
        raise PlotError(f"--plot: {path} cannot be written: {reason}") from None
