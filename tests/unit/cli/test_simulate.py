"""`demurrage simulate`: what it prints, and what it refuses."""

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Desk

SHORT = ("simulate", "--rate", "0.05", "--hours", "0.2")


def _deleted(score: dict[str, int]) -> int:
    return score["deleted_before_floor"] + score["deleted_late"]


def test_json_holds_a_score_for_every_setting(desk: Desk) -> None:
    """Two rates and two proofs make four scores, none with harm."""
    said = desk.say(*SHORT, "--tool-use", "0.1,0.8", "--proof", "both", "--json")
    assert said.code == 0
    scores = said.json["scores"]
    assert [(each["tool_use"], each["proof"]) for each in scores] == [
        (0.1, "strict"), (0.1, "deduced"), (0.8, "strict"), (0.8, "deduced"),
    ]  # fmt: skip
    for each in scores:
        assert each["coverage"] == "complete"
        assert each["harmful"] == 0
        assert _deleted(each) + each["never_deleted"] == each["orphans"]


def test_a_trace_is_read_and_its_score_shown(desk: Desk) -> None:
    """A table for people, with the trace's name above it."""
    trace = desk.folder / "mine.csv"
    trace.write_text("session,start_s,duration_s,uses_tool\na,0,5,no\na,60,5,yes\na,90,5,no\n")
    said = desk.say("simulate", str(trace))
    assert said.code == 0
    assert said.out.startswith("mine.csv: 3 requests in 1m 31s\n")
    assert "ORPHANS" in said.out
    assert said.out.count("as in the trace  blocking") == 2
    assert "20%" not in said.out
    assert said.out == desk.say("simulate", str(trace), "--tool-use", "0.9,0.1").out
    (score,) = desk.say("simulate", str(trace), "--json").json["scores"]
    assert score["tool_use"] is None
    assert "as in the trace  strict" in desk.say("simulate", str(trace), "--coverage", "1").out


def test_partial_coverage_says_whether_the_word_may_be_given(desk: Desk) -> None:
    """--coverage shows one row a share, and nothing is deleted."""
    said = desk.say(*SHORT, "--coverage", "1,0.5", "--json")
    assert [each["share_logging"] for each in said.json["scores"]] == [1.0, 0.5]
    assert {_deleted(each) for each in said.json["scores"]} == {0}
    assert "MAY BE CALLED COMPLETE" in desk.say(*SHORT, "--coverage", "1").out


def test_the_rules_come_from_the_settings(desk: Desk) -> None:
    """A rail of one delete an hour in the settings file holds the replay's sweep too."""
    desk.write("[rails]\nmax_deletes_per_hour = 1\n")
    (score,) = desk.say(*SHORT, "--json").json["scores"]
    assert _deleted(score) <= 1
    assert score["holds"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--tool-use", "0.2,x"), "--tool-use"),
        (("--tool-use", "1.2"), "--tool-use"),
        (("--coverage", "-1"), "--coverage"),
        (("--rate", "0"), "--rate"),
        (("--hours", "1000"), "--hours"),
        (("--tail", "9999"), "--tail"),
        (("--overlay", "0"), "--overlay"),
        (("--writers", "0"), "--writers"),
        (("--naive-minutes", "20"), "--naive-minutes"),
        (("--plot", "costs.pdf"), "--plot"),
        (("--plot", "/no/such/folder/costs.svg"), "--plot"),
    ],
)
def test_a_wrong_argument_is_named(desk: Desk, arguments: tuple[str, ...], named: str) -> None:
    """One line says which, and the code is that of a wrong argument."""
    said = desk.say("simulate", *arguments)
    assert said.code == 2
    assert named in said.err


def test_a_bad_trace_is_refused_by_line_and_column(desk: Desk) -> None:
    """What is wrong in a file is an error of usage too."""
    trace = desk.folder / "bad.csv"
    trace.write_text("start_s,duration_s\n0,1\n1,soon\n")
    said = desk.say("simulate", str(trace))
    assert said.code == 2
    assert "bad.csv: line 3: column duration_s" in said.err


def test_without_matplotlib_the_install_line_is_given(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A plot needs an extra, and the refusal comes before the replay."""
    monkeypatch.setattr("demurrage.simulator.score.plot.find_spec", lambda _: None)
    said = desk.say(*SHORT, "--plot", str(tmp_path / "costs.svg"))
    assert said.code == 2
    assert ".[plot]" in said.err


def test_a_plot_of_what_is_not_deleted_is_refused(desk: Desk, tmp_path: Path) -> None:
    """Under partial coverage nothing is, so all bars would tell the same."""
    said = desk.say(*SHORT, "--coverage", "1,0.5", "--plot", str(tmp_path / "costs.svg"))
    assert said.code == 2
    assert "--plot" in said.err
