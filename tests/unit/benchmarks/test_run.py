import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import run
from benchmarks.measured import Measured, Options


def _fake(options: Options) -> Iterator[Measured]:
    yield Measured("calls", 0.03, "of the rival", 0.1, rival="all: 100 calls")
    yield Measured("events", 9_000.0, "events/s", 10_000, at_least=True)
    yield Measured("depth", 2.0 if options.full else 1.0, "levels")


def _broken(_: Options) -> Iterator[Measured]:
    yield Measured("half", 0.5, "of it")
    raise RuntimeError("the benchmark broke")


def test_a_figure_is_held_against_its_limit() -> None:
    """At most, at least, or told for itself."""
    assert [each.met for each in _fake(Options())] == [True, False, None]


@pytest.mark.parametrize(
    ("value", "limit", "told", "bound"),
    [
        (1.0, 1.005, "1 times", "≤ 1.005"),
        (1.00493, 1.005, "1.00493 times", "≤ 1.005"),
        (1.186, 1.2, "1.186 times", "≤ 1.2"),
        (0.5, 1.2, "0.5 times", "≤ 1.2"),
        (12_345.6, 10_000, "12,346 times", "≤ 10,000"),
        (1.23456, None, "1.23 times", ""),
    ],
)
def test_a_figure_shows_how_close_its_limit_is(
    value: float, limit: float | None, told: str, bound: str
) -> None:
    """Never as if it were on it, or on the other side."""
    row = Measured("cost", value, "times", limit)
    assert (row.told, row.bound) == (told, bound)


def test_what_is_measured_is_told_and_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table and the file hold every figure, its limit and its rival, and the machine."""
    monkeypatch.setattr(run, "benchmarks", lambda _: {"fake": _fake})
    monkeypatch.setattr(run, "set_up_logs", lambda _: None)
    file = tmp_path / "figures.json"
    monkeypatch.setattr("sys.argv", ["run.py", "fake", "--full", "--json", str(file)])
    assert run.main() == 0
    written = json.loads(file.read_text())
    assert [each["value"] for each in written["measured"]] == [0.03, 9_000.0, 2.0]
    assert [each["met"] for each in written["measured"]] == [True, False, None]
    assert written["before"]["cores"] >= 1
    assert "all: 100 calls" in capsys.readouterr().out


def test_one_that_breaks_keeps_no_other_from_running() -> None:
    """Its name is told, and what it had measured counts."""
    rows, broken = run.run({"broken": _broken, "fake": _fake}, Options())
    assert broken == ["broken"]
    assert len(rows) == 4


def test_all_of_the_folder_are_found() -> None:
    """Each can be imported as it is installed here, and hands over or prints."""
    assert {"at_rest", "calls", "clearing", "events", "orders", "recorder"} <= set(
        run.benchmarks([])
    )
