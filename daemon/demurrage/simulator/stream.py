"""Server-sent events of a response, with the names and the order of the real ones."""

from collections.abc import Iterator
from typing import Any

from demurrage.simulator.voyage import Voyage

Event = dict[str, Any]


def opening(voyage: Voyage) -> list[Event]:
    """The first events; only a background response shows that it was queued.

    They show the response before its output, even where a slow server sends them after its end.
    """
    first = "queued" if voyage.status == "queued" else "in_progress"
    body = {**voyage.body(), "status": first, "output": [], "completed_at": None, "usage": None}
    return [
        {"type": "response.created", "response": body},
        {"type": f"response.{first}", "response": body},
    ]


def first_item(voyage: Voyage) -> list[Event]:
    """The first output item as it appears, not yet done."""
    return _halves(voyage.drafts[0], 0)[0]


def the_rest(voyage: Voyage) -> Iterator[Event]:
    """Everything after `first_item` up to the end of the output."""
    for index, item in enumerate(voyage.drafts):
        before, after = _halves(item, index)
        if index > 0:
            yield from before
        yield from after


def closing(voyage: Voyage) -> list[Event]:
    """The last event; a cancelled response just stops."""
    if voyage.status == "cancelled":
        return []
    return [{"type": f"response.{voyage.status}", "response": voyage.body()}]


def _halves(item: dict[str, Any], index: int) -> tuple[list[Event], list[Event]]:
    at = {"output_index": index}
    done: Event = {"type": "response.output_item.done", **at, "item": item}
    started = {**item, "status": "in_progress"}
    added: Event = {"type": "response.output_item.added", **at, "item": started}
    about = {**at, "item_id": item["id"]}
    if item["type"] == "code_interpreter_call":
        started["code"] = ""
        run, code = "response.code_interpreter_call", item["code"]
        return (
            [
                added,
                {"type": f"{run}.in_progress", **about},
                {"type": f"{run}_code.delta", **about, "delta": code},
                {"type": f"{run}_code.done", **about, "code": code},
                {"type": f"{run}.interpreting", **about},
            ],
            [{"type": f"{run}.completed", **about}, done],
        )
    if item["type"] == "function_call":
        started["arguments"] = ""
        run, words = "response.function_call_arguments", item["arguments"]
        return (
            [added],
            [
                {"type": f"{run}.delta", **about, "delta": words},
                {"type": f"{run}.done", **about, "arguments": words, "name": item["name"]},
                done,
            ],
        )
    if item["type"] == "message":
        return _message(item, added, done, {**about, "content_index": 0})
    return [added], [done]


def _message(
    item: dict[str, Any], added: Event, done: Event, about: dict[str, Any]
) -> tuple[list[Event], list[Event]]:
    part = item["content"][0]
    text, middle = part["text"], len(part["text"]) // 2
    added["item"]["content"] = []
    empty = {**part, "text": "", "annotations": []}
    delta = {"type": "response.output_text.delta", **about, "logprobs": []}
    before: list[Event] = [
        added,
        {"type": "response.content_part.added", **about, "part": empty},
        {**delta, "delta": text[:middle]},
    ]
    after: list[Event] = [{**delta, "delta": text[middle:]}]
    after += [
        {
            "type": "response.output_text.annotation.added",
            **about,
            "annotation_index": place,
            "annotation": annotation,
        }
        for place, annotation in enumerate(part["annotations"])
    ]
    after += [
        {"type": "response.output_text.done", **about, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **about, "part": part},
        done,
    ]
    return before, after
