"""What only a store on a server meets: sessions that end, servers that go, copies, refusals."""

import builtins
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import make_url
from tests.postgres import Server
from tests.unit.store.build import NOW, intent, ruling

from demurrage.model.error import (
    AlreadyRunningError,
    LockLostError,
    StoreAwayError,
    StoreFailedError,
    StoreUnusableError,
)
from demurrage.store import StoreLock, open_store, server
from demurrage.store.stamp import StampFile

SECRET = "tell-nobody-0815"


def end_sessions(postgres: Server, url: str, *, named: str = "%") -> int:
    """End the sessions in a database, and wait until they have ended; returns how many."""
    with postgres.connect() as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE datname = %s AND application_name LIKE %s",
            (make_url(url).database, named),
        ).fetchall()
    assert all(ended for (ended,) in rows)
    return len(rows)


def alter(postgres: Server, url: str, setting: str, value: str) -> None:
    """Change a database's default for sessions to come."""
    with postgres.connect() as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(str(make_url(url).database)), sql.Identifier(setting), value
            )
        )


def test_a_lock_whose_session_ended_is_taken_again(postgres: Server, database: str) -> None:
    """It is lost at once, and where nobody came in between the daemon goes on."""
    with StoreLock(database) as lock, open_store(database, lock=lock) as store:
        assert store.held
        assert end_sessions(postgres, database, named="demurrage %") == 1
        assert not store.held
        store.touch(NOW)
        assert store.held
        assert not store.restored


def test_who_comes_back_finds_another_and_ends(postgres: Server, database: str) -> None:
    """A daemon that was away while another took over neither writes nor takes back."""
    with StoreLock(database) as lock, open_store(database, lock=lock) as first:
        number = first.record_verdicts("t", [ruling("a")])["a"]
        end_sessions(postgres, database)
        with StoreLock(database) as other, open_store(database, lock=other) as second:
            assert not first.held
            with pytest.raises(LockLostError):
                first.intend("t", [intent(number, "a")], NOW)
            assert lock.ousted
            assert second.held
            assert second.deletions("t") == ()
        with pytest.raises(LockLostError):
            first.intend("t", [intent(number, "a")], NOW)
        assert not first.held


def test_who_comes_back_after_another_has_gone_ends_too(postgres: Server, database: str) -> None:
    """The lock is free again, but the epoch has moved on."""
    with StoreLock(database) as lock, open_store(database, lock=lock) as first:
        end_sessions(postgres, database)
        with StoreLock(database) as other, open_store(database, lock=other):
            pass
        with pytest.raises(LockLostError):
            first.touch(NOW)
        assert lock.ousted
        assert not first.held


def test_two_schemas_are_two_stores(postgres: Server, database: str) -> None:
    """Each has a lock and tables of its own."""
    urls = [f"{database}&options=-csearch_path%3D{name}" for name in ("one", "two")]
    with postgres.connect(str(make_url(database).database)) as connection:
        connection.execute("CREATE SCHEMA one")
        connection.execute("CREATE SCHEMA two")
    with StoreLock(urls[0]), StoreLock(urls[1]):
        with pytest.raises(AlreadyRunningError):
            StoreLock(urls[0]).acquire()
        with open_store(urls[0]) as one, open_store(urls[1]) as two:
            assert one.store_id != two.store_id


def test_a_server_that_was_away_is_used_again(postgres: Server, database: str) -> None:
    """Every use fails by its name meanwhile, and heals by itself."""
    with StoreLock(database) as lock, open_store(database, lock=lock) as store:
        store.touch(NOW)
        postgres.stop()
        try:
            assert not store.held
            for use in (lambda: store.touch(NOW), lambda: store.holds("t")):
                with pytest.raises(StoreFailedError) as caught:
                    use()
                assert not caught.value.disk_full
            with pytest.raises(StoreAwayError, match="database_url"):
                open_store(database)
        finally:
            postgres.start()
        store.touch(NOW + 1)
        assert store.holds("t") == ()
        assert store.held
        assert not store.restored


def test_a_session_that_ends_in_a_transaction_undoes_it(database: str) -> None:
    """Nothing half is kept, the failure has its name, and the next call goes through."""
    with open_store(database) as store:
        number = store.record_verdicts("t", [ruling("a")])["a"]

        def half() -> None:
            with store._database.write() as connection:
                connection.exec_driver_sql("DELETE FROM containers")
                connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

        with pytest.raises(StoreFailedError):
            half()
        assert store.current_verdicts("t").keys() == {"a"}
        assert store.intend("t", [intent(number, "a")], NOW)


def test_a_full_disk_is_told_apart(database: str) -> None:
    """The server's own code for it is known, and nothing half is kept."""
    with open_store(database) as store:
        with store._database.write() as connection:
            connection.exec_driver_sql(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER full_disk BEFORE INSERT ON verdicts EXECUTE FUNCTION full_disk()"
            )
        with pytest.raises(StoreFailedError) as caught:
            store.record_verdicts("t", [ruling("cntr_secret")])
        assert caught.value.disk_full
        assert "cntr_secret" not in str(caught.value)
        assert store.current_verdicts("t") == {}


def test_a_replica_is_no_place_for_a_daemon(postgres: Server, database: str) -> None:
    """What may only be read is refused by name, and can be looked into."""
    open_store(database).close()
    alter(postgres, database, "default_transaction_read_only", "on")
    for refused in (lambda: open_store(database), lambda: StoreLock(database).acquire()):
        with pytest.raises(StoreUnusableError, match=r"database_url.*read-only"):
            refused()
    with open_store(database, read_only=True) as reader:
        assert reader.holds("t") == ()


