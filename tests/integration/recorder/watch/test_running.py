"""`demurrage-recorder run`: the same without a line changed in the application."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from demurrage.simulator.serve import HarbourServer
from demurrage_recorder.carrier import DEFAULT_URL

from .conftest import KEY, Log, told

APPLICATION = """
import openai
client = openai.OpenAI(max_retries=0)
tool = {"type": "code_interpreter", "container": {"type": "auto"}}
print(client.responses.create(model="gpt-5", input="[[use_tool]]", tools=[tool]).id)
"""
ASYNCHRONOUS = """
import asyncio, openai
async def main():
    async with openai.AsyncOpenAI(max_retries=0) as client:
        stream = await client.responses.create(model="gpt-5", input="Hello", stream=True)
        print([event async for event in stream][-1].response.id)
asyncio.run(main())
"""
PARENT = """
import subprocess, sys
sys.exit(subprocess.run([sys.executable, "application.py"]).returncode)
"""


def run(log: Log, where: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command `demurrage-recorder run` in a folder."""
    known = {name: each for name, each in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        [sys.executable, "-m", "demurrage_recorder", "run", "--url", log.url, *words],
        cwd=where,
        env={**known, "OPENAI_API_KEY": KEY, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with applications in it."""
    folder = tmp_path_factory.mktemp("application")
    (folder / "application.py").write_text(APPLICATION)
    (folder / "asynchronous.py").write_text(ASYNCHRONOUS)
    (folder / "parent.py").write_text(PARENT)
    return folder


def test_help_says_where_events_go_when_nobody_says() -> None:
    """The variable, and what counts where it is not set."""
    asked = [sys.executable, "-m", "demurrage_recorder", "run", "--help"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "DEMURRAGE_RECORDER_URL" in said
    assert DEFAULT_URL in said


@pytest.mark.process
@pytest.mark.parametrize("script", ["application.py", "asynchronous.py", "parent.py"])
def test_an_application_is_watched(
    server: HarbourServer, log: Log, where: Path, script: str
) -> None:
    """With the SDK's own names in the environment, in a child process too, up to the goodbye."""
    ran = run(
        log, where, "--target", "eu", "--", sys.executable, script, OPENAI_BASE_URL=server.base_url
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    kinds = log.kinds()
    assert (kinds[0], kinds[-1]) == ("started", "finished completed")
    assert told(log, "response.finished")[0]["response_id"] == ran.stdout.strip()
    assert {data["target"] for _, data in log.events()} == {"eu"}
    last = json.loads(log.text().splitlines()[-1])
    assert last["data"]["final"]


@pytest.mark.process
def test_its_own_sitecustomize_has_its_turn(log: Log, where: Path) -> None:
    """What was imported before is still imported, and the path is what it was but for the hook."""
    (where / "sitecustomize.py").write_text("import sys; sys.mine = True\n")
    code = "import sys, sitecustomize; print(sys.mine, sitecustomize.__file__)"
    ran = run(log, where, "--", sys.executable, "-c", code, PYTHONPATH=str(where))
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.split() == ["True", str(where / "sitecustomize.py")]


@pytest.mark.process
def test_a_python_that_has_no_recorder(log: Log, where: Path) -> None:
    """The recorder comes along into another environment, and brings nothing else of its own."""
    venv.create(where / "bare", symlinks=True)
    code = (
        "import sys; from importlib.util import find_spec as found; "
        "print('demurrage_recorder' in sys.modules, found('demurrage'), found('openai'))"
    )
    ran = run(log, where, "--", str(where / "bare/bin/python"), "-c", code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True None None\n", "")


@pytest.mark.process
def test_the_command_s_own_ways(log: Log, where: Path) -> None:
    """Its exit code and its arguments pass; a wrong word is named."""
    sh = shutil.which("sh") or "sh"
    assert run(log, where, "--", sh, "-c", "exit 7").returncode == 7
    assert run(log, where, sh, "-c", 'echo "$@"', "x", "--url", "a b").stdout == "--url a b\n"
    for words, code, says in (
        (["--"], 2, "name a command"),
        (["--target", "a\nb", "--", sh], 2, "target"),
        (["--url", "gopher://x", "--", sh], 2, "gopher"),
        (["--", "/no/such/command"], 127, "/no/such/command"),
    ):
        ran = run(log, where, *words)
        assert (ran.returncode, says in ran.stderr) == (code, True)
