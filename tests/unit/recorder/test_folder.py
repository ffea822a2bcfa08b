"""Where journals lie: the user's own folder, whatever the machine offers."""

import tempfile
from pathlib import Path

import pytest

from demurrage_recorder.folder import private_folder


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """State and temporary files of these tests lie in the test's folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def test_the_given_one_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the environment's, then the user's state folder, closed to others."""
    monkeypatch.setenv("DEMURRAGE_RECORDER_DIR", str(tmp_path / "named"))
    assert private_folder(str(tmp_path / "given")) == tmp_path / "given"
    assert private_folder() == tmp_path / "named"
    monkeypatch.delenv("DEMURRAGE_RECORDER_DIR")
    assert private_folder() == tmp_path / "state" / "demurrage-recorder"
    assert private_folder().stat().st_mode & 0o077 == 0


def test_without_a_state_folder_it_is_a_temporary_one(tmp_path: Path) -> None:
    """The same for every process of the user, so that the next finds it."""
    (tmp_path / "state").touch()
    folder = private_folder()
    assert folder.parent == tmp_path / "tmp"
    assert private_folder() == folder


def test_what_another_laid_there_is_not_used(tmp_path: Path) -> None:
    """A link under the expected name leads nowhere."""
    (tmp_path / "state").touch()
    expected = private_folder()
    expected.rmdir()
    (tmp_path / "other").mkdir()
    expected.symlink_to(tmp_path / "other")
    folder = private_folder()
    assert folder != expected
    assert folder.parent == tmp_path / "tmp"
    assert folder.stat().st_mode & 0o077 == 0
