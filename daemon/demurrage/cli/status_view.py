"""One target's status, for people."""

from collections.abc import Iterable, Iterator, Mapping
from shlex import quote
from typing import Any, NamedTuple

from demurrage.cli.moments import local, when
from demurrage.cli.show import heading, say, say_code, table
from demurrage.model.condition import ConditionKind
from demurrage.model.counted import counted
from demurrage.web.words import why as why_of

_PYTHON = '  client = recorder.instrument(client, url="{url}", target="{target}"{token})'
_BEARER = ', token=os.environ["{variable}"]'
# What is in capitals is the application's own: a made-up writer would hold the watermark for ever.
_POST = (
    '  POST {url}/v1/events{token}  {{"specversion": "1.0", "source": SOURCE, "sequence": N, '
    '"id": "SOURCE/N", "time": NOW, "type": "demurrage.response.started", "data": {{"target": '
    '"{target}", "call_id": CALL_ID, "slots": [{{"tool": "code_interpreter"}}]}}}}'
)
_HEADER = "  Authorization: Bearer ${variable}"


class Lines(NamedTuple):
    """What an application has to add: in Python, and in any other language."""

    python: str
    other: str


def lines_to_add(target: str, url: str, token_variable: str) -> Lines:
    """The lines with which an application tells the daemon of its requests.

    Args:
        target: whose applications are meant.
        url: of the daemon.
        token_variable: the variable with the token for appending; empty if none is needed.
    """
    token, header = (
        (each.format(variable=token_variable) if token_variable else "")
        for each in (_BEARER, _HEADER)
    )
    return Lines(
        _PYTHON.format(url=url, target=target, token=token),
        _POST.format(url=url, target=target, token=header),
    )


def show_target(status: Mapping[str, Any], lines: Lines, *, now: float) -> None:
    """Print how one target stands.

    Args:
        status: as the daemon gives it.
        lines: what an application has to add, shown where nobody logs.
        now: epoch seconds.
    """
    heading(f"{status['target']}: {_mode(status)}")
    if not status.get("cycle"):
        say("No cycle has ended yet.", "")
        return
    _facts(status, now)
    _verdicts(status)
    _holds(status, now)
    _incidents(status)
    _totals(status.get("totals"))
    if not status["evidence"]["logged"]:
        _nobody_logs(status["target"], lines)
    say("")


def _mode(status: Mapping[str, Any]) -> str:
    """The mode, and what is left of it while holds stand."""
    mode = str(status["mode"])
    effective = status.get("effective_mode", mode)
    if effective == mode:
        return mode
    return f"{mode}, held: only observes" if effective == "observe" else f"{mode}, sweep held"


def _facts(status: Mapping[str, Any], now: float) -> None:
    cycle, evidence, coverage = status["cycle"], status["evidence"], status["coverage"]
    complete = "complete" if cycle["complete"] else "NOT complete"
    say(f"Last cycle     {when(status['at'], now)}, {complete}, took {cycle['seconds']:.1f} s")
    listed = "complete" if status["inventory"]["complete"] else "PARTIAL"
    say(f"Inventory      {listed}, as of {when(status['inventory']['as_of'], now)}")
    say(f"Coverage       {_coverage(coverage)}")
    for each in coverage["breaks"]:
        say(f"               broken by {each['kind']} {each['about']}: {each['detail']}")
    if coverage["breaks"]:
        say(f"               `demurrage confirm {status['target']}` gives the word again")
    if coverage["whole_life_windows"]:
        say("               late births were seen: windows last until a response ends;")
        say(f"               `demurrage confirm {status['target']} --windows` narrows them again")
    say(f"Events         {_reach(status, now)}; requests remembered: {evidence['responses']}")
    for each in evidence["writers"]:
        if each["fault"]:
            say(f"               held by {each['source']}: {each['fault']}: {each['detail']}")
            say(*_advice(each))
    _blocking(status["target"], evidence.get("blocking", ()), now)


def _reach(status: Mapping[str, Any], now: float) -> str:
    """Up to when the log is known to be complete."""
    evidence = status["evidence"]
    if not evidence["readable"]:
        return "UNREADABLE"
    if not status["cycle"]["complete"]:
        return "not judged, for the last cycle was not complete"
    if evidence["watermark"] is not None:
        return f"complete to {_past(evidence['watermark'], now)}"
    return "complete to nowhere" if evidence["writers"] else "no writer is waited for"


