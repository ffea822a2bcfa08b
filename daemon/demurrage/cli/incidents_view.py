"""Incidents, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from demurrage.cli.moments import local, span, when
from demurrage.cli.show import heading, say, table

_STYLES = {"page": "red", "warning": "yellow", "notice": ""}
# Causes that a line has room for.
_SHOWN = 2


def show_incidents(
    standing: Sequence[Mapping[str, Any]], over: Sequence[Mapping[str, Any]], *, now: float
) -> None:
    """Print those that are open, each with what to do, and those that are over.

    Args:
        standing: as the daemon gives them, oldest first.
        over: the same of the past, newest first.
        now: epoch seconds.
    """
    if standing:
        table(
            ("id", "severity", "target", "incident", "since", "usd/h", "state", "what"),
            [_row(each, now) for each in standing],
            right=("id", "usd/h"),
            styles=[_STYLES[each["severity"]] for each in standing],
        )
        say("")
        for each in standing:
            say(f"{each['id']}: {each['next_step']}")
    else:
        say("No incident is open.")
    if over:
        say("")
        table(
            ("id", "severity", "target", "incident", "ended", "lasted", "what"),
            [_past_row(each, now) for each in over],
            right=("id",),
        )


def _row(incident: Mapping[str, Any], now: float) -> tuple[str, ...]:
    return (
        str(incident["id"]),
        incident["severity"],
        incident["target"] or "-",
        _name(incident),
        when(incident["opened_at"], now),
        _usd(incident["estimated_usd_per_hour"]) or "-",
        _state(incident, now) or "-",
        incident["summary"] + _causes(incident["causes"][:_SHOWN]),
    )


def _past_row(incident: Mapping[str, Any], now: float) -> tuple[str, ...]:
    return (
        str(incident["id"]),
        incident["severity"],
        incident["target"] or "-",
        _name(incident),
        when(incident["resolved_at"], now),
        span(incident["resolved_at"] - incident["opened_at"]),
        incident["summary"],
    )


def show_incident(incident: Mapping[str, Any], *, now: float) -> None:
    """Print one incident whole.

    Args:
        incident: as the daemon gives it, with its deliveries.
        now: epoch seconds.
    """
    heading(f"Incident {incident['id']}: {_name(incident)} ({incident['severity']})")
    say(f"Target         {incident['target'] or '-'}")
    say(f"What           {incident['summary']}")
    say(f"Since          {local(incident['opened_at'])} ({when(incident['opened_at'], now)})")
    say(f"Last seen      {when(incident['last_seen_at'], now)}")
    if incident["resolved_at"] is not None:
        say(f"Over           {when(incident['resolved_at'], now)}")
    if state := _state(incident, now):
        say(f"State          {state}")
    if usd := _usd(incident["estimated_usd_per_hour"]):
        say(f"Costs          ${usd} an hour, estimated")
    say(f"Next step      {incident['next_step']}")
    say(f"Runbook        {incident['runbook']}")
    if incident["causes"]:
        say("")
        table(
            ("cause", "is", "orphans", "share"),
            [
                (each["dimension"], each["value"], str(each["orphans"]), f"{each['share']:.0%}")
                for each in incident["causes"]
            ],
            right=("orphans", "share"),
        )
    if incident["deliveries"]:
        say("")
        table(
            ("sink", "told", "state"),
            [_told(each, incident["revision"], now) for each in incident["deliveries"]],
        )


def _told(delivery: Mapping[str, Any], revision: int, now: float) -> tuple[str, str, str]:
    state = "up to date" if delivery["revision"] >= revision else "owed the latest change"
    if delivery["attempts"]:
        state += f"; failed {delivery['attempts']} times, last: {delivery['last_error']}"
    return delivery["sink"], when(delivery["delivered_at"], now), state


def _name(incident: Mapping[str, Any]) -> str:
    scope = incident["scope"]
    return f"{incident['kind']} {scope}" if scope else str(incident["kind"])


def _usd(usd: float | None) -> str:
    return "" if usd is None else f"{usd:,.2f}"


def _state(incident: Mapping[str, Any], now: float) -> str:
    """What people have said about it."""
    parts = []
    if incident["acknowledged_at"] is not None:
        parts.append(f"acknowledged by {incident['acknowledged_by']}")
    until = incident["silenced_until"]
    if until is not None and until > now:
        parts.append(f"silent until {local(until)}")
    return ", ".join(parts)


def _causes(causes: Sequence[Mapping[str, Any]]) -> str:
    named = [f"{each['dimension']} {each['value']} {each['share']:.0%}" for each in causes]
    return f" ({', '.join(named)})" if named else ""
