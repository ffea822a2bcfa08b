"""Whether a request has certainly reached the other end, seen from another thread.

An HTTP library shows no connection before the answer is there, so its pool is looked into. All
is read and nothing is changed.
"""

import struct
import sys
from ipaddress import ip_address
from typing import Any

if sys.platform == "linux":
    import fcntl
    import socket
    import termios

_LIBRARIES = frozenset({"httpcore", "httpcore2"})
# What leads to the other end itself. Not: a proxy's connection, one that carries several requests
# at once, TLS within TLS, whatever an application has put in their place.
_STRAIGHT = frozenset({"HTTPConnection", "AsyncHTTPConnection"})
_ONE_BY_ONE = frozenset({"HTTP11Connection", "AsyncHTTP11Connection"})
_STREAMS = frozenset({"SyncStream", "AnyIOStream", "TrioStream"})
_ESTABLISHED = 1  # TCP_ESTABLISHED


def has_arrived(stream: Any, pool: Any, *, anywhere: bool) -> bool:
    """Whether every byte of a request was handed over, and acknowledged by the other end's TCP.

    That the connection was the request's own all along is seen before and after the socket is
    asked: it has begun no other request in between, and no other is at it.

    Args:
        stream: the request's body, by which it is known.
        pool: the connections that it leaves by.
        anywhere: whatever the other end's address; else it must be one of the public network.
            At any other, something of this machine's or site's own may take a request for the API
            and hold it back.

    Raises:
        Exception: whatever says that it cannot be known: the request is not under way any more,
            or on no plain connection, or the library is built otherwise.
    """
    (mine,) = (each for each in list(pool._requests) if each.request.stream is stream)  # noqa: SLF001 - none of this has a public way in
    connection = mine.connection
    inner = None if connection is None else _plain(connection, mine.request.headers)
    if inner is None:
        return False
    begun = inner._request_count  # noqa: SLF001 - likewise
    at_it = [each for each in list(pool._requests) if each.connection is connection]  # noqa: SLF001 - likewise
    alone = len(at_it) == 1 and at_it[0] is mine
    stream_below = inner._network_stream  # noqa: SLF001 - likewise
    arrived = alone and _handed_over(inner) and _acknowledged(stream_below, anywhere=anywhere)
    same = inner._request_count == begun and mine.connection is connection  # noqa: SLF001 - likewise
    return arrived and same and _handed_over(inner)


def _plain(connection: Any, headers: list[tuple[bytes, bytes]]) -> Any:
    """The connection's inner part; None while it is being opened.

    A body of known length ends with its last byte; one in chunks with a mark that may be held.
    """
    names = {name.lower() for name, _ in headers}
    inner = connection._connection  # noqa: SLF001 - there is no public way
    if (
        not _is(connection, _STRAIGHT)
        or not (inner is None or _is(inner, _ONE_BY_ONE))
        or b"content-length" not in names
        or b"transfer-encoding" in names
    ):
        raise LookupError("no plain connection")
    return inner


def _is(found: Any, names: frozenset[str]) -> bool:
    """True for an object of the library's own class, no other's and none derived from it."""
    kind = type(found)
    return kind.__name__ in names and kind.__module__.partition(".")[0] in _LIBRARIES


def _handed_over(inner: Any) -> bool:
    """True where the connection has a request, and has written all of it.

    The end of a body of known length is noted after the last write has returned. That returns
    once the kernel has it all, TLS or not: a record is written whole or the write goes on, and
    the event loop's streams wait until their buffer is empty.
    """
    state = str(inner._h11_state.our_state)  # noqa: SLF001 - there is no public way
    return bool(inner._state.name == "ACTIVE" and state == "DONE")  # noqa: SLF001 - likewise


def _acknowledged(stream: Any, *, anywhere: bool) -> bool:
    """True where the kernel holds nothing of the stream that the other end has not got."""
    if sys.platform != "linux" or not _is(stream, _STREAMS):
        raise LookupError("no plain stream")
    sock = stream.get_extra_info("socket")
    number = sock.fileno()
    if number < 0 or sock.family not in (socket.AF_INET, socket.AF_INET6):
        raise LookupError("no open connection by TCP")
    if not (anywhere or _is_public(sock.getpeername()[0])):
        raise LookupError("not at an address of the API's")
    left = fcntl.ioctl(number, termios.TIOCOUTQ, bytes(4))  # the same number as SIOCOUTQ
    state = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[0]
    # A socket that was closed has no number any more: then another's may have answered.
    same = sock.fileno() == number
    return bool(struct.unpack("i", left)[0] == 0 and state == _ESTABLISHED and same)


def _is_public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_global
