"""The service on a real systemd: install, start, reload, watchdog, stop, uninstall."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.deployment.debian import base, copy
from tests.deployment.machine import Machine, missing
from tests.integration.process.daemon import SCALE, SETTINGS, free_port

from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

KEY = "sk-systemd-service-under-test"
UNIT = "demurrage.service"
MOST_EXPOSED = 1.2
_MADE = Path(".make/machine").absolute()
_WHEEL = Path(".make/wheel")
_SYSTEMD = Path("systemd")

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT SHOWN: only root boots a machine"),
    pytest.mark.skipif(bool(missing()), reason=f"NOT SHOWN: missing {', '.join(missing())}"),
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="NOT SHOWN: wheels for Debian's Python 3.11 only"
    ),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted Debian with the wheel, all that it depends on, and the installer at hand."""
    shared = tmp_path_factory.mktemp("shared")
    (wheel,) = _WHEEL.glob("demurrage-*.whl")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "-qq"),
            *(f"--dest={shared / 'wheels'}", f"{wheel}[service]"),
        ],
        check=True,
    )
    subprocess.run(["cp", "--recursive", str(_SYSTEMD), str(shared)], check=True)
    copy(base(_MADE), _MADE / "root")
    made = Machine(_MADE / "root", shared)
    made.boot()
    try:
        install(made, wheel.name)
        yield made
    finally:
        made.power_off()


@pytest.fixture(scope="module")
def port() -> int:
    """Where the daemon serves."""
    return free_port()


@pytest.fixture(scope="module")
def harbour(machine: Machine, port: int) -> Iterator[HarbourServer]:
    """The API, and settings in the machine that lead there."""
    with HarbourServer(Harbour(HarbourSettings(scale=SCALE), seed=5)) as served:
        write_settings(machine, served.base_url, port)
        (machine.root / "etc/demurrage/api_key").write_text(f"{KEY}\n")
        yield served


def install(machine: Machine, wheel: str) -> None:
    """Do what `make install-systemd` does, without a way to any registry."""
    machine.run(
        "env",
        "PIP_NO_INDEX=1",
        "PIP_FIND_LINKS=/shared/wheels",
        "/shared/systemd/install",
        "python3",
        f"/shared/wheels/{wheel}",
        seconds=600,
    )


def write_settings(machine: Machine, base_url: str, port: int, mode: str = "enforce") -> None:
    """Settings at the harbour's pace."""
    text = SETTINGS.format(
        folder="/var/lib/demurrage", base_url=base_url, port=port, token_variable=""
    ).replace('mode = "enforce"', f'mode = "{mode}"')
    text = text.replace("[http]", '[http]\nsocket = "/run/demurrage/events.sock"')
    text += '\n[events]\nfolder = "/var/lib/demurrage-events"\n'
    (machine.root / "etc/demurrage/demurrage.toml").write_text(text)


def told(machine: Machine) -> list[str]:
    """The event names of the service's log lines so far."""
    names = []
    for line in machine.journal(UNIT).splitlines():
        message = json.loads(line)["MESSAGE"]
        if isinstance(message, str) and message.startswith("{"):
            names.append(json.loads(message)["event"])
    return names


def test_the_unit_is_clean_and_hardly_exposed(machine: Machine) -> None:
    """The judges that systemd brings have nothing to say against it."""
    verified = machine.run("systemd-analyze", "verify", UNIT)
    assert (verified.stdout + verified.stderr).strip() == ""
    judged = machine.run("systemd-analyze", "security", "--no-pager", UNIT).stdout
    (line,) = [each for each in judged.splitlines() if "Overall exposure level" in each]
    assert float(line.split(":")[1].split()[0]) <= MOST_EXPOSED


def test_a_start_without_settings_is_refused_by_the_check(machine: Machine) -> None:
    """The reason stands in the journal, and the daemon itself was never begun."""
    settings = machine.root / "etc/demurrage/demurrage.toml"
    shipped = settings.read_text()
    settings.write_text("mod = 1\n")
    assert machine.run("systemctl", "start", UNIT, check=False).returncode != 0
    assert "mod" in machine.journal(UNIT)
    assert "started" not in told(machine)
    machine.run("systemctl", "stop", UNIT)
    machine.run("systemctl", "reset-failed", UNIT, check=False)
    settings.write_text(shipped)


def test_ready_comes_with_the_first_cycle(machine: Machine, harbour: HarbourServer) -> None:
    """Then it is active, says how it goes, and serves."""
    machine.run("systemctl", "enable", UNIT)
    machine.run("systemctl", "start", UNIT)
    assert machine.show(UNIT, "ActiveState") == "active"
    assert machine.show(UNIT, "Type") == "notify"
    machine.wait_until(
        lambda: machine.show(UNIT, "StatusText").startswith("enforce; containers:"), "a status"
    )
    shown = machine.run("systemctl", "status", "--no-pager", UNIT).stdout
    assert "Demurrage" in shown
    assert 'Status: "enforce; containers:' in shown
    assert harbour.harbour is not None


