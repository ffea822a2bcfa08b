"""Incidents in Sentry: an issue for each kind, target and scope, with its causes and its end."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from demurrage.alerts.notice import Notice
from demurrage.alerts.sentry_client import SentryClient
from demurrage.alerts.sentry_issues import SentryIssues
from demurrage.model.condition import Severity

if TYPE_CHECKING:
    from sentry_sdk.types import Event

_LEVELS = {Severity.NOTICE: "info", Severity.WARNING: "warning", Severity.PAGE: "error"}


class SentrySink:
    """Incidents as issues.

    An issue ends by Sentry's API, where that is set up; what can only send events cannot end one,
    and so an end is one more event of the same issue, with the tag `state` at `over`.

    Args:
        client: sends events.
        issues: ends issues; None where that is not set up.
    """

    remind_every: float | None = None
    fault = ""

    def __init__(self, client: SentryClient, issues: SentryIssues | None) -> None:
        self._client = client
        self._issues = issues

    def tell(self, notice: Notice) -> None:
        """Send an event, or end the issue."""
        if notice.ended_at is not None and self._issues is not None:
            self._issues.resolve(issue_key(notice))
        else:
            self._client.send(_event(notice))

    def remind(self, notices: Sequence[Notice]) -> None:
        """Nothing: an issue stays open."""


def issue_key(notice: Notice) -> str:
    """The tag by which the issue of a notice is found again: short, and of plain letters."""
    return hashlib.sha256("\0".join(notice.identity).encode()).hexdigest()[:16]


def _event(notice: Notice) -> "Event":
    over = notice.ended_at is not None
    tags = {
        "kind": notice.kind,
        "target": notice.target,
        "scope": notice.scope,
        "severity": notice.severity.value,
        "state": "over" if over else "open",
        "incident": str(notice.incident or ""),
        "incident_key": issue_key(notice),
    }
    told = {
        "summary": notice.summary,
        "next_step": notice.next_step,
        "runbook": notice.runbook,
        "estimated_usd_per_hour": notice.usd_per_hour,
        "opened_at": notice.started_at,
        "resolved_at": notice.ended_at,
    }
    causes: dict[str, object] = {
        f"{number}. {each.dimension}": f"{each.value}: {each.orphans} orphans, {each.share:.0%}"
        for number, each in enumerate(notice.causes, 1)
    }
    event: Event = {
        "message": f"{notice.title}\n{notice.text}",
        "level": "info" if over else _LEVELS[notice.severity],  # type: ignore[typeddict-item]
        "logger": "demurrage.incidents",
        "fingerprint": [*notice.identity],
        "tags": {name: value for name, value in tags.items() if value},
        "contexts": {
            "incident": {name: value for name, value in told.items() if value is not None},
            **({"causes": causes} if causes else {}),
        },
    }
    return event
