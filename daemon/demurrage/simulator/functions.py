"""Function tools: which one the pretended model calls, and whose output is still owed."""

from collections.abc import Iterable, Mapping
from typing import Any

from demurrage.simulator.refusal import Refusal

OpenCalls = Mapping[str, str]
"""Calls without their output: the function's name by call id."""

_CODE = "code"


def runs_code(name: str) -> bool:
    """True for a function that promises by its name to run code."""
    return _CODE in name


def called(offered: Iterable[str], named: Iterable[str], *, wants_code: bool) -> tuple[str, ...]:
    """The offered functions that the model calls: the named ones, then one that runs code."""
    offered = tuple(offered)
    calls = [name for name in named if name in offered]
    if wants_code:
        calls += [name for name in offered if runs_code(name) and name not in calls][:1]
    return tuple(calls)


def left_open(before: OpenCalls, items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The calls that are open once the items have followed.

    Raises:
        Refusal: 400, an output answers no open call.
    """
    calls = dict(before)
    for item in items:
        if item.get("type") == "function_call":
            calls[str(item.get("call_id"))] = str(item.get("name"))
        elif item.get("type") == "function_call_output":
            call_id = str(item.get("call_id"))
            if calls.pop(call_id, None) is None:
                raise Refusal(
                    400,
                    f"No tool call found for function call output with call_id {call_id}.",
                    param="input",
                )
    return calls


def refuse_open(calls: OpenCalls) -> None:
    """Refuse a request whose context holds a call without its output.

    Raises:
        Refusal: 400, there is one.
    """
    for call_id in calls:
        raise Refusal(400, f"No tool output found for function call {call_id}.", param="input")
