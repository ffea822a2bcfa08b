import os
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import column, table
from tests.unit.store.build import NOW, ruling, sighting

from demurrage.model.condition import Condition, ConditionKind
from demurrage.model.error import StoreUnusableError
from demurrage.model.facts import BreakKind, CoverageBreak
from demurrage.model.history import HourTally
from demurrage.model.verdict import VerdictKind
from demurrage.store import SqlStore, open_store
from demurrage.store.database import connect
from demurrage.store.place import Place
from demurrage.store.schema import STEPS, VERSION_TABLE, known_revisions
from demurrage.store.tables import metadata

VERSION = table(VERSION_TABLE, column("version_num"))
LATE = Condition(ConditionKind.LATE_BIRTHS, "t", "Late.")
NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "HEAD"


def upgrade():
    op.add_column("containers", sa.Column("colour", sa.Text()))
    op.execute("UPDATE containers SET colour = 'blue'")
""".replace("HEAD", known_revisions()[-1])


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    """The migrations of a version to come, with one step more."""
    folder = tmp_path / "percent%20sign" / "migrations"
    shutil.copytree(STEPS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "v9999_colour.py").write_text(NEXT_STEP)
    return folder


def test_the_migrated_schema_is_the_one_in_use(url: str) -> None:
    """Migrations from empty arrive at the very tables that the code speaks of."""
    open_store(url).close()
    engine = connect(Place.parse(url), read_only=True)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_an_older_store_is_brought_up_to_date_with_its_content(url: str, steps: Path) -> None:
    """Opening applies the missing steps to what is there."""
    with open_store(url) as store:
        store.save_sightings("t", [sighting("x")])
    with open_store(url, steps=steps) as store:
        assert set(store.sightings("t", alive_or_born_after=0)) == {"x"}
        with store._database.read() as connection:
            colours = connection.exec_driver_sql("SELECT colour FROM containers").all()
    assert colours == [("blue",)]


def test_a_break_that_was_settled_at_its_own_moment_opens_again(url: str) -> None:
    """No word has had an effect on it: it was found in every cycle, and nobody could settle it."""
    with open_store(url) as store:
        store.add_breaks([CoverageBreak("t", BreakKind.SHARED_KEY, "k1", 99.0, "", 7)])
        store.confirm_coverage("t", 99.0, "ann")
        store.add_breaks([CoverageBreak("t", BreakKind.SHARED_KEY, "k2", 50.0, "", 8)])
        store.confirm_coverage("t", 60.0, "ann")
        with store._database.write() as connection:
            connection.exec_driver_sql("DROP TABLE claims")
            connection.exec_driver_sql("ALTER TABLE coverage_breaks DROP COLUMN position")
            connection.exec_driver_sql("ALTER TABLE containers DROP COLUMN tallied_logged")
            connection.exec_driver_sql("ALTER TABLE containers DROP COLUMN tallied_deleted")
            connection.execute(VERSION.update(), {"version_num": "0005"})
    with open_store(url) as store:
        assert [each.about for each in store.facts("t", 0.0).breaks] == ["k1"]


def test_what_stood_in_the_hourly_figures_is_counted_no_second_time(url: str) -> None:
    """Nor is what did not yet left out."""
    ids = ("orphan", "waiting", "foretold", "kept")
    with open_store(url) as store:
        store.record_verdicts("t", [ruling("orphan"), ruling("kept", VerdictKind.UNPROVEN)])
        store.record_verdicts("t", [ruling(each, VerdictKind.PENDING) for each in ids[1:3]])
        store.predict("t", {"foretold": VerdictKind.ORPHAN, "kept": VerdictKind.RELEASED}, NOW)
        with store._database.write() as connection:
            connection.exec_driver_sql("DROP TABLE claims")
            for figure in ("logged", "deleted"):
                connection.exec_driver_sql(f"ALTER TABLE containers DROP COLUMN tallied_{figure}")
            connection.execute(VERSION.update(), {"version_num": "0006"})
    with open_store(url) as store:
        store.tally_once("t", "logged", ids)
        store.tally_once("t", "deleted", ids)
        (tally,) = store.history("t", NOW).hours.values()
    assert tally == HourTally(logged=2, deleted=3)


def test_a_failed_migration_leaves_the_old_store(url: str, steps: Path) -> None:
    """A step that breaks half-way is undone as a whole."""
    with open_store(url) as store:
        store.save_sightings("t", [sighting("x")])
    step = steps / "versions" / "v9999_colour.py"
    step.write_text(NEXT_STEP + '    op.drop_table("no_such_table")\n')
    with pytest.raises(StoreUnusableError):
        open_store(url, steps=steps)
    with open_store(url) as store:
        assert set(store.sightings("t", alive_or_born_after=0)) == {"x"}


def test_a_newer_store_is_refused(url: str, path: Path, steps: Path) -> None:
    """What a newer version wrote is neither read nor changed."""
    open_store(url, steps=steps).close()
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreUnusableError, match=r"database_url.*newer"):
            open_store(url, read_only=read_only)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"Dear diary, " * 100, b"SQLite format 3\0" + b"\1" * 4096])
def test_a_file_that_is_no_database_is_refused(url: str, path: Path, content: bytes) -> None:
    """Garbage is refused by name and left as it was."""
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StoreUnusableError, match="database_url"):
        open_store(url)
    assert path.read_bytes() == content


def test_somebody_elses_database_is_refused(url: str, path: Path) -> None:
    """A database with other tables is not taken over, nor changed in any byte."""
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE recipes (title TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreUnusableError, match=r"database_url.*somebody else's"):
        open_store(url)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_event_log_may_live_in_the_same_database(url: str, path: Path) -> None:
    """Tables of the event log are no strangers."""
    path.parent.mkdir()
    with sqlite3.connect(path) as log:
        log.execute("CREATE TABLE event_log (position INTEGER PRIMARY KEY)")
    log.close()
    with open_store(url) as store:
        store.touch(1.0)


def test_an_empty_file_becomes_a_store(url: str, path: Path) -> None:
    """A file that was merely touched is a new store."""
    path.parent.mkdir()
    path.touch()
    with open_store(url) as store:
        assert store.store_id


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_is_refused(path: Path, *, read_only: bool) -> None:
    """A folder where the file should be is named."""
    path.mkdir(parents=True)
    with pytest.raises(StoreUnusableError, match=r"database_url.*folder"):
        open_store(f"sqlite:///{path}", read_only=read_only)


def test_a_place_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """A parent that is a file cannot hold the store."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnusableError, match=r"database_url.*folder"):
        open_store(f"sqlite:///{tmp_path}/file/below/demurrage.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused(tmp_path: Path) -> None:
    """A folder without write permission is named before anything is tried."""
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnusableError, match=r"database_url.*cannot be written"):
        open_store(f"sqlite:///{tmp_path}/demurrage.db")


