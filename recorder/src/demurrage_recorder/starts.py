"""The words for the first event of a call, which its application waits for.

It is on disk before the request leaves. So what most requests ask for is read in one go, and what
each start of a client says alike is put into words once.
"""

from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from demurrage_recorder.asking import (
    AT_ONCE,
    HARMLESS,
    LOADING,
    LONGEST_NAME,
    REFERENCES,
    SEARCH,
    Start,
    start_of,
    unreadable,
)
from demurrage_recorder.ids import LONGEST_ID, may_name_in
from demurrage_recorder.keys import mark_of
from demurrage_recorder.texts import pieces_of, scan
from demurrage_recorder.warn import warn_once

# How many keys a client is known by at a time: an application may bear one for each of its users.
_MOST_KEYS = 64
# The keys that say more than the quick reading understands.
_UNUSUAL = frozenset({"prompt", "conversation", "multi_agent"})
# Those that are plain beside tools and model.
_FURTHER = frozenset({"previous_response_id", "background"})
# The items that do.
_TELLING = frozenset({*REFERENCES, *LOADING})
_PLAIN = HARMLESS - {SEARCH}
# By its size, None where it names none: the slot of a code interpreter that makes what it needs.
_AUTO = {
    size: f'{{"tool":"code_interpreter","tier":"{size or "1g"}","container":"auto"}}'
    for size in (None, "1g", "4g", "16g", "64g")
}
_FEW = 64


class Asks(NamedTuple):
    """What a request may bring about.

    `text`: the data of its start as JSON, from behind the call's id on; `makes`: it has a slot;
    `at_once` and `spreads` as in `Start`.
    """

    text: str
    makes: bool
    background: bool
    at_once: bool = True
    spreads: bool = False


class Starts:
    """Puts the starts of one target's calls into words.

    Args:
        target: the target's name.
        labels: what each start is labelled with.

    Attributes:
        known: what `alike` has put into words, by its arguments.
    """

    def __init__(self, target: str, labels: Mapping[str, str]) -> None:
        self._target = target
        self._labels = dict(labels)
        self.known: dict[tuple[bytes | None, bool], str] = {}

    def alike(self, key: bytes | None, *, direct: bool) -> str:
        """The JSON of what the starts with a key say alike, up to the call's id.

        Args:
            key: what the request bears as its key, if anything.
            direct: it goes straight to the API.

        Raises:
            ValueError, TypeError, RecursionError: it cannot be written as JSON.
        """
        said: dict[str, Any] = {"target": self._target}
        mark = None if key is None else mark_of(key)
        if direct:
            said["direct"] = True
        if mark is not None:
            said["key_mark"] = mark
        if self._labels:
            said["labels"] = self._labels
        if len(self.known) >= _MOST_KEYS:
            self.known.clear()
        alike = self.known[key, direct] = "".join(pieces_of(said, 0))[:-1] + ',"call_id":"'
        return alike


def asked_by(body: bytes | None) -> Asks:
    """What a request may bring about, whatever its body; never raises.

    Args:
        body: as `start_of` takes it.
    """
    try:
        return (None if body is None else asked_plainly(body)) or _told(start_of(body))
    except Exception as error:  # noqa: BLE001 - the request leaves all the same, so it is logged
        warn_once("asking", f"{type(error).__name__} while reading a request; it may do anything")
        return _told(Start(unreadable(body or b""), at_once=False, spreads=True))


def _told(start: Start) -> Asks:
    data = start.data
    text = '",' + "".join(pieces_of(data, 0))[1:]
    return Asks(text, bool(data["slots"]), data["background"], start.at_once, start.spreads)


def asked_plainly(body: bytes) -> Asks | None:
    """What `start_of` says of a request like most; None of one that it must be asked about.

    It says the same and goes through less code: a call finds little of it in the processor's
    caches, since its application has been there in between.
    """
    try:
        whole = body.decode()
        if may_name_in(whole):
            return None
        request, end = scan(whole, 0)
        if (
            end != len(whole)
            or type(request) is not dict
            or not _UNUSUAL.isdisjoint(request)
            or request.get("service_tier") not in AT_ONCE
        ):
            return None
        items = request.get("input")
        if type(items) is list and _tell_more(items):
            return None
        # An application asks for much the same each time.
        tools, model, asks = _last
        if request.get("tools") != tools or request.get("model") != model:
            asks = _asked(request)
    # The last is for the type of an item that is no text.
    except (ValueError, StopIteration, RecursionError, TypeError):
        return None
    if asks is not None and not _FURTHER.isdisjoint(request):
        return _further(request, asks)
    return asks


def _further(request: dict[str, Any], asks: Asks) -> Asks:
    """What it asks for beside its tools and model."""
    previous, background = request.get("previous_response_id"), request.get("background") is True
    text = asks.text
    if background:
        text = text.replace('"background":false', '"background":true', 1)
    if type(previous) is str and 0 < len(previous) <= LONGEST_ID and previous.isprintable():
        text = f'{text[:-1]},"previous_response_id":{quoted(previous)}}}'
    return Asks(text, asks.makes, background)


def _tell_more(items: list[Any]) -> bool:
    """True where items bring tools along, or stand for what is not shown."""
    return any(type(each) is dict and ("tools" in each or _tells(each)) for each in items)


def _tells(item: dict[str, Any]) -> bool:
    kind = item.get("type")
    return "role" not in item if kind is None else kind in _TELLING


def _asked(request: dict[str, Any]) -> Asks | None:
    """What its tools and model say; None where it must be read the long way."""
    global _last  # noqa: PLW0603 - replaced as one, so that any thread may
    tools, model = request.get("tools"), request.get("model")
    slots = _slots([] if tools is None else tools)
    if slots is None:
        return None
    text = f'","background":false,"slots":[{slots}]'
    if type(model) is str and 0 < len(model) <= LONGEST_NAME and model.isprintable():
        text += f',"model":{quoted(model)}'
    asks = Asks(text + "}", bool(slots), background=False)
    _last = tools, model, asks
    return asks


# No request has such tools.
_last: tuple[Any, Any, Asks | None] = ..., None, None


def _slots(tools: Any) -> str | None:
    """The slots of well-known tools; None where there are others."""
    if type(tools) is not list or len(tools) > _FEW:
        return None
    found = []
    for tool in tools:
        kind = tool.get("type") if type(tool) is dict else None
        if type(kind) is not str:
            return None
        if kind in _PLAIN:
            continue
        container = tool.get("container") if kind == "code_interpreter" else None
        if type(container) is not dict or container.get("type") != "auto":
            return None
        size = container.get("memory_limit")
        if not (size is None or type(size) is str) or size not in _AUTO:
            return None
        found.append(_AUTO[size])
    return ",".join(found)