def test_the_key_is_nowhere_to_be_seen(machine: Machine, harbour: HarbourServer) -> None:
    """Not in the environment, the command line, the journal, or a file that others can read."""
    assert harbour is not None
    pid = machine.show(UNIT, "MainPID")
    assert KEY not in machine.run("cat", f"/proc/{pid}/environ").stdout
    assert KEY not in machine.run("ps", "-eo", "args").stdout
    assert KEY not in machine.journal(UNIT)
    assert machine.run("stat", "-c", "%a %U", "/etc/demurrage/api_key").stdout.split() == [
        "600",
        "root",
    ]
    assert machine.run("stat", "-c", "%a", "/var/lib/demurrage").stdout.strip() == "700"
    assert machine.run("stat", "-c", "%U", f"/proc/{pid}").stdout.strip() == "demurrage"


def test_its_group_may_append_events_and_nobody_else(
    machine: Machine, harbour: HarbourServer
) -> None:
    """An application's user in the group reaches folder and socket; a stranger does not."""
    assert harbour is not None
    machine.run("useradd", "--system", "--groups", "demurrage", "app")
    machine.run("useradd", "--system", "stranger")
    probe = (
        "import socket,sys; from pathlib import Path\n"
        "Path('/var/lib/demurrage-events/app.jsonl').open('a').close()\n"
        "s = socket.socket(socket.AF_UNIX); s.connect('/run/demurrage/events.sock')\n"
    )
    as_user = ("setpriv", "--init-groups", "--regid")
    machine.run(*as_user, "app", "--reuid", "app", "python3", "-c", probe)
    refused = machine.run(
        *as_user, "stranger", "--reuid", "stranger", "python3", "-c", probe, check=False
    )
    assert "PermissionError" in refused.stderr


def test_reload_takes_good_settings_and_refuses_bad_ones(
    machine: Machine, harbour: HarbourServer, port: int
) -> None:
    """In the same process; what was refused is said in the status and in the journal."""
    pid = machine.show(UNIT, "MainPID")
    write_settings(machine, harbour.base_url, port, mode="observe")
    machine.run("systemctl", "reload", UNIT)
    machine.wait_until(
        lambda: machine.show(UNIT, "StatusText").startswith("observe;"), "the other mode"
    )
    write_settings(machine, harbour.base_url, port, mode="delete everything")
    machine.run("systemctl", "reload", UNIT, check=False)
    machine.wait_until(lambda: "reload_refused" in told(machine), "the refusal")
    assert machine.show(UNIT, "ActiveState") == "active"
    assert machine.show(UNIT, "MainPID") == pid
    write_settings(machine, harbour.base_url, port)
    machine.run("systemctl", "reload", UNIT)
    machine.wait_until(
        lambda: machine.show(UNIT, "StatusText").startswith("enforce;"), "the first mode"
    )


def test_a_stuck_daemon_is_killed_and_started_again(
    machine: Machine, harbour: HarbourServer
) -> None:
    """The watchdog does it; here with less patience than the shipped three minutes."""
    assert harbour is not None
    drop_in = machine.root / "etc/systemd/system/demurrage.service.d/patience.conf"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nWatchdogSec=6s\nRestartSec=1s\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", UNIT)
    before = machine.show(UNIT, "MainPID")
    machine.run("kill", "-STOP", before)
    machine.wait_until(lambda: machine.show(UNIT, "NRestarts") == "1", "a restart", 120)
    machine.wait_until(lambda: machine.show(UNIT, "ActiveState") == "active", "the next life")
    assert machine.show(UNIT, "MainPID") != before
    assert "Watchdog timeout" in machine.run("journalctl", "--no-pager", f"--unit={UNIT}").stdout
    drop_in.unlink()
    machine.run("systemctl", "daemon-reload")


def test_priorities_reach_the_journal(machine: Machine, harbour: HarbourServer) -> None:
    """An error is one for journald too, so that `journalctl -p err` finds it."""
    assert harbour is not None
    grave = machine.run(
        "journalctl", "--no-pager", "--priority=err", "--output=cat", f"--unit={UNIT}"
    ).stdout
    assert "reload_refused" in grave
    assert '"event": "started"' not in grave


def test_a_stop_is_clean(machine: Machine, harbour: HarbourServer) -> None:
    """What is under way ends, and systemd calls it a success."""
    assert harbour is not None
    began = time.monotonic()
    machine.run("systemctl", "stop", UNIT)
    assert time.monotonic() - began < 60
    assert machine.show(UNIT, "Result") == "success"
    assert machine.show(UNIT, "ExecMainStatus") == "0"
    assert told(machine)[-1] == "stopped"


def test_a_start_while_the_api_is_away_is_a_start(machine: Machine, port: int) -> None:
    """It is active, says what is wrong, and does not loop."""
    write_settings(machine, f"http://127.0.0.1:{free_port()}/v1", port)
    machine.run("systemctl", "start", UNIT)
    machine.wait_until(lambda: "unreachable" in machine.show(UNIT, "StatusText"), "what is wrong")
    assert machine.show(UNIT, "NRestarts") == "0"
    machine.run("systemctl", "stop", UNIT)


def test_uninstalling_leaves_what_it_knows(machine: Machine) -> None:
    """Program and unit are gone; store and settings are there for the next time."""
    machine.run("/shared/systemd/uninstall")
    assert not (machine.root / "opt/demurrage").exists()
    assert not (machine.root / "etc/systemd/system/demurrage.service").exists()
    assert (machine.root / "var/lib/demurrage/demurrage.db").exists()
    assert (machine.root / "etc/demurrage/demurrage.toml").exists()
