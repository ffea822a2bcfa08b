"""Two daemons on one database never both act, whoever sleeps or loses its connection."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from sqlalchemy import make_url
from tests.integration.engine.conftest import AT_ONCE, DELETED, Bench
from tests.postgres import Server

from demurrage.engine.ports import ContainersApi
from demurrage.model.condition import ConditionKind
from demurrage.model.error import AlreadyRunningError
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.store import StoreLock

LEAKED = 6


class Fateful:
    """An API at whose first delete the daemon loses its connections.

    Args:
        inner: the real one.
        postgres: the server.
        url: of the database.
        then: what happens before the daemon can look around.
    """

    def __init__(
        self,
        inner: ContainersApi,
        postgres: Server,
        url: str,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        self._inner = inner
        self._then = then
        self._postgres = postgres
        self._database = make_url(url).database
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        """Everything else is the API's own."""
        return getattr(self._inner, name)

    async def read(self, regions: Sequence[Region]) -> Listing:
        """List."""
        return await self._inner.read(regions)

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """Delete; every session of this daemon ends when the first is just about to leave."""
        if hindrance() is not None:
            return await self._inner.delete(container_id, hindrance)
        self.asked.append(container_id)
        if len(self.asked) == 1:
            with self._postgres.connect() as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
                    " WHERE datname = %s",
                    (self._database,),
                )
            self._then()
        return await self._inner.delete(container_id, lambda: None)


@pytest.fixture
def bench(bench: Bench, database: str) -> Bench:
    """The bench on one database of a server; orphans go as soon as they are proven."""
    bench.server = database
    bench.rules = AT_ONCE
    return bench


async def test_a_second_daemon_is_refused(bench: Bench, database: str) -> None:
    """While the first lives, nobody else gets the store."""
    with StoreLock(database) as lock:
        async with bench.engine(lock=lock) as running:
            await running.turn()
            with pytest.raises(AlreadyRunningError):
                StoreLock(database).acquire()


async def test_a_daemon_cut_off_in_its_sweep_deletes_nothing_more(
    bench: Bench, postgres: Server, database: str
) -> None:
    """What it had begun is found uncertain by the next, which alone goes on; nothing does harm."""
    fateful: list[Fateful] = []
    second_lock = StoreLock(database)

    def cut_off(api: ContainersApi) -> ContainersApi:
        fateful.append(Fateful(api, postgres, database, second_lock.acquire))
        return fateful[-1]

    bench.api = cut_off
    async with AsyncExitStack() as stack:
        stack.callback(second_lock.release)
        first_lock = stack.enter_context(StoreLock(database))
        first = await stack.enter_async_context(bench.engine(lock=first_lock))
        app = await stack.enter_async_context(first.application())
        await first.turn()
        conversation = await app.converse()
        await app.leak(LEAKED)
        await first.turn_until(lambda: bool(fateful[0].asked))
        assert bench.called()[DELETED] == 1

        bench.api = lambda api: api
        second = await stack.enter_async_context(bench.engine(lock=second_lock))
        audit = second.store.deletions("default")
        await second.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
        for _ in range(3):
            assert await first.engine.turn("default") is None
        assert first_lock.ousted
        assert len(fateful[0].asked) == 1
        assert ConditionKind.STORE_FAILED in first.open_kinds()
        assert second.store.unfinished("default") == ()
        assert {each.id for each in audit} <= {e.id for e in second.store.deletions("default")}
        await app.ask(use_tool=True, conversation=conversation)
    assert (bench.totals()["harm"], bench.totals()["orphans_deleted"]) == (0, LEAKED)


async def test_a_daemon_cut_off_alone_goes_on(
    bench: Bench, postgres: Server, database: str
) -> None:
    """Where nobody took over, it takes its lock again and sweeps the rest."""
    bench.api = lambda api: Fateful(api, postgres, database)
    with StoreLock(database) as lock:
        async with bench.engine(lock=lock) as running, running.application() as app:
            await running.turn()
            await app.leak(LEAKED)
            await running.turn_until(lambda: bench.totals()["deleted"] == LEAKED)
            assert not lock.ousted
            assert not running.store.restored
    assert bench.totals()["harm"] == 0
