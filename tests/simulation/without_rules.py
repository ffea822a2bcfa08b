"""Takes out one safety rule after the other and shows which invariant that breaks.

`python -m tests.simulation.without_rules`: each rule is replaced in this process by one that
says nothing; then a few worlds are lived through in which the fault that it stands against
strikes. With the rule the invariant holds in these worlds, without it it must not. Exits with 1
where a removal goes unnoticed.
"""

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.simulation.shape import parse
from tests.simulation.world import Result, run

from demurrage.decide.release import End
from demurrage.model.container import Life, Sighting
from demurrage.model.inventory import CompleteInventory, Inventory
from demurrage.model.plan import Rail
from demurrage.model.rules import EvidenceRules

_HELD_BACK = "held_back"
# Nobody answers a hold within so many seconds.
_UNANSWERED = 60.0
_SMALL = "containers=60 rate=0.5 calm=700 interval=20"
_STEADY = "containers=90 rate=0.5 calm=400 interval=5"


@dataclass(frozen=True, slots=True)
class Removal:
    """One rule, what stands in for it, and the worlds that need it.

    `patches` are (where, replacement) pairs; `where` is `module:name` within the package.
    `worlds` are lived through in turn until an invariant of `breaks` does. For a `rail` that holds
    whatever is due it is `held_back`: from the moment at which the rail trips nothing goes, until a
    person answers.
    """

    rule: str
    patches: tuple[tuple[str, Any], ...]
    fault: str
    worlds: tuple[str, ...]
    breaks: frozenset[str] = frozenset()
    rail: Rail | None = None


def _nothing(*_: Any, **__: Any) -> None:
    """A rule that never objects."""


def _endless(*_: Any, **__: Any) -> float:
    return inf


@dataclass(frozen=True, slots=True)
class Around:
    """A stand-in that is made from the rule itself."""

    make: Callable[[Any], Any]


def _all_complete(target: str, census: Any, **_: Any) -> Inventory:
    """Take what was listed for the whole."""
    return CompleteInventory(target, census.as_of, census.sightings)


def _over_when_done(_: Any, members: Sequence[Any], __: Any, rules: EvidenceRules) -> End:
    """A conversation is over once its turns are, whatever anybody said."""
    over_at = max(
        (each.finished.latest(rules.max_event_delay) for each in members if each.finished),
        default=0.0,
    )
    return End(over_at, over_at)


def _unheld(original: Callable[..., Any], plan: Any, history: Any, _: Any, **more: Any) -> Any:
    """No hold is open."""
    return original(plan, history, (), **more)


