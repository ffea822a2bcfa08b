"""`status` and `check` where something is wrong."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from tests.unit.cli.conftest import Desk, Said

TOKEN = "admin-token-0123456789"


def _status(**changes: Any) -> dict[str, Any]:
    """A target's snapshot, as the engine writes it."""
    return {
        "target": "default",
        "mode": "enforce",
        "at": 1_800_000_000.0,
        "cycle": {
            "complete": True,
            "began_at": 1_799_999_999.0,
            "ended_at": 1_800_000_000.0,
            "seconds": 1.0,
        },
        "inventory": {"complete": True, "as_of": 1_800_000_000.0},
        "evidence": {
            "readable": True,
            "watermark": None,
            "logged": True,
            "responses": 3,
            "writers": [],
        },
        "coverage": {
            "declared": "complete",
            "effective": "complete",
            "since": 1_790_000_000.0,
            "breaks": [],
            "whole_life_windows": False,
        },
        "verdicts": {"orphan": 2, "referenced": 0},
        "reasons": {"orphan:no_reference": 2},
        "due": 2,
        "holds": [],
        "conditions": [],
    } | changes


def _remember(desk: Desk, **changes: Any) -> None:
    with desk.store() as store:
        store.save_status("default", 1_800_000_000.0, _status(**changes))


def test_a_hold_is_shown_with_the_command_that_resumes_it(kept: Desk) -> None:
    """A person can copy the line."""
    hold = {
        "id": "deletes-per-hour-1a2b3c4d",
        "rail": "deletes_per_hour",
        "opened_at": 1_799_999_000.0,
        "summary": "2,000 deletes in an hour",
        "containers": 2000,
        "resumed_until": None,
    }
    _remember(kept, holds=[hold])
    said = kept.say("status")
    assert said.code == 1
    assert "demurrage resume deletes-per-hour-1a2b3c4d --until 30m" in said.out
    assert "2,000 deletes in an hour" in said.out


def test_a_hold_on_the_whole_target_is_resumed_without_an_end(kept: Desk) -> None:
    """What --until means nothing for is shown without it."""
    hold = {
        "id": "second-reaper-1a2b3c4d",
        "rail": "second_reaper",
        "opened_at": 1_799_999_000.0,
        "summary": "somebody else deletes here",
        "containers": 0,
        "resumed_until": None,
    }
    _remember(kept, holds=[hold])
    out = kept.say("status").out
    assert "demurrage resume second-reaper-1a2b3c4d" in out
    assert "--until" not in out


@pytest.mark.parametrize(
    ("effective", "heading"),
    [
        ("enforce", "default: enforce"),
        ("observe", "default: enforce, held: only observes"),
        ("held", "default: enforce, sweep held"),
    ],
)
def test_the_heading_says_what_is_left_of_the_mode(
    kept: Desk, effective: str, heading: str
) -> None:
    """Nobody takes a target that only observes for one that deletes."""
    _remember(kept, effective_mode=effective)
    assert heading in kept.say("status").out.splitlines()


def test_a_gap_is_healed_by_a_restart_first(kept: Desk) -> None:
    """Retiring a writer that lives would be undone by its next word."""
    writer = {"source": "app/1", "through": 1.0, "fault": "sequence_gap", "detail": "2-3 missing"}
    _remember(kept, evidence=_status()["evidence"] | {"writers": [writer]})
    assert re.search(r"restart .*`demurrage writers retire app/1`", kept.say("status").out)


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("through", [None, 1.0])
def test_nobody_is_said_to_be_waited_for_where_that_is_not_known(
    kept: Desk, *, complete: bool, through: float | None
) -> None:
    """Neither where a writer holds everything, nor where the last cycle judged nothing."""
    writer = {"source": "?", "through": None, "fault": "line_set_aside", "detail": "torn"}
    writers = [writer] if through is None else []
    cycle = _status()["cycle"] | {"complete": complete}
    _remember(kept, cycle=cycle, evidence=_status()["evidence"] | {"writers": writers})
    out = kept.say("status").out
    assert ("no writer is waited for" in out) is (complete and not writers)
    assert ("demurrage writers retire '?'" in out) is bool(writers)
    assert bool(kept.say("writers").err) is not complete


def test_incidents_breaks_and_faulty_writers_are_shown_by_name(kept: Desk) -> None:
    """Each with what to do about it."""
    broken = {"kind": "late_start", "about": "call_1", "at": 1.0, "detail": "it came late"}
    writer = {"source": "app/1", "through": 1.0, "fault": "sequence_gap", "detail": "2-3 missing"}
    _remember(
        kept,
        conditions=[{"kind": "sequence_gap", "severity": "page", "summary": "a hole"}],
        coverage=_status()["coverage"] | {"effective": "partial", "breaks": [broken]},
        evidence=_status()["evidence"] | {"writers": [writer]},
    )
    out = kept.say("status").out
    for words in (
        "sequence_gap",
        "late_start call_1",
        "demurrage confirm default",
        "demurrage writers retire app/1",
    ):
        assert words in out


def test_a_call_that_blocks_is_named_with_the_command_that_settles_it(kept: Desk) -> None:
    """Whose it is, how many containers wait for it, and the way out."""
    call = {"about": "call_7", "source": "app/1", "since": 1_799_999_000.0, "containers": 3}
    _remember(kept, evidence=_status()["evidence"] | {"blocking": [call]})
    out = kept.say("status").out
    assert "`demurrage events append --finish call_7 --target default`" in out
    assert re.search(r"call_7 of app/1\b.*\b3 containers", out)


