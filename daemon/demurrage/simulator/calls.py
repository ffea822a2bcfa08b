"""The harbour's record of who called what; it holds no key and no body."""

from collections import Counter, deque
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

_KEPT = 20_000


def caller_of(key: str) -> str:
    """The name under which the harbour records whoever uses this key."""
    return sha256(key.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Call:
    """One answered request. `path` has its ids replaced by `{id}`; `at` is inner time."""

    at: float
    caller: str
    method: str
    path: str
    about: str | None
    query: str
    status: int
    fault: str | None


class Calls:
    """The latest calls, and counts of all."""

    def __init__(self) -> None:
        self._latest: deque[Call] = deque(maxlen=_KEPT)
        self._counts: Counter[str] = Counter()
        self._by_caller: dict[str, Counter[str]] = {}

    def add(self, call: Call) -> None:
        """Record one."""
        name = f"{call.method} {call.path}"
        self._latest.append(call)
        self._counts[name] += 1
        self._by_caller.setdefault(call.caller, Counter())[name] += 1

    def clear(self) -> None:
        """Start counting anew."""
        self._latest.clear()
        self._counts.clear()
        self._by_caller.clear()

    def counts(self) -> dict[str, Any]:
        """Totals by method and path, and the same by caller."""
        return {
            "counts": dict(self._counts),
            "by_caller": {who: dict(counts) for who, counts in self._by_caller.items()},
        }

    def latest(self, limit: int) -> list[dict[str, Any]]:
        """The latest calls, oldest first."""
        return [asdict(call) for call in list(self._latest)[-limit:]]
