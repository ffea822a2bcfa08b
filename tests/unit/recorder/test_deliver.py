"""`demurrage-recorder deliver`, as a person or a timer runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.recorder.conftest import Open
from tests.unit.recorder.taker import Taker
from tests.unit.recorder.test_estate import NOWHERE, leave


def _deliver(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("demurrage-recorder")), "deliver"]
    return subprocess.run(
        [*command, *map(str, words)],
        check=False,
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **environment},
    )


def test_it_delivers_and_says_how_many(taker: Taker, folder: Path) -> None:
    """Two dead sources, five events and a goodbye each; nothing stays, and the code is 0."""
    leave(folder, NOWHERE, 3)
    leave(folder, NOWHERE, 3)
    done = _deliver("--dir", folder, "--url", taker.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "12 events of 2 dead sources" in done.stdout
    assert len(taker.goodbyes()) == 2
    assert not list(folder.iterdir())


def test_without_a_url_it_takes_what_was_meant_for_the_daemon(taker: Taker, folder: Path) -> None:
    """The environment names the daemon; what was meant for another stays."""
    leave(folder, NOWHERE, 3)
    environment = {"DEMURRAGE_RECORDER_URL": taker.url, "DEMURRAGE_RECORDER_DIR": str(folder)}
    done = _deliver(**environment)
    assert done.returncode == 0
    assert "0 events of 0 dead sources" in done.stdout
    assert "1 dead source told another daemon" in done.stderr
    assert taker.taken == []
    assert list(folder.glob("*.jsonl"))


def test_a_daemon_that_takes_nothing_is_code_1(folder: Path) -> None:
    """The journal stays, and a script can tell."""
    leave(folder, NOWHERE, 3)
    done = _deliver("--dir", folder, "--url", NOWHERE)
    assert done.returncode == 1
    assert "not delivered now" in done.stderr
    assert list(folder.glob("*.jsonl"))


def test_nobody_speaks_for_a_process_by_a_copy_of_its_lock(
    writer: Open, taker: Taker, folder: Path, tmp_path: Path
) -> None:
    """The process lives beside the original; the copy stays, and the goodbye unsaid."""
    opened = writer(NOWHERE)
    opened.note("response.started", "default", {"call_id": "c"})
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    done = _deliver("--dir", copy, "--url", taker.url)
    assert done.returncode == 1
    assert "copy" in done.stderr
    assert taker.taken == []
    assert list(copy.glob("*.jsonl"))


def test_the_token_comes_from_the_environment(taker: Taker, folder: Path) -> None:
    """Never from the command line, which others can read."""
    leave(folder, NOWHERE, 1)
    done = _deliver("--dir", folder, "--url", taker.url, DEMURRAGE_RECORDER_TOKEN="secret")
    assert done.returncode == 0
    assert set(taker.tokens) == {"Bearer secret"}
    assert "secret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--url", "ftp://x"], "--url"),
        (["--url", "file:///x"], "--url"),
        (["--url", "http://127.0.0.1:1", "--dir", "/nowhere"], "--dir"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_argument_is_code_2(words: list[str], named: str) -> None:
    """The message names it."""
    done = _deliver(*words)
    assert done.returncode == 2
    assert named in done.stderr


def test_the_living_stay(writer: Open, taker: Taker, folder: Path) -> None:
    """They deliver for themselves."""
    writer().note("response.started", "default", {"call_id": "living"})
    done = _deliver("--dir", folder, "--url", taker.url)
    assert (done.returncode, taker.taken) == (0, [])
