"""What `demurrage init` writes, and what it leaves alone."""

import shlex
import stat
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Desk

from demurrage.app.settings import load_settings

WRITTEN = {
    (): {"demurrage.toml"},
    ("--systemd",): {
        "demurrage.toml",
        "demurrage.service",
        "demurrage.sysusers.conf",
        "demurrage.tmpfiles.conf",
    },
    ("--compose",): {"compose.yaml", "app.py", "app.Dockerfile"},
    ("--kubernetes",): {
        "secret.yaml",
        "sidecar.yaml",
        "daemon.yaml",
        "monitoring.yaml",
        "rules.yaml",
    },
}
CONFIG = Path(__file__).parents[3] / "config"


@pytest.mark.parametrize("asked", WRITTEN, ids=lambda asked: asked[0] if asked else "settings")
def test_what_is_asked_for_is_written_and_said(
    desk: Desk, tmp_path: Path, asked: tuple[str, ...]
) -> None:
    """Each file is the project's own; the answer names it, and what to do with it."""
    into = tmp_path / "made" / "for it"
    said = desk.say("init", *asked, "--into", str(into), "--json")
    assert said.code == 0, said.err
    assert {path.name for path in into.iterdir()} == WRITTEN[asked]
    assert {Path(path) for path in said.json["written"]} == set(into.iterdir())
    assert said.json["next"]
    for path in into.iterdir():
        if path.name != "rules.yaml":
            folder = CONFIG / ("" if path.name == "demurrage.toml" else asked[0].strip("-"))
            assert path.read_text() == (folder / path.name).read_text()


def test_several_may_be_asked_for(desk: Desk, tmp_path: Path) -> None:
    """All are written; a person reads one line for each, and numbered steps."""
    said = desk.say("init", "--systemd", "--compose", "--into", str(tmp_path / "all"))
    names = WRITTEN["--systemd",] | WRITTEN["--compose",]
    assert {path.name for path in (tmp_path / "all").iterdir()} == names
    for name in names:
        assert f"{tmp_path / 'all' / name} is written." in said.out
    assert "\n1. " in said.out


def test_the_next_steps_go_from_where_one_stands(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every path in them that is not the host's own is that of a file that was written."""
    monkeypatch.chdir(tmp_path)
    for asked, names in WRITTEN.items():
        for folder in (".", "for it", str(tmp_path / "away")):
            said = desk.say("init", *asked, "--into", folder, "--json", "--force")
            commands = [each for step in said.json["next"] for each in step.split("`")[1::2]]
            own = {word for each in commands for word in shlex.split(each) if is_own(word)}
            assert own <= {str(Path(folder) / name) for name in names}
            assert own or folder == "."
            assert all(Path(each).is_file() for each in own)


def is_own(word: str) -> bool:
    """Whether a command's word is the path of a file that `init` writes."""
    names = set().union(*WRITTEN.values())
    known = ("/etc/", "demurrage.sysusers.conf", "demurrage.tmpfiles.conf", "demurrage.conf")
    return Path(word).name in names and not word.startswith(known)


def test_nothing_is_overwritten(desk: Desk, tmp_path: Path) -> None:
    """One file that is there, a dangling link even, and none is written; force replaces."""
    into = tmp_path / "mine"
    into.mkdir()
    (into / "app.py").write_text("mine")
    (into / "compose.yaml").symlink_to(tmp_path / "nowhere")
    said = desk.say("init", "--compose", "--into", str(into))
    assert said.code == 2
    lines = said.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        str(into / "compose.yaml"),
        str(into / "app.py"),
    ]
    assert all("--force" in line for line in lines)
    assert (into / "app.py").read_text() == "mine"
    assert not (into / "app.Dockerfile").exists()
    assert not (tmp_path / "nowhere").exists()
    assert desk.say("init", "--compose", "--into", str(into), "--force").code == 0
    assert (into / "app.py").read_text() != "mine"


def test_a_folder_that_takes_no_file_is_named(desk: Desk) -> None:
    """With the reason, in one line."""
    said = desk.say("init", "--into", str(desk.settings_file / "below"))
    assert said.code == 1
    (line,) = said.err.splitlines()
    assert str(desk.settings_file / "below") in line
    assert "--into" in line


def test_what_is_written_is_read(desk: Desk, tmp_path: Path) -> None:
    """The settings file is valid as it is, but for the key."""
    assert desk.say("init", "--into", str(tmp_path / "own")).code == 0
    settings = load_settings(tmp_path / "own" / "demurrage.toml", {"OPENAI_API_KEY": "sk-1"})
    assert settings.mode == "observe"


def test_a_file_for_secrets_is_its_owner_s(desk: Desk, tmp_path: Path) -> None:
    """The key that is written into it is for no other user to read."""
    assert desk.say("init", "--kubernetes", "--into", str(tmp_path / "own")).code == 0
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "own").iterdir()}
    assert modes.pop("secret.yaml") == 0o600
    assert 0o600 not in modes.values()
