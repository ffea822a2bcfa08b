"""JSON texts, read and written while an application waits."""

import json
from collections.abc import Callable, Iterable
from json import encoder
from typing import Any

_read = json.JSONDecoder().raw_decode


def parsed(text: bytes) -> Any:
    """What a JSON text says: `json.loads`, without its search for the encoding.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    try:
        stripped = text.decode().strip(" \t\r\n")
        value, end = _read(stripped)
    except ValueError:
        return json.loads(text)  # another encoding, if anything
    if end != len(stripped):
        raise ValueError("more than one JSON text")
    return value


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