def test_an_unwritable_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is one line that names the setting, whoever runs the test."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StoreUnusableError, match=r"database_url.*cannot be written") as caught:
        open_store(f"sqlite:///{tmp_path}/demurrage.db")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "no url", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/db"]
)
def test_a_url_of_nothing_durable_is_refused(url: str) -> None:
    """Typos, memory, and databases that are not spoken are refused without leaking a password."""
    with pytest.raises(StoreUnusableError, match="database_url") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_reading_needs_a_store_and_makes_none(url: str, path: Path) -> None:
    """A command that only reads leaves no trace where there is no store."""
    with pytest.raises(StoreUnusableError, match="database_url"):
        open_store(url, read_only=True)
    assert not path.parent.exists()


def test_reading_beside_a_running_daemon_changes_nothing(url: str, store: SqlStore) -> None:
    """A reader sees what is committed, and what it may not do fails."""
    store.save_sightings("t", [sighting("x")])
    with open_store(url, read_only=True) as reader:
        assert set(reader.sightings("t", alive_or_born_after=0)) == {"x"}
        with pytest.raises(Exception, match=r"read-?only"):
            reader.touch(1.0)
        store.save_sightings("t", [sighting("y")])
        assert set(reader.sightings("t", alive_or_born_after=0)) == {"x", "y"}


def test_conditions_of_an_older_store_become_incidents(url: str, tmp_path: Path) -> None:
    """What stood goes on as an open incident, what was over as one that is over."""
    before = tmp_path / "before"
    shutil.copytree(STEPS, before, ignore=shutil.ignore_patterns("__pycache__"))
    for step in (before / "versions").glob("v*.py"):
        if step.name >= "v0004":
            step.unlink()
    with open_store(url, steps=before) as store, store._database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO conditions (target, kind, severity, summary, opened_at, last_seen_at, "
            "resolved_at) VALUES ('t', 'rail_held', 'page', 'Over.', 1, 2, 3), "
            "('t', 'rail_held', 'page', 'Held.', 4, 5, NULL)"
        )
    with open_store(url) as store:
        (held,), (over,) = store.open_incidents(), store.past_incidents()
        (new,) = store.save_incidents([replace(held, id=0, condition=LATE)])
        assert store.undelivered("pager", 9) == (held, new)
    assert (held.condition.summary, held.opened_at, held.revision) == ("Held.", 4, 1)
    assert (over.condition.summary, over.resolved_at, over.revision) == ("Over.", 3, 2)
    assert new.id not in (held.id, over.id)
