"""What the demo shows: the daemon's own word over its HTTP API, and the harbours' truth."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any

from demurrage.simulator.admin import HarbourAdmin
from demurrage.simulator.calls import caller_of
from demurrage.simulator.demo_daemon import DAEMON_KEY
from demurrage.simulator.demo_stage import Stage

# More rows than the tallest usual terminal shows.
_ROWS = 80
_TIMEOUT = 10.0
_OK = 200
_RETRIEVE = "GET /v1/containers/{id}"


@dataclass(frozen=True, slots=True)
class Row:
    """One container as the daemon sees it; moments are provider time in epoch seconds.

    `response` is the response that most likely made it, or the one that holds it, if known.
    """

    id: str
    target: str
    tier: str
    created_at: int
    gone_at: float | None
    swept_at: float | None
    verdict: str
    code: str
    due_at: float | None
    response: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """One target: the daemon's running totals, what it keeps and why, and the truth beside it.

    `kept` counts living containers that are not to be deleted, by verdict and reason code.
    `swept` has released containers in it, too. `live` are those that stand under a verdict. By
    the harbour's own books: `true_orphans`, how many of those a delete took, and how many before
    the floor; their cost so far and if nobody had touched them; deletes that did harm; calls
    that retrieved a container.
    """

    target: str
    coverage: str
    created: int
    referenced: int
    orphans: int
    swept: int
    before_floor: int
    predicted: int
    refuted: int
    saved: str
    kept: Mapping[tuple[str, str], int]
    incidents: tuple[str, ...]
    holds: tuple[str, ...]
    live: int
    true_orphans: int
    true_swept: int
    true_in_time: int
    left_usd: float
    cost_usd: float
    harm: int
    retrieves: int


@dataclass(frozen=True, slots=True)
class News:
    """Everything at one moment (provider time)."""

    at: float
    rows: tuple[Row, ...]
    standings: tuple[Standing, ...]

    @property
    def harm(self) -> int:
        """Deletes that took what somebody needed, by the harbours' own books."""
        return sum(each.harm for each in self.standings)

    @property
    def swept(self) -> int:
        """Deletes done."""
        return sum(each.swept for each in self.standings)


class Reporter:
    """Asks the daemon and the harbours."""

    def __init__(self, stage: Stage) -> None:
        self._port = stage.place.port
        self._ear = stage.ear
        self._admins = {name: harbour.admin for name, harbour in stage.harbours.items()}

    async def ask(self) -> News | None:
        """The news, or None if the daemon does not answer now."""
        try:
            return await asyncio.to_thread(self._ask)
        except (OSError, HTTPException, ValueError):
            return None

    def harm(self) -> int:
        """How many deletes took what somebody needed, by the harbours' own books."""
        return sum(
            admin.truth(containers=False)["totals"]["harm"] for admin in self._admins.values()
        )

    def _ask(self) -> News:
        status = self._get("/v1/status")
        page = self._get(f"/v1/containers?limit={_ROWS}")
        return News(
            status["at"],
            tuple(self._row(each) for each in page["containers"]),
            tuple(_standing(each, self._admins[each["target"]]) for each in status["targets"]),
        )

    def _get(self, path: str) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body: dict[str, Any] = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != _OK:
            raise ValueError(f"status {answer.status}")
        return body

    def _row(self, entry: dict[str, Any]) -> Row:
        verdict = entry["verdict"] or {"kind": "pending", "reasons": []}
        unheard: dict[str, Any] = {"code": "", "about": None}
        reason = next(iter(verdict["reasons"]), unheard)
        about = reason["about"]
        named = about if about is not None and about.startswith("resp_") else None
        maker = verdict.get("maker")
        return Row(
            id=entry["id"],
            target=entry["target"],
            tier=entry["tier"] or "?",
            created_at=entry["created_at"],
            gone_at=entry["gone_at"],
            swept_at=entry["deleted_at"],
            verdict=verdict["kind"],
            code=reason["code"],
            due_at=verdict.get("due_at"),
            response=named or self._ear.responses.get(maker or ""),
        )


def _standing(told: dict[str, Any], admin: HarbourAdmin) -> Standing:
    truth = admin.truth(containers=False)
    figures, totals = truth["totals"], told["totals"]
    kept = {
        (kind, code): count
        for name, count in told["reasons"].items()
        for kind, _, code in [name.partition(":")]
        if kind != "orphan"
    }
    return Standing(
        target=told["target"],
        coverage=told["coverage"]["effective"],
        created=totals["created"],
        referenced=totals["referenced"],
        orphans=totals["orphans"],
        swept=totals["swept"],
        before_floor=totals["swept_before_floor"],
        predicted=totals["predicted"],
        refuted=totals["refuted"],
        saved=totals["saved"]["text"],
        kept=kept,
        incidents=tuple(each["kind"] for each in told["incidents"]),
        holds=tuple(each["id"] for each in told["holds"]),
        live=sum(told["verdicts"].values()),
        true_orphans=figures["orphans"],
        true_swept=figures["orphans_deleted"],
        true_in_time=figures["orphans_deleted_before_floor"],
        left_usd=figures["orphan_usd_alone"],
        cost_usd=figures["orphan_usd_actual"],
        harm=figures["harm"],
        retrieves=truth["by_caller"].get(caller_of(DAEMON_KEY), {}).get(_RETRIEVE, 0),
    )
