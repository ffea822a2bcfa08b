"""How a page of the listing can be wrong."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.faults import Dice

_OF_ROWS = ("unknown_status", "null_activity", "missing_tier")

Shown = tuple[list[dict[str, Any]], bool]


def spoil(dice: Dice, shown: Shown, first: Callable[[], Shown | None]) -> bytes:
    """The page's body, with whatever strikes.

    Args:
        dice: says what does.
        shown: the true rows, and whether more follow.
        first: the first page of the listing.
    """
    chance = dice.of("pages")
    rows, more = shown
    has_more: Any = more
    if dice.strikes("ignored_cursor"):
        rows, has_more = first() or shown
    if dice.strikes("empty_page"):
        rows = []
    _spoil_rows(dice, chance, rows)
    if rows and dice.strikes("lost_rows"):
        kept = chance.random()
        rows = [row for row in rows if chance.random() < kept]
    if rows and dice.strikes("repeated_rows"):
        rows.insert(chance.randrange(len(rows) + 1), chance.choice(rows))
    if len(rows) > 1 and dice.strikes("shuffled_rows"):
        chance.shuffle(rows)
    if rows and dice.strikes("malformed_row"):
        _malform(chance, rows)
    if has_more and dice.strikes("early_end"):
        has_more = False
    if dice.strikes("no_end"):
        has_more = chance.choice([None, "yes", True])
    body = json.dumps({"object": "list", "data": rows, "has_more": has_more}).encode()
    if dice.strikes("cut_page"):
        body = body[: chance.randrange(len(body))]
    return body


def _spoil_rows(dice: Dice, chance: Random, rows: list[dict[str, Any]]) -> None:
    if not any(dice.on(each) for each in _OF_ROWS):
        return
    for row in rows:
        if dice.strikes("unknown_status", 0.05):
            row["status"] = chance.choice(["provisioning", "paused", "archived"])
        if dice.strikes("null_activity", 0.05):
            row["last_active_at"] = None
        if dice.strikes("missing_tier", 0.05):
            del row["memory_limit"]


def _malform(chance: Random, rows: list[dict[str, Any]]) -> None:
    place = chance.randrange(len(rows))
    field = chance.choice(["id", "created_at", "status", "last_active_at"])
    wrong: Any = chance.choice([None, "1e9", -5, {}, 1.5])
    rows[place] = {**rows[place], field: wrong}
    if field == "last_active_at" and wrong is None:
        rows[place]["created_at"] = None
