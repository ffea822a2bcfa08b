"""JSON as the recorder reads and writes it, beside the standard library's own way."""

import json
from json import encoder
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage_recorder import texts

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def outcome(read: Any, text: bytes) -> Any:
    """What reading yields: a value's `repr`, or that there is none."""
    try:
        return repr(read(text))
    except ValueError:
        return ValueError


@given(
    value=values,
    indent=st.none() | st.integers(0, 2),
    coding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_reads_what_the_library_reads(value: Any, indent: int | None, coding: str) -> None:
    """A text in any encoding that JSON may have says the same, with space around it or without."""
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode(coding, "surrogatepass")
    assert outcome(texts.parsed, text) == outcome(json.loads, text) == repr(value)
    assert texts.parsed(b" \r\n\t" + json.dumps(value).encode() + b"\n") == value


@given(
    text=st.binary(max_size=20)
    | st.text(alphabet='{}[]",:1e-.truefalsn \x0b\u2003', max_size=20).map(str.encode)
)
def test_refuses_what_the_library_refuses(text: bytes) -> None:
    """Torn, doubled, or with something behind it: no JSON."""
    assert outcome(texts.parsed, text) == outcome(json.loads, text)


@given(value=values)
def test_writes_what_the_library_writes(value: Any) -> None:
    """The encoder that is made once writes the same."""
    written = "".join(texts.pieces_of(value, 0))
    assert written == json.dumps(value, separators=(",", ":"))


def test_writes_where_there_is_no_encoder_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without it writes the same, only slower."""
    value = {"call_id": "\u00e4", "containers": ["cntr_1"], "at": 1.5, "direct": True}
    monkeypatch.setattr(encoder, "c_make_encoder", None)
    plain = texts._encoding()
    assert "".join(plain(value, 0)) == "".join(texts.pieces_of(value, 0))


@pytest.mark.parametrize("value", [float("nan"), {"at": float("inf")}, {"at": object()}])
def test_refuses_to_write_what_is_no_json(value: Any) -> None:
    """Nothing is written that could not be read back."""
    with pytest.raises((ValueError, TypeError)):
        "".join(texts.pieces_of(value, 0))


def test_a_ring_is_no_json() -> None:
    """A value that holds itself ends in an error and not in a crash."""
    ring: list[Any] = []
    ring.append(ring)
    with pytest.raises((ValueError, RecursionError)):
        "".join(texts.pieces_of(ring, 0))
