"""The case of a container, a request or a conversation, for people."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from demurrage.cli.moments import local, span, when
from demurrage.cli.show import heading, say, table
from demurrage.model.counted import counted

if TYPE_CHECKING:
    from demurrage.eventlog.attempts import Attempt

Plain = Mapping[str, Any]
_UNUSED = {
    "unknown": "whether unused containers are charged is not known (billing.unused)",
    "charged": "unused containers are charged (billing.unused)",
    "free": "unused containers are free (billing.unused)",
}


def show_request(request: "Attempt") -> None:
    """Print one logged request."""
    heading(f"{request.response_id or 'no response id'} (call {request.call_id})")
    say(f"Target         {request.target}, told by {request.source}")
    say(f"Started        {local(request.started_at)}, ended {local(request.finished_at)}")
    slots = f"{request.auto_slots} auto slot{'' if request.auto_slots == 1 else 's'}"
    say(f"End            {request.status or 'not known'}; {slots}")
    say(f"Names          {', '.join(sorted(request.named)) or 'no container'}", "")


def show_conversation(name: str, requests: "Sequence[Attempt]", cases: Sequence[Plain]) -> None:
    """Print a conversation: its requests, and the containers that they made or named."""
    heading(f"{name}: {counted(len(requests), 'logged request')}")
    table(
        ("started", "response", "end", "auto slots", "names"),
        [
            (
                local(each.started_at),
                each.response_id or f"call {each.call_id}",
                each.status or "not known",
                str(each.auto_slots),
                ", ".join(sorted(each.named)) or "-",
            )
            for each in requests
        ],
        right=("auto slots",),
    )
    say("")
    if not cases:
        say("No listed container is attributed to it.")
        return
    table(
        ("container", "target", "verdict", "why", "gone"),
        [
            (
                case["id"],
                case["target"],
                case["verdict"]["kind"] if case["verdict"] else "-",
                "; ".join(each["text"] for each in case["verdict"]["reasons"])
                if case["verdict"]
                else "-",
                local(case["container"]["gone_at"]) if case["container"] else "-",
            )
            for case in cases
        ],
    )


def show_case(case: Plain, *, now: float) -> None:
    """Print the whole case of one container."""
    heading(f"{case['id']} ({case['target']})")
    _birth(case, now)
    _maker(case["maker"], case["created_by"])
    _standing(case["verdict"], now)
    _done(case)
    _money(case["money"])
    _history(case["verdicts"])
    _events(case["evidence"])
    say("")


def _birth(case: Plain, now: float) -> None:
    row = case["container"]
    if row is None:
        say("Listed         never, or so long ago that only what follows is left")
        return
    tier, name = row["tier"] or "tier not known", row["name"] or "no name"
    say(f"Born           {local(row['created_at'])}, {tier}, {name}")
    active = row["last_active_at"]
    use = "not shown" if active is None else f"{local(active)}"
    if active is not None:
        use += f", {span(active - row['created_at'])} after its birth"
    say(f"Last active    {use}")
    if row["gone_at"] is not None:
        say(f"Gone           {when(row['gone_at'], now)}, {local(row['gone_at'])}")


def _maker(maker: Plain | None, created_by: Plain | None) -> None:
    if created_by is not None:
        say(f"Made by        POST /containers, told by {created_by['source']}")
        return
    if maker is None:
        say("Made by        no logged response that is known")
        return
    end = maker["status"] or "end not known"
    say(
        f"Made by        {maker['response_id'] or 'a response without an id'} "
        f"(call {maker['call_id']}), most likely",
        f"               started {local(maker['started_at'])} by {maker['source']}, {end} "
        f"{local(maker['finished_at'])}",
    )


def _standing(verdict: Plain | None, now: float) -> None:
    if verdict is None:
        say("Verdict        none was given")
        return
    say(f"Verdict        {verdict['kind']}, since {local(verdict['decided_at'])}")
    for reason in verdict["reasons"]:
        say(f"               - {reason['text']} [{reason['code']}]")
    if verdict["shadow"] not in (None, verdict["kind"]):
        say(f"               complete coverage would have said: {verdict['shadow']}")
    if verdict["due_at"] is not None:
        say(f"Due            {local(verdict['due_at'])} ({when(verdict['due_at'], now)})")


def _done(case: Plain) -> None:
    for each in case["deletions"]:
        outcome = each["outcome"] or "no outcome yet"
        detail = f" ({each['detail']})" if each["detail"] else ""
        hold = f", by the resume of {each['hold_id']}" if each["hold_id"] else ""
        say(f"Delete         {local(each['intended_at'])}: {outcome}{detail}{hold}")
        age = each["intended_at"] - each["created_at"]
        say(f"               at the age of {span(age)}, as {each['verdict']}")
    if case["would_have_deleted_at"] is not None:
        say(f"Would have     been deleted {local(case['would_have_deleted_at'])} (observe mode)")
    protection = case["protection"]
    if protection is not None:
        until = "for ever" if protection["until"] is None else f"until {local(protection['until'])}"
        say(f"Protected      {until}, by {protection['by']}")
    for each in case["holds"]:
        say(f"Hold           {each['id']}: {each['summary']}")


def _money(money: Plain) -> None:
    if money["cost"] is None:
        return
    say(
        f"Cost           {money['cost']['text']}; left alone {money['cost_if_left']['text']}; "
        f"saved {money['saved']['text']}. All estimated;"
    )
    say(f"               {_UNUSED[money['unused_containers_are']]}")


def _history(verdicts: list[Plain]) -> None:
    if not verdicts:
        return
    rows = [
        (
            local(each["decided_at"]),
            each["kind"],
            "; ".join(reason["text"] for reason in each["reasons"]),
            local(each["due_at"]),
        )
        for each in verdicts
    ]
    say("")
    table(("decided", "verdict", "why", "due"), rows)


def _events(evidence: Plain) -> None:
    if not evidence["readable"]:
        say("The event log cannot be read now.")
        return
    rows = [
        (
            local(each["time"]),
            each["type"],
            each.get("response_id") or each.get("call_id") or "-",
            each.get("status") or "-",
            each["source"],
        )
        for each in evidence["events"]
    ]
    if not rows:
        say("", "No event names it.")
        return
    say("")
    table(("event at", "type", "about", "status", "source"), rows)
    if evidence["count"] > len(rows):
        say(f"… and {evidence['count'] - len(rows)} more events between the first and the last.")
