"""What the page on logging shows is run as it is written there."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import KEY, SCALE, Daemon
from tests.unit.docs.pages import private_fields

from demurrage.app.settings import load_settings
from demurrage.decide.ledger import Ledger
from demurrage.eventlog.log import EventLog
from demurrage.model.event import Ending
from demurrage.simulator.faults import FaultKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

PAGE = (Path(__file__).parents[3] / "docs/logging.md").read_text()
TOKEN = "the-events-token"
ANSWER = "The answer is 42.\n"
# How long to wait for what the daemon does by itself, in seconds.
PATIENCE = 60.0

pytestmark = pytest.mark.process


def shown(heading: str, language: str) -> list[str]:
    """The snippets of a section."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    fence = rf"^( *)```{language}\n(.*?)^\1```$"
    return [
        re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        for indent, code in re.findall(fence, section, re.MULTILINE | re.DOTALL)
    ]


@pytest.fixture(scope="module")
def harbour() -> Iterator[HarbourServer]:
    """An API at which nothing lasts long."""
    settings = HarbourSettings(scale=SCALE, visibility_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=2)) as server:
        yield server


@pytest.fixture
def token() -> str:
    """What the daemon asks of applications."""
    return TOKEN


@pytest.fixture
def daemon(tmp_path: Path, harbour: HarbourServer, token: str) -> Iterator[Daemon]:
    """A daemon with the settings that the page shows for a sidecar."""
    made = Daemon(tmp_path, harbour.base_url, token=token)
    (tmp_path / "events").mkdir()
    (block,) = shown("Beside a sidecar", "toml")
    http, _, events = placed(block, tmp_path).partition("\n\n")
    made.settings.write_text(f"{made.settings.read_text().replace('[http]', http)}{events}")
    yield made
    if made.process is not None:
        assert made.stop() == 0, made.said()


def placed(snippet: str, folder: Path) -> str:
    """A snippet with its folders below the given one."""
    for usual in ("/run/demurrage", "/var/lib/demurrage"):
        snippet = snippet.replace(usual, str(folder))
    return snippet


def started(daemon: Daemon) -> Daemon:
    """The daemon, at work."""
    daemon.start()
    daemon.wait_until_ready()
    return daemon


