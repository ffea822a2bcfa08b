"""What sinks are told of an incident: scrubbed once, here, whatever sink it goes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from demurrage.model.advice import NEXT_STEP, runbook_of
from demurrage.model.condition import Cause, Severity
from demurrage.model.incident import Incident
from demurrage.observe.redact import Redactor

# Writers and labels are named by applications; a message that is cut off says less than one that
# leaves the smallest causes out.
_MOST_CAUSES = 10
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Notice:
    """One incident as it is now, in words that may leave the house.

    `incident` is its id, 0 while the store could not give it one. `revision` counts what people
    are told of it, from 1. Times are epoch seconds, `ended_at` None while it stands;
    `usd_per_hour` is estimated. `identity` is the same from its opening to its end, and again the
    next time.
    """

    incident: int
    revision: int
    kind: str
    target: str
    scope: str
    severity: Severity
    summary: str
    next_step: str
    runbook: str
    causes: tuple[Cause, ...]
    usd_per_hour: float | None
    started_at: float
    ended_at: float | None

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What makes two notices be about the same."""
        return "demurrage", self.kind, self.target, self.scope

    @property
    def title(self) -> str:
        """A line: how urgent, where, what."""
        head = "over" if self.ended_at is not None else self.severity.value
        where = f"{self.target}: " if self.target else ""
        return f"[{head}] {where}{self.kind}{f' {self.scope}' if self.scope else ''}"

    @property
    def causes_text(self) -> str:
        """The causes, dearest first, empty for none."""
        return ", ".join(f"{each.dimension} {each.value} {each.share:.0%}" for each in self.causes)

    @property
    def text(self) -> str:
        """All that a person needs to begin, a line for each thing."""
        lines = [self.summary, _when(self.started_at, self.ended_at)]
        if self.causes:
            lines.append(f"Causes: {self.causes_text}.")
        if self.usd_per_hour is not None:
            lines.append(f"About ${self.usd_per_hour:,.2f} an hour, estimated.")
        if self.ended_at is None:
            lines.append(f"Next: {self.next_step}")
            lines.append(f"Runbook: {self.runbook}")
        if self.incident:
            lines.append(f"More: demurrage incidents show {self.incident}")
        return "\n".join(lines)


class Scribe:
    """Makes notices.

    Args:
        redactor: knows the secrets that the daemon holds.
        runbooks_url: the folder in which people find the runbooks; empty for the project's own.
    """

    def __init__(self, redactor: Redactor, runbooks_url: str = "") -> None:
        self._redactor = redactor
        self._runbooks_url = runbooks_url

    def notice(self, incident: Incident) -> Notice:
        """The incident as it is to be told now."""
        condition = incident.condition
        return Notice(
            incident=incident.id,
            revision=incident.revision,
            kind=condition.kind.value,
            target=condition.target,
            scope=self.text(condition.scope),
            severity=condition.severity,
            summary=self.text(condition.summary),
            next_step=NEXT_STEP[condition.kind],
            runbook=runbook_of(condition.kind, self._runbooks_url),
            causes=self._causes(condition.causes),
            usd_per_hour=condition.usd_per_hour,
            started_at=incident.opened_at,
            ended_at=incident.resolved_at,
        )

    def text(self, text: str) -> str:
        """A text without secrets, and of a length that every sink takes."""
        scrubbed = self._redactor.text(text)
        return scrubbed if len(scrubbed) <= _LONGEST else f"{scrubbed[: _LONGEST - 1]}…"

    def _causes(self, causes: Sequence[Cause]) -> tuple[Cause, ...]:
        return tuple(
            Cause(each.dimension, self.text(each.value)[:200], each.orphans, each.share)
            for each in causes[:_MOST_CAUSES]
        )


def trial_notice(now: float, *, ended: bool) -> Notice:
    """What proves that a sink can be reached, and then that it hears of an end."""
    return Notice(
        incident=0,
        revision=2 if ended else 1,
        kind="test",
        target="",
        scope="",
        severity=Severity.NOTICE,
        summary="This is a test, sent by `demurrage check --send-test`. Nothing is wrong.",
        next_step="None: it has arrived.",
        runbook="docs/alerts.md",
        causes=(),
        usd_per_hour=None,
        started_at=now,
        ended_at=now if ended else None,
    )


def _when(started_at: float, ended_at: float | None) -> str:
    if ended_at is None:
        return f"Since {_utc(started_at)} UTC."
    return f"From {_utc(started_at)} to {_utc(ended_at)} UTC."


def _utc(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
