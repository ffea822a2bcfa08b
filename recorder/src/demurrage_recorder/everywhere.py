"""Instruments every HTTP client that an application makes, whichever library it imports."""

from functools import wraps
from types import ModuleType
from typing import Any

from demurrage_recorder.clients import instrument_unasked
from demurrage_recorder.imports import on_import
from demurrage_recorder.transports import LIBRARIES
from demurrage_recorder.warn import warn_once

_MARK = "_demurrage_recorder"


def instrument_everything() -> None:
    """Have each `Client` and `AsyncClient` of httpx and httpx2 instrumented as it is made.

    All SDK clients, and those of frameworks, are built on one. Only requests for responses and
    containers are logged. The environment says where to and for which target.
    """
    for library in LIBRARIES:
        on_import(library, _watch_clients)


def _watch_clients(module: ModuleType) -> None:
    for name in ("Client", "AsyncClient"):
        made = getattr(module, name)
        if not hasattr(made.__init__, _MARK):
            made.__init__ = _watching(made.__init__)


def _watching(begin: Any) -> Any:
    @wraps(begin)
    def watching(self: Any, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        try:
            instrument_unasked(self)
        except Exception as error:  # noqa: BLE001 - the application is never disturbed
            warn_once("everywhere", f"not watching: {error}")

    setattr(watching, _MARK, True)
    return watching
