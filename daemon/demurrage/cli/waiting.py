"""What a command that takes its time waits for, beside its answer."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from demurrage.cli.show import clean, note


@contextmanager
def waiting() -> Iterator[Callable[[str], None]]:
    """Tell on standard error what is waited for.

    On a terminal the latest word stands beside a clock for as long as it lasts; elsewhere each is
    a line.
    """
    if not sys.stderr.isatty():
        yield lambda line: note(f"demurrage: {line}")
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def tell(line: str) -> None:
            bar.reset(task, description=clean(line))

        yield tell