def _advice(writer: Mapping[str, Any]) -> Iterator[str]:
    """What a person can do about a writer that is in trouble."""
    retire = f"`demurrage writers retire {quote(writer['source'])}`"
    if writer["fault"] == ConditionKind.SILENT_WRITER:
        yield f"               if it is gone for good: {retire}"
        return
    if writer["fault"] == ConditionKind.LINE_SET_ASIDE:
        yield "               `demurrage events verify` names the line; once its writer is mended:"
        yield f"               {retire}"
        return
    if writer["fault"] == ConditionKind.SEQUENCE_GAP:
        yield "               it heals if what is missing still arrives; a writer that cannot"
        yield "               deliver it again holds on for as long as it runs, so then:"
    yield f"               restart that application (a new writer begins), then {retire}"


def _blocking(target: str, calls: Iterable[Mapping[str, Any]], now: float) -> None:
    """The calls that containers wait for, and how a person lets them go."""
    for each in calls:
        of = f" of {each['source']}" if each["source"] else ""
        since = f", {when(each['since'], now)}" if each["since"] is not None else ""
        count = each["containers"]
        wait = f"{counted(count, 'container')} wait{'s' if count == 1 else ''}"
        say(f"Blocked by     {each['about']}{of}{since}: {wait}, for its end is not known")
        command = f"demurrage events append --finish {each['about']} --target {target}"
        say(f"               once it has ended for certain: `{command}`")


def _past(mark: float, now: float) -> str:
    """A moment that should lie in the past; one that does not comes from a wrong clock."""
    return when(mark, now) if mark <= now else f"{local(mark)}, which has not come yet"


def _coverage(coverage: Mapping[str, Any]) -> str:
    if coverage["declared"] == coverage["effective"]:
        since = f" since {local(coverage['since'])}" if coverage["since"] else ""
        return f"{coverage['declared']}{since}"
    return f"declared {coverage['declared']}, but {coverage['effective']} now"


def _verdicts(status: Mapping[str, Any]) -> None:
    rows = []
    for kind, count in status["verdicts"].items():
        if count:
            why = [
                f"{number} {why_of(kind, each.partition(':')[2])}"
                for each, number in status["reasons"].items()
                if each.partition(":")[0] == kind
            ]
            rows.append((kind, str(count), "; ".join(why)))
    if rows:
        say("")
        table(("verdict", "live", "why"), rows, right=("live",))
    say(f"Due now        {status['due']}")


def _holds(status: Mapping[str, Any], now: float) -> None:
    for each in status["holds"]:
        until = each["resumed_until"]
        if until is not None:
            say(f"HOLD {each['id']}: {each['summary']} (resumed, ends {when(until, now)})")
            continue
        say(
            f"HOLD {each['id']} ({each['rail']}), {when(each['opened_at'], now)}: {each['summary']}"
        )
        # Only a yes to a wave of deletes has an end; any other hold is over by its resume.
        wave = bool(each["containers"])
        held = f"keeps {counted(each['containers'], 'container')}; " if wave else ""
        until = " --until 30m" if wave else ""
        say(f"     {held}to let it go on: demurrage resume {each['id']}{until}")


def _incidents(status: Mapping[str, Any]) -> None:
    rows = [
        (str(each.get("id") or "-"), each["severity"], _of_scope(each), each["summary"])
        for each in status["incidents"]
    ]
    if rows:
        say("")
        table(
            ("id", "severity", "incident", "what"),
            rows,
            right=("id",),
            styles=["red" if row[1] == "page" else "yellow" for row in rows],
        )


def _of_scope(incident: Mapping[str, Any]) -> str:
    scope = incident.get("scope")
    return f"{incident['kind']} {scope}" if scope else str(incident["kind"])


def _totals(totals: Mapping[str, Any] | None) -> None:
    if totals is None:
        say("Totals         the store cannot be read")
        return
    say("")
    say(
        f"Totals         {totals['created']} created, {totals['referenced']} referenced, "
        f"{totals['orphans']} orphans, {totals['swept']} swept "
        f"({totals['swept_before_floor']} before the floor)"
    )
    if totals["refused"] or totals["failed"]:
        say(f"               {totals['refused']} deletes refused, {totals['failed']} failed")
    say(f"Saved          {totals['saved']['text']}, estimated")
    if totals["observed"]:
        say(
            f"Would have     swept {totals['observed']}, saving "
            f"{totals['would_have_saved']['text']}, estimated"
        )
    if totals["predicted"]:
        say(
            f"Score          complete coverage would have let {totals['predicted']} go; "
            f"{totals['refuted']} of those turned out to be in use"
        )


def _nobody_logs(target: str, lines: Lines) -> None:
    say(
        "",
        f"Nobody logs for {target}, so nothing of it can be proven. In Python its application adds "
        "one line for each client, after `import demurrage_recorder as recorder`:",
    )
    say_code(lines.python)
    say(
        "In any other language (docs/logging.md shows it with curl) it posts, before each request "
        "to the Responses API leaves:"
    )
    say_code(lines.other)
    say(
        "and demurrage.response.finished when the answer is in, and a heartbeat every few seconds.",
    )