def test_a_server_that_is_too_old_is_refused(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal names its version and the oldest that will do."""
    monkeypatch.setattr(server, "OLDEST", 99)
    with pytest.raises(StoreUnusableError, match=r"database_url.*99 or newer"):
        open_store(database)


def test_the_server_s_defaults_do_not_weaken_the_store(postgres: Server, database: str) -> None:
    """Commits are durable, and isolation is what the code was written for."""
    alter(postgres, database, "synchronous_commit", "off")
    alter(postgres, database, "default_transaction_isolation", "serializable")
    with open_store(database) as store:
        with store._database.write() as connection:
            shown = [
                connection.exec_driver_sql(f"SHOW {name}").scalar_one()
                for name in ("synchronous_commit", "transaction_isolation")
            ]
        assert shown == ["on", "read committed"]
        with store._database.read() as connection:
            shown = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        assert shown == "repeatable read"


def test_a_writer_that_stands_still_does_not_hold_the_others_up_for_ever(database: str) -> None:
    """The server ends a transaction whose process says nothing."""
    with open_store(database) as store, store._database.write() as connection:
        limit = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar_one()
        assert limit == "1min"


def test_a_missing_driver_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg the refusal says what to install."""
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "psycopg":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **named)

    for name in [each for each in sys.modules if each.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    url = "postgresql+psycopg://u@h/db"
    for refused in (lambda: open_store(url), lambda: StoreLock(url).acquire()):
        with pytest.raises(StoreUnusableError, match=r"\.\[postgres\]"):
            refused()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/db",
        f"postgresql+psycopg://u@127.0.0.1:1/db?password={SECRET}",
        f"postgresql+psycopg://u:{SECRET}@127.0.0.1:one/db",
        f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1",
        f"postgresql+asyncpg://u:{SECRET}@127.0.0.1:1/db",
        f"postgres://u:{SECRET}@127.0.0.1:1/db",
    ],
)
@pytest.mark.parametrize("use", [open_store, lambda url: StoreLock(url).acquire()])
def test_a_password_is_in_no_refusal(url: str, use: Callable[[str], object]) -> None:
    """Neither in the message nor in what hangs on it."""
    with pytest.raises(StoreUnusableError, match="database_url") as caught:
        use(url)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert SECRET not in str(chain)
        chain = chain.__cause__


class Past:
    """A copy of a database, to be put in its place later."""

    def __init__(self, postgres: Server, url: str) -> None:
        self._postgres = postgres
        self._name = str(make_url(url).database)
        end_sessions(postgres, url)
        self._copy = postgres.copy(self._name)

    def put_back(self) -> None:
        """Replace the database by its copy."""
        self._postgres.drop(self._name)
        with self._postgres.connect() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(self._copy), sql.Identifier(self._name)
                )
            )


def test_an_older_copy_set_back_is_noticed_on_this_host(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    """The stamp in the state folder remembers what the copy does not know."""

    def opened() -> Any:
        return open_store(database, state=tmp_path)

    with opened() as store:
        store.touch(NOW)
    past = Past(postgres, database)
    with opened() as store:
        store.touch(NOW + 10)
        assert not store.restored
    past.put_back()
    for _ in range(2):
        with opened() as store:
            assert store.restored_since == NOW
    with opened() as store:
        assert store.acknowledge_restore(NOW + 30, "ann")
    with opened() as store:
        assert not store.restored
    (stamp,) = tmp_path.iterdir()
    assert StampFile(stamp).read() is not None


def test_a_copy_put_back_under_a_running_daemon_is_noticed(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    """It has to take its lock anew, and looks whose store that is."""
    with (
        StoreLock(database) as lock,
        open_store(database, lock=lock, state=tmp_path) as store,
    ):
        store.touch(NOW)
        past = Past(postgres, database)
        store.touch(NOW + 10)
        past.put_back()
        with pytest.raises(StoreFailedError, match="back in time"):
            store.touch(NOW + 20)
        assert store.restored_since == NOW
        store.touch(NOW + 30)


def test_rows_that_were_read_back_from_a_dump_are_noticed_anywhere(
    postgres: Server, database: str
) -> None:
    """A daemon on a host that remembers nothing knows the table for another."""
    with StoreLock(database) as lock, open_store(database, lock=lock) as store:
        store.touch(NOW)
    with StoreLock(database) as lock, open_store(database, lock=lock) as store:
        assert not store.restored
    with postgres.connect(str(make_url(database).database)) as connection:
        connection.execute("CREATE TABLE read_back (LIKE meta INCLUDING INDEXES)")
        connection.execute("INSERT INTO read_back SELECT * FROM meta")
        connection.execute("DROP TABLE meta")
        connection.execute("ALTER TABLE read_back RENAME TO meta")
    with StoreLock(database) as lock, open_store(database, lock=lock) as store:
        assert store.restored_since == NOW


@pytest.mark.parametrize("remembered", [False, True])
def test_a_new_timeline_is_trusted_only_by_who_remembers(
    postgres: Server, database: str, tmp_path: Path, *, remembered: bool
) -> None:
    """A replica that took over may lack the end; a stamp that is not ahead of it says no."""
    state = tmp_path if remembered else None
    with StoreLock(database) as lock, open_store(database, lock=lock, state=state) as store:
        store.touch(NOW)
    with postgres.connect(str(make_url(database).database)) as connection:
        connection.execute("UPDATE meta SET origin = regexp_replace(origin, '/1/', '/7/')")
    with StoreLock(database) as lock, open_store(database, lock=lock, state=state) as store:
        assert store.restored is not remembered


def test_a_host_that_can_keep_no_stamp_does_without(database: str, tmp_path: Path) -> None:
    """A read-only disk stops no daemon whose state is on a server."""
    (tmp_path / "file").touch()
    with open_store(database, state=tmp_path / "file") as store:
        store.touch(NOW)
        assert not store.restored
