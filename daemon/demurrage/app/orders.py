"""What signals ask of the daemon: to end, or to read its settings again."""

import asyncio
import signal
from collections.abc import Callable

import structlog

from demurrage.app import ending
from demurrage.app.ending import end_within
from demurrage.app.notify import Manager
from demurrage.app.settings import Settings
from demurrage.model.error import SettingsError


class Orders:
    """SIGTERM and SIGINT end the daemon, SIGHUP has it read its settings again.

    Args:
        reread: reads the settings; raises SettingsError where they are wrong.
        manager: is told of what is done about it.
    """

    def __init__(self, reread: Callable[[], Settings], manager: Manager) -> None:
        self.stop = asyncio.Event()
        self._again = asyncio.Event()
        self._reread = reread
        self._manager = manager
        self._log = structlog.get_logger("demurrage")

    def listen(self) -> None:
        """Take signals from now on; to be called in the event loop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.end)
        loop.add_signal_handler(signal.SIGHUP, self._again.set)

    def end(self) -> None:
        """Have the daemon end; what hangs then is cut off after a while."""
        if not self.stop.is_set():
            self.stop.set()
            end_within(ending.PATIENCE)

    async def wait(self, settings: Settings) -> Settings | None:
        """Wait for an order that changes something.

        Args:
            settings: those that hold now.

        Returns:
            The settings to go on with; None to end. Wrong ones are refused with the reason, and
            so are those that only a restart can put into effect; then the old ones go on.
        """
        while not self.stop.is_set():
            await self._either()
            if self.stop.is_set() or not self._again.is_set():
                continue
            self._again.clear()
            self._manager.reloading()
            fresh = await self._read(settings)
            if fresh is not None:
                self._log.info("reload", mode=fresh.mode, targets=sorted(fresh.targets))
                return fresh
            self._manager.ready()
        return None

    async def _either(self) -> None:
        waits = [asyncio.ensure_future(each.wait()) for each in (self.stop, self._again)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _read(self, settings: Settings) -> Settings | None:
        try:
            fresh = await asyncio.to_thread(self._reread)
            _same_store(settings, fresh)
        except SettingsError as error:
            self.refuse(error)
            return None
        if fresh == settings:
            self._log.info("reload_unchanged")
            return None
        return fresh

    def refuse(self, error: SettingsError) -> None:
        """Say that settings cannot be used, and that the old ones stay."""
        self._log.error("reload_refused", reason=str(error))
        self._manager.status(f"the changed settings were refused: {error}")


def _same_store(old: Settings, new: Settings) -> None:
    """The lock of a store is taken once, at the start."""
    if old.store_url != new.store_url:
        raise SettingsError("database_url: another store takes a restart")
