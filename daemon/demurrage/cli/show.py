"""Answers for people and for programs.

On a terminal, tables have rules and colours. Anywhere else they are plain columns, one row a
line, so that grep and awk can read them. JSON is for programs.
"""

import json
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from demurrage.cli.moments import spell_times

_GAP = "  "


def on_terminal() -> bool:
    """True when a person reads along."""
    return sys.stdout.isatty()


def clean(text: str) -> str:
    """One printable line: names come from elsewhere, and a terminal obeys what it is sent."""
    return "".join(each if each.isprintable() else "�" for each in text)


def say(*lines: str) -> None:
    """Print lines of the answer."""
    for line in lines:
        print(clean(line))


def note(line: str) -> None:
    """Print a line beside the answer, to standard error."""
    print(clean(line), file=sys.stderr)


def heading(text: str) -> None:
    """Print a heading: bold on a terminal."""
    if on_terminal():
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(clean(text), style="bold"))
    else:
        say(text)


def say_json(value: Any) -> None:
    """Print plain data as JSON; moments become RFC 3339, in UTC."""
    print(json.dumps(spell_times(value), indent=2))


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Collection[str] = (),
    styles: Sequence[str] = (),
) -> None:
    """Print a table.

    Args:
        headers: the columns' names.
        rows: cells as text.
        right: columns that are set flush right.
        styles: on a terminal, the style of each row; none if empty.
    """
    cells = [[clean(cell) for cell in row] for row in rows]
    if on_terminal():
        _rich_table(headers, cells, right, styles)
        return
    lines = [[header.upper() for header in headers], *cells]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headers))]
    for line in lines:
        set_out = (
            cell.rjust(width) if header in right else cell.ljust(width)
            for header, cell, width in zip(headers, line, widths, strict=True)
        )
        print(_GAP.join(set_out).rstrip())


def _rich_table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Collection[str],
    styles: Sequence[str],
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for place, header in enumerate(headers):
        made.add_column(
            header,
            justify="right" if header in right else "left",
            overflow="fold",
            # An id broken over two lines cannot be copied; only sentences wrap.
            no_wrap=header in right or not any(" " in row[place] for row in rows),
        )
    for place, row in enumerate(rows):
        # As Text, so that brackets in a name are no markup.
        made.add_row(*map(Text, row), style=styles[place] if styles else None)
    Console().print(made)
