"""What only a log on a server meets."""

import builtins
import sys
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import sql
from sqlalchemy import make_url
from tests.postgres import Server

from demurrage.eventlog.log import EventLog
from demurrage.model.error import LogUnreadableError, StoreUnusableError

Make = Callable[..., dict[str, Any]]
SECRET = "tell-nobody-0815"


@pytest.fixture
def url(database: str) -> str:
    """Only on a server."""
    return database


@pytest.mark.usefixtures("url")
def test_a_server_that_was_away_is_used_again(postgres: Server, log: EventLog, event: Make) -> None:
    """Every use fails by its name meanwhile, and heals by itself."""
    log.append([event(id="1")], appended_at=0.0)
    postgres.stop()
    try:
        with pytest.raises(LogUnreadableError):
            log.read(0, 10)
        with pytest.raises(LogUnreadableError):
            log.append([event(id="2")], appended_at=0.0)
    finally:
        postgres.start()
    assert log.append([event(id="2")], appended_at=0.0).accepted == 1
    assert len(log.read(0, 10).records) == 2


def test_a_full_disk_refuses_an_append_by_name_and_whole(log: EventLog, event: Make) -> None:
    """What did not fit is not there in part, and no content is quoted."""
    with log._engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER full_disk BEFORE INSERT ON event_log_mention"
            " EXECUTE FUNCTION full_disk()"
        )
    with pytest.raises(LogUnreadableError) as caught:
        log.append([event(data={"call_id": "call_secret"})], appended_at=0.0)
    assert "call_secret" not in str(caught.value)
    assert log.read(0, 10).records == ()
    assert log.head().position == 0


def test_an_application_needs_no_right_to_create(
    postgres: Server, log: EventLog, url: str, event: Make
) -> None:
    """Who may read and write the log's tables, and no more, appends to it."""
    del log
    name = str(make_url(url).database)
    with postgres.connect(name) as connection:
        role = sql.Identifier(f"{name}_app")
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        for grant in (
            "GRANT SELECT, INSERT ON event_log, event_log_mention TO {}",
            "GRANT SELECT, UPDATE ON event_log_head TO {}",
        ):
            connection.execute(sql.SQL(grant).format(role))
    application = EventLog.open(
        make_url(url).set(username=f"{name}_app").render_as_string(hide_password=False),
        clock=lambda: 0.0,
    )
    assert application.append([event()], appended_at=0.0).accepted == 1
    application.close()


def test_a_plain_address_and_strange_defaults_will_do(
    postgres: Server, url: str, event: Make
) -> None:
    """`postgresql://` means the driver that the extra brings; isolation is what it has to be."""
    with postgres.connect() as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = 'serializable'").format(
                sql.Identifier(str(make_url(url).database))
            )
        )
    plain = url.replace("postgresql+psycopg", "postgresql")
    logs = [EventLog.open(plain, clock=lambda: 0.0) for _ in range(2)]
    with logs[0]._engine.begin() as connection:
        shown = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
    assert shown == "read committed"
    for number, log in enumerate(logs):
        log.append([event(id=str(number))], appended_at=0.0)
    assert len(logs[0].read(0, 10).records) == 2
    for log in logs:
        log.close()


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
    with pytest.raises(StoreUnusableError, match=r"\.\[postgres\]"):
        EventLog.open("postgresql+psycopg://u@h/db", clock=lambda: 0.0)


@pytest.mark.parametrize("port", ["1", "one"])
def test_a_password_is_in_no_refusal(port: str) -> None:
    """Neither where the server is away nor where the URL is none."""
    with pytest.raises(StoreUnusableError) as caught:
        EventLog.open(f"postgresql+psycopg://u:{SECRET}@127.0.0.1:{port}/db", clock=lambda: 0.0)
    assert SECRET not in str(caught.value)
