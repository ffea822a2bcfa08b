import shutil
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path

import pytest
from tests.unit.store.build import NOW, put_back, sighting

from demurrage.model.error import StoreFailedError
from demurrage.store import SqlStore, open_store
from demurrage.store.stamp import StampFile


def test_an_older_copy_set_back_is_noticed(url: str, path: Path) -> None:
    """The file beside the database remembers what the copy does not know, until acknowledged."""
    with open_store(url) as store:
        store.touch(NOW)
    older = path.read_bytes()
    with open_store(url) as store:
        store.touch(NOW + 10)
        assert not store.restored
    path.write_bytes(older)
    with open_store(url, read_only=True) as reader:
        assert reader.restored_since == NOW
        assert reader.facts("t", NOW).distrust_before == inf
    for _ in range(2):
        with open_store(url) as store:
            assert store.restored
            assert store.restored_since == NOW
            store.touch(NOW + 20)
    with open_store(url) as store:
        assert store.acknowledge_restore(NOW + 30, "ann")
        assert not store.acknowledge_restore(NOW + 31, "ann")
        assert not store.restored
        assert [(each.by, each.what) for each in store.acts()] == [("ann", "acknowledge_restore")]
    with open_store(url) as store:
        assert not store.restored


def test_the_same_older_copy_is_noticed_twice(url: str, path: Path) -> None:
    """A restore after a restore is another one."""
    with open_store(url) as store:
        store.touch(NOW)
    older = path.read_bytes()
    for _ in range(2):
        with open_store(url) as store:
            store.acknowledge_restore(NOW)
            store.touch(NOW + 10)
        path.write_bytes(older)
        with open_store(url) as store:
            assert store.restored


def test_a_restore_upon_a_restore_tells_its_own_moment(url: str, path: Path) -> None:
    """That the first was never acknowledged does not hide the second."""
    put_back(url, path)
    with open_store(url) as store:
        store.touch(NOW + 20)
    older = path.read_bytes()
    with open_store(url) as store:
        assert store.restored_since == NOW
        store.touch(NOW + 30)
    path.write_bytes(older)
    with open_store(url) as store:
        assert store.restored_since == NOW + 20


def test_a_crash_between_database_and_stamp_is_no_restore(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is first, so the stamp can only lag."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with open_store(url, state=tmp_path) as store:
        store.touch(NOW)
        with monkeypatch.context() as patch:
            patch.setattr(StampFile, "write", fail)
            with pytest.raises(StoreFailedError) as caught:
                store.touch(NOW + 1)
        assert caught.value.disk_full
    with open_store(url, state=tmp_path) as store:
        assert not store.restored


def test_a_lost_database_is_noticed(url: str, path: Path) -> None:
    """A new database beside the stamp of another knows nothing of what was."""
    open_store(url).close()
    path.unlink()
    with open_store(url, clock=lambda: NOW) as store:
        assert store.restored_since == NOW


def test_an_unreadable_stamp_is_replaced(url: str, path: Path) -> None:
    """Garbage in the stamp stops nobody, and the next tick mends it."""
    open_store(url).close()
    stamp = path.with_name(path.name + ".stamp")
    stamp.write_text("[]")
    with open_store(url) as store:
        assert not store.restored
        store.touch(NOW)
    assert StampFile(stamp).read() is not None


def test_many_threads_stamp_at_once(store: SqlStore, path: Path) -> None:
    """Targets that are turned at the same time do not take each other's fresh file away."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store.touch, [NOW] * 200))
    assert StampFile(path.with_name("demurrage.db.stamp")).read() is not None


def test_a_backup_knows_that_it_is_one(
    url: str, path: Path, store: SqlStore, tmp_path: Path
) -> None:
    """A copy opened anywhere tells of the restore by itself; the original does not."""
    store.save_sightings("t", [sighting("x")])
    store.touch(NOW)
    copy = tmp_path / "copies" / "backup.db"
    with pytest.raises(StoreFailedError):
        store.backup(copy)
    copy.parent.mkdir()
    store.backup(copy)
    assert [each.name for each in copy.parent.iterdir()] == ["backup.db"]
    with open_store(f"sqlite:///{copy}") as restored:
        assert restored.restored_since == NOW
        assert set(restored.sightings("t", alive_or_born_after=0)) == {"x"}
        restored.acknowledge_restore(NOW)
    with open_store(f"sqlite:///{copy}") as restored:
        assert not restored.restored
    store.close()
    shutil.copy(path, tmp_path / "elsewhere.db")
    with open_store(url) as again:
        assert not again.restored


def test_a_backup_never_replaces_the_store(store: SqlStore, path: Path) -> None:
    """Backing up onto the store itself is refused."""
    with pytest.raises(StoreFailedError):
        store.backup(path)
    assert not store.restored


def test_a_failed_backup_leaves_the_old_one(store: SqlStore, tmp_path: Path) -> None:
    """A destination that cannot be written leaves no half file."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailedError):
        store.backup(tmp_path / "file" / "backup.db")
    with pytest.raises(StoreFailedError):
        store.backup(tmp_path)
    assert not list(tmp_path.parent.glob("*.partial"))
