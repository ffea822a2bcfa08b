"""Taking a stream of events apart."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from demurrage_recorder.sse import EventSplitter, Told

from .conftest import CONTAINER


def split(chunks: list[bytes], longest: int = 1 << 20) -> list[Told]:
    """All events of a stream."""
    splitter = EventSplitter(longest)
    return [told for chunk in chunks for told in splitter.feed(chunk)] + splitter.end()


def test_fields_and_line_ends() -> None:
    """Names, several data lines, comments, other fields, and both kinds of line end."""
    text = b": hello\r\n\r\nid: 7\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: 3\n\nevent: b\n\n"
    assert split([text]) == [Told(b"a", b"1\n2"), Told(b"", b"3")]


def test_the_last_event_needs_no_blank_line() -> None:
    """What came whole is told, though the connection ended right after it."""
    assert split([b"event: a\ndata: 1"]) == [Told(b"a", b"1")]


@given(places=st.lists(st.integers(0, 400), max_size=30))
def test_cuts_change_nothing(places: list[int]) -> None:
    """Wherever the chunks end."""
    text = b"".join(b"event: e%d\r\ndata: {%d}\n\n" % (n, n) for n in range(20))
    marks = sorted({0, len(text), *(place % len(text) for place in places)})
    pieces = [text[a:b] for a, b in itertools.pairwise(marks)]
    assert split(pieces) == split([text])


@given(size=st.integers(1, 5000), place=st.integers(0, 60_000))
def test_a_line_too_long_to_keep_still_shows_its_ids(size: int, place: int) -> None:
    """Its name and every container id in it, however the chunks cut the id; then all is well."""
    prose = b"x" * 60_000
    data = prose[:place] + b' "' + CONTAINER.encode() + b'" ' + prose[place:]
    text = b"event: response.completed\ndata: " + data + b"\n\ndata: next\n\n"
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    long, after = split(chunks, longest=4000)
    assert (long.name, long.data) == (b"response.completed", None)
    assert CONTAINER in long.scanned
    assert after == Told(b"", b"next")


def test_memory_is_bounded() -> None:
    """A line without end is not kept."""
    splitter = EventSplitter(longest=4000)
    for _ in range(1000):
        assert splitter.feed(b"data" * 100) == []
        assert splitter._size < 4500
