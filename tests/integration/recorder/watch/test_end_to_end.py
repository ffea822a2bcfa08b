"""A plain script, watched by one added line or by none, and a daemon as a person runs it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.integration.process.daemon import Daemon
from tests.integration.recorder.deliver import deliver

from demurrage.model.verdict import VerdictKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings
from demurrage.store import open_store

SCRIPT = Path(__file__).parent / "programs" / "reproduction.py"
CLIENT = "client: Any = OpenAI()\n"
LINE = "import demurrage_recorder as recorder; recorder.instrument(client)\n"
GATE = "from demurrage_recorder.gate import Gate; gate = Gate(client)\n"
WAYS = ("blocking", "streamed", "background")

# Five minutes are one, and what is proven by then goes thirty seconds before their end, so that
# a busy machine is in time as well.
SCALE = 5.0
SLOWER = {
    "max_birth_delay": "2s",
    "max_event_delay": "20s",
    "sweep_lead": "30s",
    "minimum": "60s",
    "tick": "12s",
    "idle_expiry": "240s",
}
SHORT = (5.0, 10.0)
DEADLINE = 120.0


def run(
    script: str, daemon_url: str, harbour: HarbourServer, folder: Path, *words: str
) -> "subprocess.Popen[str]":
    """Start a script in the way of `words`, its last."""
    path = folder / f"{'_'.join(words)}.py"
    path.write_text(script)
    environment = {
        **os.environ,
        "OPENAI_API_KEY": "sk-application",
        "OPENAI_BASE_URL": harbour.base_url,
        "DEMURRAGE_RECORDER_URL": daemon_url,
        "DEMURRAGE_RECORDER_DIR": str(folder / "events"),
    }
    command = [sys.executable, str(path), words[-1]]
    if words[0] == "run":
        command = [sys.executable, "-m", "demurrage_recorder", "run", "--", *command]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def told(process: "subprocess.Popen[str]") -> list[list[str]]:
    """The ids of the responses of each style, once the script has ended well."""
    said, complained = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, complained
    return [line.split() for line in said.splitlines()]


def orphans_gone(harbour: HarbourServer) -> dict[str, Any]:
    """The truth, once every orphan is gone; the last known truth at the deadline."""
    begun = time.monotonic()
    while True:
        truth = harbour.admin.truth()
        left = [each for each in truth["containers"] if each["orphan"] and not each["gone_by"]]
        if not left or time.monotonic() - begun > DEADLINE:
            return truth
        time.sleep(0.2)


def proven(daemon: Daemon, container_id: str) -> bool:
    """True when the daemon took the container for a proven orphan."""
    with open_store(daemon.database_url, read_only=True) as store:
        case = store.case(container_id)
    assert case is not None
    return case.verdicts[-1].verdict.kind is VerdictKind.ORPHAN


@pytest.mark.process
@pytest.mark.timeout(300)
def test_the_reproduction_with_one_line_and_with_none(tmp_path: Path) -> None:
    """Of each script the six leaked containers are deleted, in time; the three used ones stay.

    One line is one line of the file: the import of the recorder and its call, parted by a
    semicolon, behind the line that makes the client. Without it the very file is run by
    `demurrage-recorder run`. All six scripts run side by side.
    """
    plain = SCRIPT.read_text()
    instrumented = plain.replace(CLIENT, CLIENT + LINE)
    assert len(instrumented.splitlines()) == len(plain.splitlines()) + 1
    with HarbourServer(
        Harbour(HarbourSettings(scale=SCALE, default_seconds=SHORT), seed=2)
    ) as harbour:
        daemon = Daemon(tmp_path, harbour.base_url)
        daemon.change(**SLOWER)
        daemon.start()
        try:
            daemon.wait_until_ready(DEADLINE)
            time.sleep(1.0)  # births are whole seconds; coverage counts from the start
            scripts = {("line", way): instrumented for way in WAYS}
            scripts |= {("run", way): plain for way in WAYS}
            running = [
                run(script, daemon.url, harbour, tmp_path, *words)
                for words, script in scripts.items()
            ]
            styles = [ids for process in running for ids in told(process)]
            # What scripts on a busy machine could not before their end.
            deliver(daemon.url, tmp_path / "events")
            truth = orphans_gone(harbour)
        finally:
            code = daemon.stop()
    assert code == 0, daemon.said()
    leaky = {one for ids in styles for one in ids[:2]}
    using = {ids[2] for ids in styles}
    assert (len(leaky), len(using)) == (36, 18)
    made = {each["made_by"]: each for each in truth["containers"]}
    assert made.keys() == leaky | using
    gone = {maker for maker, each in made.items() if each["gone_by"]}
    assert gone == leaky, daemon.said()
    totals = truth["totals"]
    assert totals["deleted"] == totals["orphans_deleted_before_floor"] == 36
    assert totals["harm"] == totals["named_deleted"] == 0
    orphans = {maker for maker, each in made.items() if proven(daemon, each["id"])}
    assert orphans == leaky


@pytest.mark.process
@pytest.mark.parametrize("way", ["blocking", "streamed"])
def test_the_reproduction_behind_the_gate(server: HarbourServer, tmp_path: Path, way: str) -> None:
    """The script asks its gate in the client's place: no orphan is made, and all is logged."""
    gated = SCRIPT.read_text().replace("client.responses.create(", "gate.create(")
    shared = tmp_path / "shared"
    shared.mkdir()
    script = gated.replace(CLIENT, CLIENT + LINE + GATE)
    styles = told(run(script, f"file://{shared}", server, tmp_path, "gate", way))
    truth = server.admin.truth()
    used = [each["used_by"] for each in truth["containers"]]
    assert sorted(used) == sorted([ids[2]] for ids in styles)
    assert truth["totals"]["orphans"] == 0
    lines = "".join(each.read_text() for each in shared.glob("*.jsonl"))
    starts = lines.count('"demurrage.response.started"')
    assert starts == truth["counts"]["POST /v1/responses"] == 12