def _all_but(rail: Rail) -> Around:
    """Whatever trips holds, but one rail."""

    def make(original: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def trip(holds: Any, tripped: Rail, *given: Any) -> None:
            if tripped is not rail:
                await original(holds, tripped, *given)

        return trip

    return Around(make)


def _rail(rail: Rail, fault: str, worlds: tuple[str, ...]) -> Removal:
    """The removal of a rail that holds whatever is due."""
    where = "engine.holds:Holds.trip"
    return Removal(f"rail {rail}", ((where, _all_but(rail)),), fault, worlds, rail=rail)


def _listed_alive(self: Sighting) -> bool:
    """What is listed as alive lives, deleted or not."""
    return self.container.life != Life.GONE


def _never(*_: Any, **__: Any) -> bool:
    return False


def _whole(*_: Any, **__: Any) -> float:
    """All of the newborn may go."""
    return 1.0


def _always(*_: Any, **__: Any) -> bool:
    return True


def _punctual(rule: Callable[..., Any]) -> Callable[..., Any]:
    """No birth was ever late."""

    def attribute(*given: Any, **more: Any) -> Any:
        return replace(rule(*given, **more), late=())

    return attribute


def _worlds(words: str, seeds: Sequence[int], small: str = _SMALL) -> tuple[str, ...]:
    return tuple(f"{small} seed={seed} {words}" for seed in seeds)


_HARM = frozenset({"no_harm", "reference_kept"})
REMOVALS = (
    Removal(
        "P1 no reference",
        (("decide.verdict:_held", _nothing), ("decide.verdict:_used", _nothing)),
        "none",
        _worlds("use=0.6 ends=0.2", range(1, 4)),
        _HARM,
    ),
    Removal(
        "P1 own activity",
        (("decide.verdict:_used", _nothing),),
        "strangers, lazy, lost_responses",
        _worlds("faults=strangers,lazy,lost_responses use=0.1 fury=2 long_share=0.0", range(1, 6)),
        _HARM,
    ),
    Removal(
        "P2 evidence complete",
        (("decide.grounds:evidence_waits", _nothing),),
        "missing_lines, late_lines",
        _worlds("faults=missing_lines,late_lines,deaths fury=8 free_grace=False", range(1, 4)),
        frozenset({"watermark_passed"}),
    ),
    Removal(
        "P3 every candidate done",
        (("decide.verdict:_candidates_wait", _nothing),),
        "lost_responses",
        _worlds("faults=lost_responses long_share=0.5 fury=4 use=0.6", range(1, 4)),
        frozenset({"maker_done", *_HARM}),
    ),
    Removal(
        "P4 the count fits",
        (("decide.verdict:_impossible", _nothing),),
        "late_strangers",
        _worlds("faults=late_strangers use=0.1", range(1, 9)),
        _HARM,
    ),
    Removal(
        "P5 coverage",
        (("decide.grounds:uncovered", _nothing),),
        "none, under partial coverage",
        _worlds("coverage=partial", range(1, 3)),
        frozenset({"verdict_allows"}),
    ),
    Removal(
        "ends of lineages",
        (("decide.release:end_of", _over_when_done),),
        "none",
        _worlds("use=0.8 ends=0.3", range(1, 4)),
        _HARM,
    ),
    Removal(
        "an end covers what began before it",
        (("decide.release:_covers", _always),),
        "returns",
        _worlds("faults=returns use=0.8 ends=0.9 free_grace=False", range(1, 9)),
        _HARM,
    ),
    Removal(
        "late births widen the windows",
        (("decide.attribution:attribute", Around(_punctual)),),
        "late_births",
        _worlds("faults=late_births use=0.1 long_share=0.6 free_grace=False", range(1, 25)),
        _HARM,
    ),
    Removal(
        "what goes on from what it does not name",
        (("decide.verdict:_in_another_context", _nothing),),
        "none, with forks",
        _worlds("forks=0.3 use=0.8 ends=0.9 long_share=0.5 free_grace=False", range(1, 4)),
        _HARM,
    ),
    Removal(
        "a release waits for its proof",
        (("decide.verdict:_release_waits", _nothing),),
        "late_lines, missing_lines",
        _worlds("faults=late_lines,missing_lines fury=6 use=0.9 ends=0.9", range(1, 5)),
        frozenset({"watermark_passed"}),
    ),
    Removal(
        "rail deletes_per_hour",
        (("decide.rails:hourly_allowance", _endless),),
        "none, with tight rails",
        _worlds("tight_rails=True use=0.0 long_share=0.0", (1, 2), _STEADY),
        frozenset({"caps_hold"}),
    ),
    Removal(
        "rail deletes_per_cycle",
        (("decide.rails:cycle_allowance", _endless),),
        "none, with tight rails",
        _worlds("tight_rails=True use=0.04 rate=2.0 long_share=0.0", (1, 2)),
        frozenset({"caps_hold"}),
    ),
    Removal(
        "an open hold",
        (("decide.rails:judge", Around(lambda rule: partial(_unheld, rule))),),
        "second_reaper",
        _worlds("faults=second_reaper use=0.1 long_share=0.0", range(1, 4)),
        frozenset({"caps_hold"}),
    ),
    Removal(
        "rail deleted_share",
        (("decide.rails:_plausible_share", _whole),),
        "none, with a low cap",
        _worlds("share_cap=0.3 use=0.1 long_share=0.0", (1, 2)),
        frozenset({"caps_hold"}),
    ),
    _rail(
        Rail.REFERENCED_DELETED,
        "late_returns",
        _worlds("faults=late_returns use=0.8 ends=0.9 free_grace=False", range(1, 6)),
    ),
    _rail(
        Rail.SECOND_REAPER,
        "second_reaper",
        _worlds("faults=second_reaper use=0.1 long_share=0.0", range(1, 4)),
    ),
    # They stand together: what is born until a person answers the hold is beyond proof.
    Removal(
        "a restore of the store, rail and proof",
        (
            ("decide.grounds:restored", _nothing),
            ("engine.holds:Holds.trip", _all_but(Rail.STORE_RESTORED)),
        ),
        "store_restored",
        _worlds("faults=store_restored fury=100 use=0.1 long_share=0.0", range(1, 5)),
        rail=Rail.STORE_RESTORED,
    ),
    # Likewise, and what a restore has lost shows as gaps, too.
    Removal(
        "a restore of the log, rail, proof and gaps",
        (
            ("decide.grounds:restored", _nothing),
            ("decide.grounds:evidence_waits", _nothing),
            ("engine.holds:Holds.trip", _all_but(Rail.LOG_RESTORED)),
        ),
        "log_restored",
        _worlds(
            "containers=150 faults=log_restored fury=100 use=0.2 long_share=0.0 free_grace=False",
            range(2, 6),
        ),
        rail=Rail.LOG_RESTORED,
    ),
    Removal(
        "rail observer_effect",
        (("engine.cycle:Cycle._must_not_list", _never),),
        "observer_effect",
        _worlds("faults=observer_effect use=0.1 long_share=0.0", range(1, 4)),
        rail=Rail.OBSERVER_EFFECT,
    ),
    Removal(
        "a partial listing is none",
        (("decide.census:inventory", _all_complete),),
        "cut_page, early_end, server_error",
        _worlds("faults=cut_page,server_error,early_end fury=8 page=15", range(1, 4)),
        frozenset({"whole_inventory"}),
    ),
    Removal(
        "tombstones",
        (("model.container:Sighting.alive", property(_listed_alive)),),
        "tombstones",
        _worlds("faults=tombstones use=0.1", range(1, 3)),
        frozenset({"once_only", "written_first"}),
    ),
)


@contextmanager
def without(removal: Removal) -> Iterator[None]:
    """Have the package do without a rule, wherever its name was imported to."""
    undone = []
    try:
        for where, stand_in in removal.patches:
            module, name = where.split(":")
            holder: Any = import_module(f"demurrage.{module}")
            *owners, name = name.split(".")
            for owner in owners:
                holder = getattr(holder, owner)
            original = getattr(holder, name)
            put = stand_in.make(original) if isinstance(stand_in, Around) else stand_in
            for place in _holders(holder, name, original):
                each = patch.object(place, name, put)
                each.start()
                undone.append(each)
        yield
    finally:
        for each in reversed(undone):
            each.stop()


def _holders(holder: Any, name: str, original: Any) -> list[Any]:
    """The owner of a rule, and every module that imported it by its name."""
    importers = [
        module
        for key, module in sys.modules.items()
        if key.startswith("demurrage.") and vars(module).get(name) is original
    ]
    return importers if holder in importers else [holder, *importers]


def shown(removal: Removal) -> tuple[str, frozenset[str]]:
    """The first world that needs the rule, and what its removal breaks; empty if none does."""
    for words in removal.worlds:
        shape = parse(words)
        with_it = run(shape, telling=True)
        tripped = _tripped(with_it, removal.rail)
        if _broken(with_it, tripped) & _kinds(removal):
            continue
        with without(removal):
            broken = _broken(run(shape, telling=True), tripped) & _kinds(removal)
        if broken:
            return words, broken
    return "", frozenset()


def _kinds(removal: Removal) -> frozenset[str]:
    return removal.breaks if removal.rail is None else frozenset({_HELD_BACK})


def _tripped(result: Result, rail: Rail | None) -> float | None:
    """When a rail held for the first time."""
    held = [
        each.at
        for each in result.trace
        if each.what == "held" and rail is not None and each.detail.startswith(rail)
    ]
    return min(held, default=None)


def _broken(result: Result, tripped: float | None) -> frozenset[str]:
    """The invariants that were broken; `tripped` is when the rail should have held."""
    broken = {each.name for each in result.broken}
    if tripped is not None and any(
        each.what in ("sent", "listed") and tripped < each.at <= tripped + _UNANSWERED
        for each in result.trace
    ):
        broken.add(_HELD_BACK)
    return frozenset(broken)


def main(arguments: list[str] | None = None) -> int:
    """Take out each rule; returns the exit code."""
    parser = argparse.ArgumentParser(prog="without_rules", description=__doc__)
    parser.add_argument("--only", default="", help="rules whose name holds this")
    parser.add_argument("--out", type=Path, help="write what was found to this file, too")
    chosen = parser.parse_args(arguments)
    found = []
    for removal in REMOVALS:
        if chosen.only not in removal.rule:
            continue
        world, broken = shown(removal)
        found.append(
            {
                "rule": removal.rule,
                "fault": removal.fault,
                "breaks": sorted(broken),
                "world": world,
            }
        )
        said = ", ".join(sorted(broken)) or "NOTHING: its removal goes unnoticed"
        sys.stdout.write(f"{removal.rule:40} {removal.fault:32} {said}\n")
        sys.stdout.flush()
    if chosen.out:
        chosen.out.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if all(each["breaks"] for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
