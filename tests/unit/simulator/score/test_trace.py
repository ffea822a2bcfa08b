"""Reading traces: what is read, and what is wrong with a bad one."""

import gzip
from pathlib import Path

import pytest

from demurrage.simulator.score.load import Request, head, overlay
from demurrage.simulator.score.trace import TraceError, read_trace

GOOD = (
    "session,start_s,duration_s,u,tier,tool,mode,more\n"
    "a,5,2.5,0.3,4g,shell,streamed,x\n"
    "b,1,1,0.9,,,,\n"
)


def test_columns_are_read_and_rows_put_in_order(tmp_path: Path) -> None:
    """Optional columns may be empty, and unknown ones are passed over; gzipped or not."""
    for name, write in (("t.csv", Path.write_bytes), ("t.csv.gz", _gzip)):
        write(tmp_path / name, GOOD.encode())
        load = read_trace(tmp_path / name)
        assert load.requests == (
            Request("b", 1.0, 1.0, 0.9),
            Request("a", 5.0, 2.5, 0.3, "4g", "shell", "streamed"),
        )
        assert not load.recorded_use


def _gzip(path: Path, data: bytes) -> None:
    path.write_bytes(gzip.compress(data))


def test_recorded_use_outweighs_every_rate(tmp_path: Path) -> None:
    """`uses_tool` makes a draw that lies under all rates, or over all."""
    path = tmp_path / "t.csv"
    path.write_text("start_s,duration_est_s,uses_tool\n0,1,true\n1,1,No\n")
    load = read_trace(path)
    assert load.recorded_use
    assert [each.draw < 0 for each in load.requests] == [True, False]
    assert load.requests[1].draw > 1
    assert load.requests[0].session != load.requests[1].session


@pytest.mark.parametrize(("last", "recorded"), [("streamed", True), ("", False)])
def test_a_mode_is_recorded_where_every_request_tells_it(
    tmp_path: Path, last: str, *, recorded: bool
) -> None:
    """Else the switch decides for those that do not."""
    path = tmp_path / "t.csv"
    path.write_text(f"start_s,duration_s,mode\n0,1,blocking\n1,1,{last}\n")
    assert read_trace(path).recorded_mode is recorded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start_s,duration_s\n1,x\n", "line 2: column duration_s: must be a number"),
        ("start_s,duration_s\n1,2\n-1,2\n", "line 3: column start_s: must be 0 or more"),
        ("start_s,duration_s\n1,nan\n", "line 2: column duration_s: must be a finite"),
        ("start_s,duration_s,u\n1,2,1.5\n", "line 2: column u: must lie between 0 and 1"),
        ("start_s,duration_s,tier\n1,2,2g\n", "line 2: column tier: must be one of 1g"),
        ("start_s,duration_s,mode\n1,2,fast\n", "line 2: column mode: must be one of blocking"),
        ("start_s,duration_s,uses_tool\n1,2,\n", "line 2: column uses_tool: write true or"),
        ("start_s,duration_s\n1\n", "line 2: column duration_s: must be a number"),
        ("begin,duration_s\n1,2\n", "line 1: column start_s is missing"),
        ("start_s,seconds\n1,2\n", "line 1: column duration_s"),
        ("Start,seconds\n1,2\n", "which has Start, seconds"),
        ("start_s,duration_s\n1,000,2\n", "line 2: has more cells than the header"),
        ("start_s,start_s,duration_s\n1,1,2\n", "line 1: column start_s is there twice"),
        ("start_s,duration_s\n", "no rows"),
        ("start_s,duration_s\n1800000000,2\n", "not from an epoch"),
        ("", "line 1: column start_s is missing"),
    ],
)
def test_a_bad_trace_is_refused_with_its_place_and_the_fix(
    tmp_path: Path, text: str, said: str
) -> None:
    """The message names file, line, column and what to write."""
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(TraceError, match=r"bad\.csv") as error:
        read_trace(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00", gzip.compress(GOOD.encode())[:-9], b"plain"],
    ids=["no text", "a torn archive", "no archive"],
)
def test_what_is_no_text_or_no_whole_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    """Binary, cut off and wrongly named files are told in one line."""
    path = tmp_path / ("bad.csv" if data.startswith(b"\xff") else "bad.csv.gz")
    path.write_bytes(data)
    with pytest.raises(TraceError, match="bad"):
        read_trace(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The message says that it cannot be read."""
    with pytest.raises(TraceError, match="cannot be read"):
        read_trace(tmp_path / "none.csv")


def test_an_overlay_shifts_whole_sessions_and_keeps_the_span(tmp_path: Path) -> None:
    """Each copy has all requests, its sessions have their own names and keep their gaps."""
    path = tmp_path / "t.csv"
    path.write_text("session,start_s,duration_s\na,0,1\na,30,1\nb,400,1\nb,500,1\n")
    load = read_trace(path)
    laid = overlay(load, 3, seed=1)
    assert len(laid.requests) == 12
    sessions: dict[str, list[float]] = {}
    for request in laid.requests:
        sessions.setdefault(request.session, []).append(request.start)
    gaps = sorted(round(late - early, 6) for early, late in sessions.values())
    assert gaps == [30, 30, 30, 100, 100, 100]
    assert all(0 <= early < load.span for early, _ in sessions.values())
    assert laid == overlay(load, 3, seed=1) != overlay(load, 3, seed=2)
    assert len(head(load, 100 / 3600).requests) == 2
