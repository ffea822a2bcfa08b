"""How late a container shows in the listing, and what name the API gives it.

One turn that must use code interpreter: it names its container, so there is no doubt whose the
row is.
"""

import re

from demurrage.app.canary.bench import Bench, auto
from demurrage.app.canary.lookout import SLACK, UnclearError
from demurrage.model.event import Tool
from demurrage.model.finding import Answer, Finding

LATE, NAME = "listed-late", "auto-name"

_COMPUTE = "Compute 6 * 7 with the tool. Answer with the number alone."
_LONGEST_NAME = 64
# What differs from container to container must not pass for a new name.
_SERIAL = re.compile(r"[0-9a-f]{6,}|\d+")


async def showing(bench: Bench) -> list[Finding]:
    """Take the turn, looking on meanwhile.

    Raises:
        UnclearError: the turn failed, named no container, or no listing ever showed it.
    """
    looking = bench.lookout()
    looking.narrow()
    await looking.look()
    turn = await looking.beside(bench.turn(auto(Tool.CODE_INTERPRETER), force=True, input=_COMPUTE))
    if len(turn.named) != 1:
        raise UnclearError(f"the response names {len(turn.named)} containers, not one")
    (container_id,) = turn.named
    patience = max(bench.pace.patience, bench.pace.late * 2)
    if not await looking.until(lambda: container_id in looking.seen, patience):
        says = f"later than {bench.pace.late:g} s"
        figures = {"not listed after": round(patience, 1)}
        unnamed = Finding(NAME, Answer.UNCLEAR, "its container was never listed")
        return [Finding(LATE, Answer.YES, says, figures), unnamed]
    seen = looking.seen[container_id]
    least = max(seen.missed_at - (seen.row.created_at + SLACK), 0.0)
    most = max(seen.first_at - seen.row.created_at, 0.0)
    figures = {"shown after at least": round(least, 1), "shown after at most": round(most, 1)}
    return [_late(least, most, bench.pace.late, figures), _name(seen.row.name)]


def _late(least: float, most: float, late: float, figures: dict[str, float]) -> Finding:
    if least > late:
        return Finding(LATE, Answer.YES, f"later than {late:g} s", figures)
    if most <= late + SLACK:
        return Finding(LATE, Answer.NO, f"within {late:g} s", figures)
    return Finding(LATE, Answer.UNCLEAR, "the listings were too far apart to tell", figures)


def _name(name: str) -> Finding:
    shown = "".join(each for each in name if each.isprintable())[:_LONGEST_NAME]
    if not shown:
        return Finding(NAME, Answer.NO, "")
    return Finding(NAME, Answer.YES, _SERIAL.sub("…", shown), {"name": shown})
