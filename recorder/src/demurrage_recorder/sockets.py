"""What leaves HTTP: the SDK's WebSocket connections, which the recorder cannot look into.

Using one through an instrumented client is logged as a request that may make anything and whose
end is never seen: the daemon then keeps what it may have made, and a warning says so.
"""

from functools import partial, wraps
from types import ModuleType
from typing import Any

from demurrage_recorder.imports import on_import
from demurrage_recorder.watch import Watch

_MODULES = {
    "openai.resources.responses.responses": "a WebSocket of responses",
    "openai.resources.beta.responses.responses": "a WebSocket of responses",
    "openai.resources.realtime.realtime": "a realtime session",
    "openai.resources.beta.realtime.realtime": "a realtime session",
    "openai.resources.live.live": "a live session",
    "openai.resources.live.sideband": "a live session",
    "openai.resources.live.forks": "a live session",
}
_watched: set[str] = set()


def watch_sockets() -> None:
    """See to it that connecting through an instrumented client is logged, once for a process."""
    for name, what in _MODULES.items():
        if name not in _watched:
            _watched.add(name)
            on_import(name, partial(_watch, what))


def _watch(what: str, module: ModuleType) -> None:
    for made in vars(module).values():
        if isinstance(made, type) and made.__module__ == module.__name__:
            connect = vars(made).get("connect")
            if connect is not None:
                setattr(made, "connect", _watching(connect, what))  # noqa: B010 - of any class


def _watching(connect: Any, what: str) -> Any:
    @wraps(connect)
    def watching(self: Any, *args: Any, **kwargs: Any) -> Any:
        http = getattr(getattr(self, "_client", None), "_client", None)
        watch = getattr(getattr(http, "_transport", None), "watch", None)
        if isinstance(watch, Watch):
            watch.unwatched(what)
        return connect(self, *args, **kwargs)

    return watching