def run(
    program: str, daemon: Daemon, harbour: HarbourServer, *arguments: str, **environ: str
) -> str:
    """Run a Python program, or a shell script, in an application's environment."""
    shell = program.startswith("#!/bin/sh")
    command = ["/bin/sh", "-c"] if shell else [sys.executable, "-c"]
    done = subprocess.run(
        [*command, program, *(["script"] if shell else []), *arguments],
        cwd=daemon.folder,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": harbour.base_url,
            "DEMURRAGE_RECORDER_URL": daemon.url,
            "DEMURRAGE_RECORDER_TOKEN": TOKEN,
            "DEMURRAGE_RECORDER_DIR": str(daemon.folder / "waiting"),
            **environ,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # On a busy machine `curl` may have to send twice, and says so.
    assert shell or done.stderr == ""
    return done.stdout


def logged(database_url: str, goodbyes: int) -> Ledger:
    """The log, once it holds what so many applications said, up to their goodbyes."""
    deadline = time.monotonic() + PATIENCE
    while True:
        log = EventLog.open(database_url, clock=time.time)
        try:
            ledger = Ledger()
            ledger.fold(log.read(0, 1000).records)
            sound = log.verify().sound
        finally:
            log.close()
        sources = [each for each in ledger.sources.values() if not each.own]
        if len(sources) == goodbyes and all(each.said_goodbye for each in sources):
            assert sound
            assert not any(each.unsequenced for each in sources)
            return ledger
        assert time.monotonic() < deadline, sources
        time.sleep(0.1)


def raw(database_url: str) -> list[Mapping[str, Any]]:
    """The events as they are kept."""
    log = EventLog.open(database_url, clock=time.time)
    try:
        return [each.raw for each in log.recent(1000) if each.raw is not None]
    finally:
        log.close()


def endings(ledger: Ledger) -> list[Ending | None]:
    """How the logged calls ended."""
    return [
        Ending.LOST if each.lost else each.ending
        for each in ledger.book("default").responses.values()
    ]


def test_python(daemon: Daemon, harbour: HarbourServer) -> None:
    """One line, no line, and what is said by hand."""
    started(daemon)
    one_line, by_hand = shown("Python", "python")
    assert run(one_line, daemon, harbour) == ANSWER
    (no_line,) = shown("Python", "sh")
    unchanged = [line for line in one_line.splitlines() if not line.startswith("import demurrage")]
    program = "\n".join(unchanged).replace("recorder.instrument(OpenAI())", "OpenAI()")
    assert "recorder" not in program
    (daemon.folder / "app.py").write_text(program)
    assert run(f"#!/bin/sh\n{no_line}", daemon, harbour) == ANSWER
    run(by_hand, daemon, harbour)
    ledger = logged(daemon.database_url, 3)
    assert endings(ledger) == [Ending.COMPLETED, Ending.COMPLETED]
    assert set(ledger.book("default").pins) == {"cntr_68f0a1b2c3d4"}
    page = private_fields()
    for event in raw(daemon.database_url):
        kind = event["type"].removeprefix("demurrage.")
        assert set(event["data"]) <= page[kind] | page["every type"], kind
        for slot in event["data"].get("slots", ()):
            assert set(slot) <= page["a slot"]


@pytest.mark.parametrize(
    ("fault", "ending"),
    [
        (None, Ending.COMPLETED),
        (FaultKind.RATE_LIMITED, Ending.REFUSED),
        (FaultKind.SERVER_ERROR, Ending.LOST),
        (FaultKind.HTML, Ending.LOST),
    ],
)
def test_curl(
    daemon: Daemon, harbour: HarbourServer, fault: FaultKind | None, ending: Ending
) -> None:
    """A whole turn, however it ends, by a writer whose clock is known."""
    started(daemon)
    (script,) = shown("Any language, with `curl`", "sh")
    if fault is not None:
        harbour.admin.fault(fault, "POST /v1/responses")
    try:
        run(script, daemon, harbour)
    finally:
        harbour.admin.clear_faults()
    ledger = logged(daemon.database_url, 1)
    assert endings(ledger) == [ending]
    (source,) = ledger.sources.values()
    assert source.goodbye_low is not None


def test_echo(daemon: Daemon, harbour: HarbourServer) -> None:
    """The id of a response, from one echo, is known; the daemon reads the rest."""
    started(daemon)
    ask = "from openai import OpenAI\nprint(OpenAI().responses.create(model='gpt-5', input='.').id)"
    response_id = run(ask, daemon, harbour).strip()
    (script,) = shown("A shell script with one `echo`", "sh")
    run(placed(script, daemon.folder), daemon, harbour, response_id)
    deadline = time.monotonic() + PATIENCE
    while endings(logged(daemon.database_url, 1)) != [Ending.COMPLETED]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert set(logged(daemon.database_url, 1).book("default").known) == {response_id}


@pytest.mark.parametrize("token", [""])
def test_sidecar(daemon: Daemon, harbour: HarbourServer) -> None:
    """Over the socket, and through the folder."""
    started(daemon)
    program = shown("Python", "python")[0]
    (lines,) = shown("Beside a sidecar", "sh")
    urls = re.findall("DEMURRAGE_RECORDER_URL=(.*)", placed(lines, daemon.folder))
    assert len(urls) == 2
    for url in urls:
        environ = {"DEMURRAGE_RECORDER_URL": url, "DEMURRAGE_RECORDER_TOKEN": ""}
        assert run(program, daemon, harbour, **environ) == ANSWER
    assert endings(logged(daemon.database_url, 2)) == [Ending.COMPLETED] * 2


def test_serverless(daemon: Daemon, harbour: HarbourServer) -> None:
    """Each request is a source that says goodbye; `deliver` brings what no daemon took."""
    (handler,) = shown("Serverless", "python")
    (deliver,) = shown("Serverless", "sh")
    called_twice = f"{handler}\nfor _ in range(2):\n    handler({{'question': '.'}}, None)\n"
    run(called_twice, daemon, harbour)
    started(daemon)
    assert "of 2 dead sources" in run(f"#!/bin/sh\n{deliver}", daemon, harbour)
    run(called_twice, daemon, harbour)
    assert endings(logged(daemon.database_url, 4)) == [Ending.COMPLETED] * 4


def test_many_hosts(daemon: Daemon, harbour: HarbourServer, database: str, tmp_path: Path) -> None:
    """The settings are settings, and both ways lead into a log."""
    (block,) = shown("Many hosts", "toml")
    file = tmp_path / "many.toml"
    file.write_text(f"[targets.default]\n{block}")
    tokens = {"EVENTS_TOKEN": TOKEN, "ADMIN_TOKEN": "the-admin-token"}
    settings = load_settings(file, {"OPENAI_API_KEY": KEY, **tokens})
    assert settings.http.bind == "0.0.0.0:9470"

    over_http, over_sql = (
        dict(re.findall(r"(DEMURRAGE_RECORDER_\w+)=(.*)", lines))
        for lines in shown("Many hosts", "sh")
    )
    program = shown("Python", "python")[0]
    over_http["DEMURRAGE_RECORDER_URL"] = over_http["DEMURRAGE_RECORDER_URL"].replace(
        "http://demurrage.example:9470", daemon.url
    )
    over_sql["DEMURRAGE_RECORDER_URL"] = over_sql["DEMURRAGE_RECORDER_URL"].replace(
        "postgresql+psycopg://applications@db.example/demurrage", database
    )
    started(daemon)
    for environ, log in ((over_http, daemon.database_url), (over_sql, database)):
        assert run(program, daemon, harbour, **environ) == ANSWER
        assert endings(logged(log, 1)) == [Ending.COMPLETED]
