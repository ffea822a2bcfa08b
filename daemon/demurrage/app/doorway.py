"""Every address that the settings open, and what is served there now."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from demurrage.app.doors import doors_of, ops_doors_of
from demurrage.app.listeners import Listener, bind, bind_unix
from demurrage.app.settings import Settings
from demurrage.web.doors import Doors

Make = Callable[[Doors], ASGIApp]


@dataclass(slots=True)
class _Face:
    """An application that another can take the place of while its address is served."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Doorway:
    """The listeners of one life of the daemon.

    Args:
        settings: say which addresses.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._listeners: Sequence[Listener] = ()
        self._faces: Sequence[tuple[_Face, Doors, bool]] = ()

    async def show(self, whole: Make, ops: Make) -> None:
        """Serve these from now on; the first time, take the addresses.

        Args:
            whole: makes the HTTP API.
            ops: makes what the second address shows.

        Raises:
            SettingsError: an address cannot be had; then none is taken.
        """
        if self._listeners:
            for face, doors, for_ops in self._faces:
                face.app = (ops if for_ops else whole)(doors)
            return
        self._take(whole, ops)
        for listener in self._listeners:
            await listener.start()

    def _take(self, whole: Make, ops: Make) -> None:
        http, doors = self._settings.http, doors_of(self._settings)
        with ExitStack() as taken:
            sockets = [(taken.enter_context(bind(http.address, "http.bind")), doors, False)]
            if http.socket:
                listening = taken.enter_context(bind_unix(Path(http.socket), "http.socket"))
                sockets.append((listening, replace(doors, private=True), False))
            if http.ops_address is not None:
                listening = taken.enter_context(bind(http.ops_address, "http.ops_bind"))
                sockets.append((listening, ops_doors_of(self._settings), True))
            self._faces = [
                (_Face((ops if for_ops else whole)(each)), each, for_ops)
                for _, each, for_ops in sockets
            ]
            self._listeners = [
                Listener(face, listening)
                for (listening, _, _), (face, _, _) in zip(sockets, self._faces, strict=True)
            ]
            # They are the listeners' from here on; where one could not be had, none stays taken.
            taken.pop_all()

    async def close(self) -> None:
        """Finish open requests and give the addresses back; without any, nothing happens."""
        listeners, self._listeners = self._listeners, ()
        for listener in listeners:
            await listener.stop()
