"""How lines get from a journal to the daemon's event log, chosen by a URL."""

from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

DEFAULT_URL = "http://127.0.0.1:9470"
URL_VARIABLE = "DEMURRAGE_RECORDER_URL"
TOKEN_VARIABLE = "DEMURRAGE_RECORDER_TOKEN"  # noqa: S105 - the variable's name, no token

_HTTP = frozenset({"http", "https", "http+unix"})


class NotNowError(Exception):
    """The lines were not taken, and are to be offered again later.

    Args:
        reason: why, in words fit for a person.
        lasting: True where a person must do something before they can be taken.
    """

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class RefusedError(Exception):
    """At least one of the lines will never be taken; none of them was."""


Hear = Callable[[float, float, float], None]
"""Takes the time at the API, when it was asked, and when it came, in epoch seconds."""


class Carrier(Protocol):
    """A way to the event log.

    `hear` is told the time at the API, where the log's keeper tells it.
    """

    hear: Hear

    def carry(self, lines: Sequence[bytes]) -> None:
        """Have all lines stored durably, or none; a line that was stored before is no matter.

        Raises:
            NotNowError: offer them again later.
            RefusedError: at least one will never be taken.
        """

    def close(self) -> None:
        """Give up its connection; `carry` makes a new one."""


def unheard(told: float, asked: float, now: float) -> None:
    """Nobody asks for the time."""


def label_of(url: str) -> str:
    """The URL without what could be a secret, to tell journals of different daemons apart."""
    split = urlsplit(url)
    place = split.netloc.rpartition("@")[2]
    return urlunsplit((split.scheme, place, split.path.rstrip("/"), "", ""))


def shared_folder(url: str) -> str | None:
    """The folder that a `file:` URL names, None for any other URL.

    Raises:
        ValueError: the URL names no absolute path.
    """
    split = urlsplit(url)
    if split.scheme != "file":
        return None
    if split.netloc not in {"", "localhost"} or not split.path.startswith("/"):
        raise ValueError(f"{label_of(url)}: write file:///absolute/folder")
    return unquote(split.path)


def may_end(url: str, token: str | None) -> bool:
    """True where the daemon takes it from us that a container or a conversation is done with.

    Over a network address it asks for the token: any other process could say the same. A unix
    socket, a folder and a database have permissions of their own.
    """
    return token is not None or urlsplit(url).scheme not in {"http", "https"}


def carrier_for(url: str, token: str | None) -> Carrier:
    """The carrier for a URL.

    Args:
        url: of the daemon (`http://host:port`, `https://…`, `http+unix:///path/to.sock`) or of
            its log's database (`sqlite:///…`, `postgresql+psycopg://…`).
        token: the bearer token for events, if the daemon wants one.

    Raises:
        ValueError: there is no way to such a URL.
        ImportError: a database is named and `demurrage` is not installed here.
    """
    scheme = urlsplit(url).scheme
    # Each is imported only where it is used: applications pay for what they need.
    if scheme in _HTTP:
        from demurrage_recorder.over_http import OverHttp  # noqa: PLC0415

        return OverHttp(url, token)
    if scheme == "file":
        raise ValueError("the daemon reads that folder itself; there is nothing to deliver")
    if scheme.partition("+")[0] in {"sqlite", "postgresql"}:
        from demurrage_recorder.over_sql import OverSql  # noqa: PLC0415

        return OverSql(url)
    raise ValueError(
        f"{label_of(url) or 'the empty URL'}: write http://host:port, http+unix:///path/to.sock, "
        "file:///shared/folder, sqlite:///path or postgresql+psycopg://host/database"
    )
