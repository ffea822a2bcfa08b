"""Prometheus' Alertmanager, by its API v2.

It forgets what is not said again, and calls it resolved. So what stands is said again every
minute, with an end that lies further ahead; what is over gets its end in the past.
"""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import urllib3

from demurrage.alerts.notice import Notice
from demurrage.alerts.post import Poster
from demurrage.model.condition import Severity

# Seconds. As Prometheus does it: an alert lives for four times the pace at which it is repeated.
PACE = 60.0
_LIFE = 4 * PACE


class Alertmanager:
    """One Alertmanager; the members of a cluster are a sink each.

    Args:
        url: its root, maybe with a path; user and password in it go into a header.
        clock: epoch seconds.
    """

    remind_every: float | None = PACE
    fault = ""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        parts = urlsplit(url)
        headers = {"Content-Type": "application/json"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers |= urllib3.make_headers(basic_auth=login)
        host = parts.netloc.rpartition("@")[2]
        path = f"{parts.path.rstrip('/')}/api/v2/alerts"
        self._url = urlunsplit((parts.scheme, host, path, "", ""))
        self._poster = Poster(headers)
        self._clock = clock

    def tell(self, notice: Notice) -> None:
        """Let the alert fire, or end it."""
        self._post([*self._alerts(notice)])

    def remind(self, notices: Sequence[Notice]) -> None:
        """Keep what fires firing."""
        if notices:
            self._post(alert for each in notices for alert in self._alerts(each))

    def _post(self, alerts: Iterable[dict[str, Any]]) -> None:
        self._poster.ask("POST", self._url, json.dumps([*alerts]).encode())

    def _alerts(self, notice: Notice) -> Iterator[dict[str, Any]]:
        """The alert, and the end of those that it was at lower severities: labels tell it apart."""
        now = self._clock()
        yield _alert(notice, notice.severity, now)
        if notice.revision > 1:
            severities = list(Severity)
            for lower in severities[: severities.index(notice.severity)]:
                yield _alert(notice, lower, now, over=True)


def _alert(notice: Notice, severity: Severity, now: float, *, over: bool = False) -> dict[str, Any]:
    labels = {
        "alertname": "DemurrageIncident",
        "kind": notice.kind,
        "target": notice.target,
        "scope": notice.scope,
        "severity": severity.value,
    }
    annotations = {
        "summary": notice.title,
        "description": notice.summary,
        "causes": notice.causes_text,
        "next_step": notice.next_step,
        "runbook": notice.runbook,
        "incident": str(notice.incident or ""),
    }
    if notice.usd_per_hour is not None:
        annotations["estimated_usd_per_hour"] = f"{notice.usd_per_hour:.2f}"
    ended = over or notice.ended_at is not None
    # The provider's clock may be ahead of Alertmanager's, which would take an end for one to come.
    end = min(now, notice.ended_at or now) if ended else now + _LIFE
    return {
        # An empty label is no label.
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": _moment(min(notice.started_at, end)),
        "endsAt": _moment(end),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
