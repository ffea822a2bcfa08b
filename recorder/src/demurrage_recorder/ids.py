"""The one place that knows where container ids show: in requests, answers and events alike.

As the daemon reads them, too: under a name that speaks of containers, as a text of its own, in a
list, or as the `id` of an object.

Ids that a proxy has rewritten pass as they are; the daemon turns them back.
"""

import re
from typing import Any

_WORD = "container"
_PREFIX = "cntr_"
_MARK = _PREFIX.encode()
# A letter of the prefix as JSON may write it too, though hardly anybody does.
_ESCAPE = re.compile(rb"\\u00(?:63|6[eE]|74|72|5[fF])")
_ESCAPE_IN_TEXT = re.compile(_ESCAPE.pattern.decode())
# What the event log takes; no container has a longer id, not even one wrapped twice.
LONGEST_ID = 1024
# One at the very end may be the beginning of another.
_ANYWHERE = re.compile(rb"cntr_[A-Za-z0-9_=-]{1,1019}(?=[^A-Za-z0-9_=-])")


def container_ids(value: Any) -> set[str]:
    """Every container id under a name that speaks of containers, at any depth of parsed JSON."""
    found: set[str] = set()
    left: list[tuple[str, Any]] = [("", value)]
    # Some are walked while an application waits: hence types, and no tests that make more.
    while left:
        name, inner = left.pop()
        if type(inner) is dict:
            whose = name if _WORD in name else "id"
            named = [(whose if key == "id" else key, each) for key, each in inner.items()]
        else:
            named = [(name, each) for each in inner] if type(inner) is list else [(name, inner)]
        for key, each in named:
            kind = type(each)
            if kind is dict or kind is list:
                left.append((key, each))
            elif kind is str and each.startswith(_PREFIX) and _WORD in key:
                found.add(each)
    return {each for each in found if is_word(each, LONGEST_ID)}


def scanned_ids(text: bytes) -> set[str]:
    """Every whole container id anywhere in bytes that cannot be parsed.

    Prose may yield too many, which only keeps more.
    """
    return {each.decode("ascii") for each in _ANYWHERE.findall(text)}


def may_name(text: bytes) -> bool:
    """False when there can be no container id in the JSON text.

    Zero bytes stand in no JSON but in encodings of more than a byte a letter.
    """
    # Not `in`, which first tries to take what it looks for as a number.
    if text.find(_MARK) >= 0 or text.find(b"\0") >= 0:
        return True
    return text.find(b"\\u00") >= 0 and _ESCAPE.search(text) is not None


def may_name_in(text: str) -> bool:
    """What `may_name` says of the same text as it is encoded."""
    if _PREFIX in text or "\0" in text:
        return True
    return "\\u00" in text and _ESCAPE_IN_TEXT.search(text) is not None


def is_word(value: Any, longest: int) -> bool:
    """True for a text of one line that the event log takes as an id or a name."""
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
