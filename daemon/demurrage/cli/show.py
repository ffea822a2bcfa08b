"""Answers for people and for programs.

On a terminal, lines are broken between words, and tables have rules and colours, or stand row
below row where it is narrow. Anywhere else they are plain columns, one row a line, so that grep
and awk can read them. JSON is for programs.
"""

import json
import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from demurrage.cli.moments import spell_times
from demurrage.cli.wrapping import block, fits, least_widths, sentences, wrapped

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
        whole = clean(line)
        for part in wrapped(whole, _width()) if on_terminal() else [whole]:
            print(part)


def say_code(line: str) -> None:
    """Print a line that is to be copied as it is."""
    print(clean(line))


def note(line: str) -> None:
    """Print a line beside the answer, to standard error."""
    whole = clean(line)
    for part in wrapped(whole, _width()) if sys.stderr.isatty() else [whole]:
        print(part, file=sys.stderr)


def heading(text: str) -> None:
    """Print a heading: bold on a terminal."""
    if on_terminal():
        from rich.console import Console
        from rich.text import Text

        Console(width=_width()).print(Text(clean(text), style="bold"))
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


def _width() -> int:
    return shutil.get_terminal_size().columns


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

    width, widths, long = _width(), least_widths(headers, rows), sentences(headers, rows)
    console = Console(width=width)
    if not fits(widths, width):
        for place, row in enumerate(rows):
            lines = block(headers, row, long, width)
            # What is longer than the terminal is left to it: an id cut in two cannot be copied.
            console.print(
                Text("\n".join(lines), style=styles[place] if styles else ""), soft_wrap=True
            )
        return
    made = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for place, header in enumerate(headers):
        made.add_column(
            header,
            justify="right" if header in right else "left",
            min_width=widths[place],
            no_wrap=place not in long,
        )
    for place, row in enumerate(rows):
        # As Text, so that brackets in a name are no markup.
        made.add_row(*map(Text, row), style=styles[place] if styles else None)
    console.print(made)