def test_json_says_that_the_daemon_is_silent(kept: Desk) -> None:
    """Programs see at a key what people read on standard error."""
    _remember(kept)
    said = kept.say("status", "--json")
    assert said.json["running"] is False
    assert said.json["targets"][0]["at"] == "2027-01-15T08:00:00.000Z"


@pytest.fixture
def daemon() -> Iterator[HTTPServer]:
    """Something that answers for a daemon that wants a token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            right = self.headers["Authorization"] == f"Bearer {TOKEN}"
            answer = {"targets": [_status(incidents=[], totals=None)], "mode": "enforce", "at": 1.0}
            body = json.dumps(answer).encode()
            self.send_response(200 if right else 401)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_admin_token_is_sent_and_never_shown(kept: Desk, daemon: HTTPServer) -> None:
    """With the token the daemon answers; without it the store speaks."""
    port = daemon.server_address[1]
    kept.write(f'[http]\nbind = "127.0.0.1:{port}"\nadmin_token_env = "ADMIN"')
    said = kept.say("status", ADMIN=TOKEN)
    assert said.code == 0, said.err
    assert TOKEN not in said.out + said.err
    assert "Due now        2" in said.out
    refused = kept.say("status")
    assert refused.code == 1
    assert "http.admin_token_env" in refused.err
    assert kept.say("status", "--json").json["running"] is True
    wrong = kept.say("status", ADMIN="another-token-0123456789")
    assert "http.admin_token_env" in wrong.err
    assert "does not answer" not in refused.err + wrong.err


def test_check_fails_where_the_api_cannot_be_reached_and_says_what_to_do(kept: Desk) -> None:
    """Exit 1; the failing line names the target, the failure and the advice."""
    said = kept.say("check", "--json", DEMURRAGE_TARGETS__DEFAULT__BASE_URL="http://127.0.0.1:9/v1")
    failed = [each for each in said.json["checks"] if each["grade"] == "fail"]
    assert said.code == 1
    assert [each["check"] for each in failed] == ["default: API"]
    assert "unreachable" in failed[0]["finding"]
    assert "http://127.0.0.1:9/v1" in failed[0]["finding"]
    assert "base_url" in failed[0]["advice"]


def test_check_offline_needs_no_key(kept: Desk) -> None:
    """Settings, store and log can be checked where the keys are not."""
    said = kept.say("check", "--offline", OPENAI_API_KEY="")
    assert said.code == 0, said.err
    assert "API" not in said.out


@pytest.mark.parametrize(
    "http", ['bind = "0.0.0.0:9470"', 'admin_token_env = "NOT_SET"', 'events_token_env = "NOT_SET"']
)
def test_check_offline_finds_tokens_that_are_missing(kept: Desk, http: str) -> None:
    """With them the daemon would not start; no network is needed to tell."""
    kept.write(f"[http]\n{http}")
    said = kept.say("check", "--offline", "--json", OPENAI_API_KEY="")
    failed = [each["check"] for each in said.json["checks"] if each["grade"] == "fail"]
    assert said.code == 1
    assert set(failed) == {"http"}


def test_check_warns_of_a_price_for_a_tier_that_nobody_knows(kept: Desk) -> None:
    """A slip of the hand would leave the true tier at its usual price."""
    kept.write('[billing]\nusd_per_minute = { "11g" = 1 }')
    checks = kept.say("check", "--offline", "--json").json["checks"]
    (told,) = [each for each in checks if each["check"] == "default: prices"]
    assert told["grade"] == "warn"
    assert "11g" in told["finding"]


@pytest.mark.parametrize("place", ["/proc/nope/x.db", "/dev/null/x.db"])
def test_check_fails_where_no_store_can_be_made(desk: Desk, place: str) -> None:
    """Not even for root, for whom every folder seems writable."""
    said = desk.say("check", "--offline", "--json", DEMURRAGE_DATABASE_URL=f"sqlite:///{place}")
    grades = {each["check"]: each["grade"] for each in said.json["checks"]}
    assert (said.code, grades["store"]) == (1, "fail")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ('mode = "enforce"', "nothing is ever deleted"),
        ('[policy]\nunproven = "delete"', "without proof"),
    ],
)
def test_check_warns_of_settings_that_may_not_be_meant(
    kept: Desk, settings: str, word: str
) -> None:
    """A warning is no failure."""
    kept.write(settings)
    said = kept.say("check", "--offline", "--json")
    (told,) = [each for each in said.json["checks"] if each["check"] == "default: policy"]
    assert said.code == 0
    assert told["grade"] == "warn"
    assert word in told["finding"]


def test_check_tells_of_a_store_of_somebody_else(desk: Desk) -> None:
    """A file that is no store fails by name."""
    (desk.folder / "demurrage.db").write_text("not a database at all, but long enough to look")
    said = desk.say("check", "--offline", "--json")
    failed = [each["check"] for each in said.json["checks"] if each["grade"] == "fail"]
    assert said.code == 1
    assert failed == ["store"]


def test_check_looks_at_the_folder_of_event_files(kept: Desk) -> None:
    """It is counted where it can be read, and a fail says what to do where it cannot."""
    folder = kept.folder / "events"
    variable = {"DEMURRAGE_EVENTS__FOLDER": str(folder)}
    missing = kept.say("check", "--offline", "--json", **variable)
    assert missing.code == 1
    assert _event_files(missing)["advice"]
    folder.mkdir()
    (folder / "app.jsonl").touch()
    found = _event_files(kept.say("check", "--offline", "--json", **variable))
    assert found["grade"] in ("pass", "warn")
    assert "1 event file" in found["finding"]
    assert "event files" not in kept.say("check", "--offline").out


def _event_files(said: Said) -> dict[str, str]:
    (found,) = [each for each in said.json["checks"] if each["check"] == "event files"]
    return dict(found)
