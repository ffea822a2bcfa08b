"""What is written down is what the daemon reads."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.unit.eventlog.conftest import LEAST
from tests.unit.recorder.conftest import Open, lines_in

from demurrage.eventlog.parse import parse
from demurrage.eventlog.schema import COMMITTED
from demurrage.model.event import Heartbeat, Unheard

SCHEMA = jsonschema.Draft202012Validator(json.loads(COMMITTED.read_text()))
KINDS = [kind.removeprefix("demurrage.") for kind in LEAST]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_what_schema_and_daemon_expect(kind: str, writer: Open, folder: Path) -> None:
    """One event of each kind, with the least data, passes both."""
    writer().note(kind, "default", dict(LEAST[f"demurrage.{kind}"]))
    (event,) = lines_in(folder)
    SCHEMA.validate(event)
    assert not isinstance(parse(event).fact, Unheard)
    assert parse(event).target == "default"


def test_the_heartbeats_pass_too(writer: Open, folder: Path) -> None:
    """The goodbye names what is in flight, the last sequence and the clock's offset."""
    opened = writer()
    opened.note("response.started", "default", {"call_id": "ended"})
    opened.note("response.started", "default", {"call_id": "open"})
    opened.note("response.finished", "default", {"call_id": "ended", "status": "completed"})
    opened.observe_date("Tue, 24 Nov 2026 10:00:00 GMT")
    opened.close()
    event = lines_in(folder)[-1]
    SCHEMA.validate(event)
    beat = parse(event).fact
    assert isinstance(beat, Heartbeat)
    assert (beat.final, beat.last_sequence, beat.dropped) == (True, 3, 0)
    assert beat.in_flight == {"open"}
    assert beat.clock_offset is not None


def test_nothing_stands_for_none(writer: Open, folder: Path) -> None:
    """None values are left out, false ones are not."""
    writer().note("response.started", "t", {"call_id": "a", "model": None, "background": False})
    (event,) = lines_in(folder)
    assert event["data"] == {"target": "t", "call_id": "a", "background": False}


def test_the_moment_can_be_given(writer: Open, folder: Path) -> None:
    """`at` is when it happened; without it, it happened now."""
    writer().note("response.known", "default", {"response_id": "r"}, at=1_800_000_000.25)
    (event,) = lines_in(folder)
    assert datetime.fromisoformat(event["time"]).timestamp() == 1_800_000_000.25


def test_a_source_is_named_after_its_process_and_its_files(writer: Open, folder: Path) -> None:
    """Every line of a file is of the source that ends in the file's name."""
    writer().note("response.known", "default", {"response_id": "r"})
    (event,) = lines_in(folder)
    (lock,) = folder.glob("*.lock")
    kind, _host, _pid, name = event["source"].split("/")
    assert (kind, name) == ("recorder", lock.name.removesuffix(".lock"))
    assert [path.name for path in folder.glob("*.jsonl")] == [f"{name}.1.jsonl"]


HOPELESS: list[dict[str, Any]] = [
    {"call_id": object()},
    {"call_id": float("nan")},
    {"call_id": "x" * 2_000_000},
]


@pytest.mark.parametrize("data", HOPELESS, ids=["no JSON", "no number", "too long"])
def test_what_cannot_be_written_is_admitted(
    data: dict[str, Any], writer: Open, folder: Path
) -> None:
    """It is dropped without an exception, and what is written stays gapless and says so."""
    opened = writer()
    with pytest.warns(RuntimeWarning, match="dropped"):
        opened.note("response.started", "default", data)
    opened.note("response.started", "default", {"call_id": "b"})
    opened.close()
    events = lines_in(folder)
    assert [event["sequence"] for event in events] == [1, 2, 3]
    beats = [e["data"] for e in events if e["type"] == "demurrage.writer.heartbeat"]
    assert [beat["dropped"] for beat in beats] == [1, 1]


@pytest.mark.filterwarnings("ignore:demurrage-recorder")
@pytest.mark.parametrize("place", ["writer.Journal", "source.Source.note"])
def test_an_event_that_an_error_has_lost_is_admitted(
    place: str, writer: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start that is nowhere would otherwise be missed by nobody."""

    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    opened = writer()
    if "Source" in place:
        opened.note("response.known", "default", {"response_id": "r"})
    with monkeypatch.context() as broken:
        broken.setattr(f"demurrage_recorder.{place}", fail)
        opened.note("response.started", "default", {"call_id": "a"})
    opened.note("response.started", "default", {"call_id": "b"})
    opened.close()
    beats = [each["data"] for each in lines_in(folder) if "heartbeat" in each["type"]]
    assert [beat["dropped"] for beat in beats] == [1, 1]


def test_a_warning_that_is_an_error_does_not_reach_the_application(writer: Open) -> None:
    """Under the strictest filter `note` still raises nothing."""
    writer().note("response.started", "default", {"call_id": object()})
