"""A client of the harbour's own endpoints, for tests, the demo and benchmarks."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


class HarbourAdmin:
    """Asks for the truth and flips switches.

    Args:
        url: the harbour's root, such as `http://127.0.0.1:9480`.
    """

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    def truth(self, *, containers: bool = True) -> dict[str, Any]:
        """Totals, call counts and, if wanted, one case for each container."""
        return self._ask("GET", "truth" if containers else "truth?containers=false")

    def calls(self, limit: int = 1000) -> dict[str, Any]:
        """Counts by method and path, by caller, and the latest calls."""
        return self._ask("GET", f"calls?limit={limit}")

    def forget_calls(self) -> None:
        """Count calls anew."""
        self._ask("DELETE", "calls")

    def fault(self, kind: str, match: str = "* *", **fields: Any) -> None:
        """Add a fault: `count`, `probability` and `seconds` are optional."""
        self._ask("POST", "faults", {"kind": kind, "match": match, **fields})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, with their hits."""
        rules: list[dict[str, Any]] = self._ask("GET", "faults")["faults"]
        return rules

    def clear_faults(self) -> None:
        """Let all be well again."""
        self._ask("DELETE", "faults")

    def seed(self, **planting: Any) -> dict[str, Any]:
        """Plant rows; see `planting.Planting` for the fields."""
        return self._ask("POST", "seed", planting)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Turn knobs and read them all; see `settings.HarbourSettings`."""
        return self._ask("POST", "settings", changes)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = HTTPConnection(self._host, timeout=30)
        try:
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/harbour/{path}", payload)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:  # noqa: PLR2004 - the one good status
            raise ValueError(answer["error"]["message"])
        return answer
