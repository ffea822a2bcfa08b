"""JSON texts, read and written while an application waits."""

import json
from collections.abc import Callable, Iterable
from json import encoder
from typing import Any

_decoder: Any = json.JSONDecoder()
scan: Callable[[str, int], tuple[Any, int]] = _decoder.scan_once
"""The JSON value that begins at a place, and where it ends; StopIteration where none does."""


def parsed(text: bytes) -> Any:
    """What a JSON text says: `json.loads`, without its search for the encoding.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    try:
        plain = text.decode()
        value, end = scan(plain, 0)
        if end == len(plain):
            return value
    except (ValueError, StopIteration):
        pass
    return json.loads(text)  # with space around it, in another encoding, or no JSON


def _encoding() -> Callable[[Any, int], Iterable[str]]:
    """Writes JSON without spaces, in pieces, and refuses what is none.

    `JSONEncoder.encode` makes its encoder in C anew for each text, which takes longer than a
    short text itself. One that is made once is used where the interpreter has it.
    """
    plain = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
    make: Any = getattr(encoder, "c_make_encoder", None)
    escape = encoder.encode_basestring_ascii
    try:
        encode: Callable[[Any, int], Iterable[str]] = make(
            None, plain.default, escape, None, ":", ",", False, False, False
        )
        "".join(encode({}, 0))
    except TypeError:
        return lambda value, _: (plain.encode(value),)
    return encode


pieces_of = _encoding()
"""The JSON of a value, indented by 0; ValueError, TypeError or RecursionError for what is none."""
