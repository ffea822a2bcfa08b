"""Lines and rows that fit a terminal, with no id, command or word broken."""

import re
import textwrap
from collections.abc import Collection, Sequence

# From this many characters on, a cell with spaces in it is a sentence, and may be wrapped.
_SENTENCE = 24
# What stands between two columns of a table, and at its edges.
_GAP = 3
_INDENT = "  "
# Where a wrapped line goes on: below what follows its label, its indent, or its bullet.
_LABEL = re.compile(r"\S+(?: \S+)* {2,}")
_MARGIN = re.compile(r" *(?:[-*] )?")
# What stands between backticks is a command, to be copied whole.
_COMMAND = re.compile(r"`[^`]*`")
_GLUE = "\N{NO-BREAK SPACE}"


def wrapped(line: str, width: int) -> list[str]:
    """A line as lines of at most `width` characters.

    It is broken between words alone. A word, or a command between backticks, that is longer
    than that stays whole all the same.
    """
    if len(line) <= width:
        return [line]
    found = _LABEL.match(line) or _MARGIN.match(line)
    head = found.end() if found is not None and 2 * found.end() <= width else 0
    lines = textwrap.wrap(
        _COMMAND.sub(lambda command: command[0].replace(" ", _GLUE), line[head:]),
        width,
        initial_indent=line[:head],
        subsequent_indent=" " * head,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [each.replace(_GLUE, " ") for each in lines] or [line]


def sentences(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> frozenset[int]:
    """The places of the columns that hold sentences."""
    return frozenset(
        place
        for place in range(len(headers))
        if any(" " in row[place] and len(row[place]) >= _SENTENCE for row in rows)
    )


def least_widths(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """How wide each column of a table has to be, so that sentences can be read."""
    long = sentences(headers, rows)
    widths = []
    for place, header in enumerate(headers):
        cells = [header, *(row[place] for row in rows)]
        if place in long:
            words = (word for cell in cells for word in cell.split())
            widths.append(max(_SENTENCE, *map(len, words)))
        else:
            widths.append(max(map(len, cells)))
    return widths


def fits(widths: Sequence[int], width: int) -> bool:
    """True where columns of such widths fit the terminal beside each other."""
    return sum(widths) + _GAP * len(widths) <= width


def block(
    headers: Sequence[str], row: Sequence[str], long: Collection[int], width: int
) -> list[str]:
    """One row below itself: its first cell, then the short cells, then a sentence at a time.

    For a terminal that is too narrow for the table; cells that say nothing are left out.
    """
    cells = [
        (place, f"{header} {cell}")
        for place, (header, cell) in enumerate(zip(headers, row, strict=True))
        if place and cell not in ("", "-")
    ]
    short = _INDENT.join(cell.replace(" ", _GLUE) for place, cell in cells if place not in long)
    below = [short, *(row[place] for place, _ in cells if place in long)]
    return [
        *wrapped(row[0], width),
        *(
            part.replace(_GLUE, " ")
            for line in below
            if line
            for part in wrapped(f"{_INDENT}{line}", width)
        ),
    ]
