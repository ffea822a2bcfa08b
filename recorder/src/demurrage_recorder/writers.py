"""The writers of one process: one for each daemon, and what a fork and the exit do to them."""

import atexit
import os
import threading
from functools import partial
from pathlib import Path

from demurrage_recorder.carrier import (
    DEFAULT_URL,
    TOKEN_VARIABLE,
    URL_VARIABLE,
    carrier_for,
    label_of,
    may_end,
    shared_folder,
)
from demurrage_recorder.folder import private_folder
from demurrage_recorder.journal import SPOOL_BYTES
from demurrage_recorder.writer import WRITERS, Writer

_known: dict[tuple[str, str | None], Writer] = {}
_knowing = threading.RLock()
_locked: list[Writer] = []


def writer_for(
    url: str | None = None,
    *,
    token: str | None = None,
    folder: str | None = None,
    spool: int = SPOOL_BYTES,
) -> Writer:
    """The writer of this process for a daemon; the same one whenever the same is asked for.

    Args:
        url: where the daemon takes events: `http://host:port`, `http+unix:///path/to.sock`,
            `file:///shared/folder`, `sqlite:///path` or `postgresql+psycopg://…`. None means
            `DEMURRAGE_RECORDER_URL`, else the daemon's default address on this machine.
        token: the bearer token for events; None means `DEMURRAGE_RECORDER_TOKEN`.
        folder: where the journal lies; None means `DEMURRAGE_RECORDER_DIR`, else a folder of
            the user's. A `file:` URL names it itself.
        spool: how many undelivered bytes of this process are kept before events are dropped.

    Raises:
        ValueError: there is no way to such a URL.
        ImportError: the URL names a database, and `demurrage` is not installed here.
    """
    url = url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    token = token or os.environ.get(TOKEN_VARIABLE) or None
    with _knowing:
        writer = _known.get((url, folder))
        if writer is None:
            writer = _known[url, folder] = _writer(url, token, folder, spool)
    return writer


def _writer(url: str, token: str | None, folder: str | None, spool: int) -> Writer:
    shared = shared_folder(url)
    if shared is not None:
        return Writer(Path(shared), None, label=label_of(url), spool=spool)
    connect = partial(carrier_for, url, token)
    connect().close()
    return Writer(
        private_folder(folder),
        connect,
        label=label_of(url),
        spool=spool,
        may_end=may_end(url, token),
    )


def _close_all() -> None:
    for writer in list(WRITERS):
        writer.close()


def _before_fork() -> None:
    # No other thread may be halfway through a line, or through opening a file, in the child.
    _knowing.acquire()
    _locked[:] = WRITERS
    for writer in _locked:
        writer.lock.acquire()


def _after_in_parent() -> None:
    for writer in _locked:
        writer.lock.release()
    _locked.clear()
    _knowing.release()


def _after_in_child() -> None:
    for writer in _locked:
        writer.begin_anew()
    _locked.clear()
    _knowing.release()


atexit.register(_close_all)
os.register_at_fork(
    before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
