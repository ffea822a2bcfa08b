"""The figures of many worlds."""

from collections import Counter
from typing import Any

from tests.simulation.watch import INVARIANTS
from tests.simulation.world import Result

_BAR = 40


class Summary:
    """Adds results up."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._worlds = 0
        self._totals: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._struck: Counter[str] = Counter()
        self._broken: Counter[str] = Counter(dict.fromkeys(INVARIANTS, 0))
        self._by_proof: Counter[str] = Counter()

    @staticmethod
    def of(result: Result) -> str:
        """One world in a line."""
        counts = ", ".join(f"{name} {count}" for name, count in sorted(result.counts.items()))
        struck = ", ".join(f"{name} {count}" for name, count in sorted(result.struck.items()))
        return f"every invariant held: {counts}; faults: {struck or 'none'}"

    def add(self, result: Result) -> None:
        """Take one world in."""
        self._worlds += 1
        self._totals["containers"] += result.containers
        self._totals["orphans"] += result.orphans
        self._totals["harmful deletes"] += result.harmed
        self._totals["fallen over"] += bool(result.error)
        self._totals["cpu milliseconds"] += int(1000 * result.seconds)
        self._totals["virtual seconds"] += int(result.virtual)
        self._counts.update(result.counts)
        self._struck.update(result.struck)
        self._by_proof[result.shape.proof] += 1
        self._broken.update(each.name for each in result.broken)

    def progress(self, seconds: float) -> str:
        """A line for a terminal, written over and over."""
        done = self._worlds / max(1, self._expected)
        bar = "█" * int(_BAR * done)
        left = seconds / done * (1 - done) if done else 0.0
        return (
            f"\r{bar:<{_BAR}} {self._worlds}/{self._expected} worlds, "
            f"{self._totals['containers']:,} containers, "
            f"{self._totals['harmful deletes']} harmful deletes, {left:.0f} s left  "
        )

    def figures(self, seconds: float, workers: int) -> dict[str, Any]:
        """Everything, for programs."""
        return {
            "worlds": self._worlds,
            **self._totals,
            "proof": dict(self._by_proof),
            "deletes": self._counts["deletes"],
            "orphans deleted": self._counts["orphans deleted"],
            "broken": dict(self._broken),
            "faults": dict(sorted(self._struck.items())),
            "counts": dict(sorted(self._counts.items())),
            "seconds": round(seconds, 1),
            "workers": workers,
            "containers a second": round(self._totals["containers"] / max(seconds, 1e-9), 1),
        }

    @staticmethod
    def table(figures: dict[str, Any]) -> str:
        """Everything, for people."""
        told = figures
        lines = [
            f"{told['worlds']} worlds, {told['containers']:,} containers",
            f"{told['orphans']:,} orphans, {told['orphans deleted']:,} of them deleted",
            f"{told['deletes']:,} deletes, {told['harmful deletes']} of them harmful",
            f"{told['seconds']} s on {told['workers']} processes",
            f"{told['containers a second']} containers a second",
            "",
        ]
        lines += [f"{count:>8}  {name}" for name, count in figures["broken"].items()]
        lines += ["", "faults that struck:"]
        lines += [f"{count:>8,}  {name}" for name, count in figures["faults"].items()]
        return "\n".join(lines)
