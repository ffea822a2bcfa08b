"""The survey against a harbour that knows the truth."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from demurrage.cli.program import app
from demurrage.simulator.serve import HarbourServer

KEY = "sk-survey-0123456789abcdef"
_DAY = 86_400.0


@pytest.fixture
def harbour() -> Iterator[HarbourServer]:
    """A project with 3,000 expired and 200 live rows of all tiers, and older ones."""
    with HarbourServer() as running:
        running.admin.seed(
            expired=3000,
            live=200,
            used_share=0.37,
            tiers={"1g": 5, "4g": 3, "16g": 2, "64g": 1},
            expired_age=(3_600.0, 6.9 * _DAY),
        )
        running.admin.seed(expired=400, used_share=0.5, expired_age=(8 * _DAY, 20 * _DAY))
        yield running


def survey(harbour: HarbourServer, *arguments: str) -> tuple[int, str, str]:
    """Run it with nothing but a key, as fast as it goes."""
    result = CliRunner().invoke(
        app,
        ["survey", "--rpm", "100000", *arguments],
        env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": harbour.base_url},
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert KEY not in result.output
    return result.exit_code, result.stdout, result.stderr


def _truth(harbour: HarbourServer) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = harbour.admin.truth()["containers"]
    now = harbour.admin.truth(containers=False)["totals"]["now"]
    return [each for each in cases if now - each["created_at"] < 7.5 * _DAY]


def test_it_tells_truly_who_was_never_used_by_tier_and_day(harbour: HarbourServer) -> None:
    """Each figure is the harbour's own, for fewer calls than a minute allows."""
    code, out, _ = survey(harbour, "--json")
    (told,) = json.loads(out)["targets"]
    unused = [each for each in _truth(harbour) if not each["used_by"]]
    assert code == 0
    assert told["complete"] is True
    assert told["calls"] <= 60
    assert told["total"]["containers"] == 3200
    assert told["total"]["never_used"] == len(unused)
    tiers = {tier: each["never_used"] for tier, each in told["by_tier"].items()}
    assert tiers == Counter(each["tier"] for each in unused)
    days = {day: each["never_used"] for day, each in told["by_day"].items() if each["never_used"]}
    born = (datetime.fromtimestamp(each["created_at"], UTC) for each in unused)
    assert days == Counter(each.date().isoformat() for each in born)
    alive = sum(each["gone_at"] is None for each in unused)
    assert told["total"]["live_never_used"] == alive


def test_the_price_of_the_expired_is_the_harbour_s(harbour: HarbourServer) -> None:
    """What the unused cost left alone is a range from nothing to the list price."""
    _, out, _ = survey(harbour, "--json")
    money = json.loads(out)["targets"][0]["total"]["never_used_usd"]
    unused = [each for each in _truth(harbour) if not each["used_by"]]
    assert money["low"] == 0
    assert money["high"] == pytest.approx(sum(each["usd_alone"] for each in unused), rel=0.06)


def test_it_only_lists_and_changes_nothing(harbour: HarbourServer) -> None:
    """Every call is a list, and every row is as it was."""
    before = {each["id"]: each["gone_by"] for each in _truth(harbour)}
    harbour.admin.forget_calls()
    assert survey(harbour)[0] == 0
    assert set(harbour.admin.calls()["counts"]) == {"GET /v1/containers"}
    assert {each["id"]: each["gone_by"] for each in _truth(harbour)} == before


def test_it_reads_no_further_back_than_asked(harbour: HarbourServer) -> None:
    """One day takes only the pages that hold one day."""
    code, out, _ = survey(harbour, "--days", "1", "--json")
    (told,) = json.loads(out)["targets"]
    assert code == 0
    assert told["calls"] < 10
    assert told["total"]["containers"] < 1000


def test_a_table_for_people_is_plain_when_piped(harbour: HarbourServer) -> None:
    """Tiers and days stand in columns, without colours or boxes, and the doubt is named."""
    _, out, _ = survey(harbour)
    assert "\x1b" not in out
    assert not set("│─┃━╭╰") & set(out)
    assert any(line.startswith("64g ") for line in out.splitlines())
    assert "not reconciled" in out


def test_passing_faults_are_got_over(harbour: HarbourServer) -> None:
    """A few failed pages are tried again; the result is whole, and the trouble was told."""
    harbour.admin.fault("server_error", "GET /v1/containers", count=2)
    code, out, err = survey(harbour, "--json")
    assert code == 0
    assert json.loads(out)["targets"][0]["total"]["containers"] == 3200
    assert "page 1" in err


def test_a_key_that_is_refused_ends_it_at_once(harbour: HarbourServer) -> None:
    """The result is named partial, says why, and the exit code is 1."""
    harbour.admin.fault("missing_scope", "GET /v1/containers")
    code, out, err = survey(harbour, "--json")
    (told,) = json.loads(out)["targets"]
    assert code == 1
    assert told["complete"] is False
    assert told["failure"]["kind"] == "missing_scope"
    assert "scope" in err
    code, out, _ = survey(harbour)
    assert (code, "$" in out) == (1, False), "no figures where there are none"


def test_rows_without_activity_are_counted_apart(harbour: HarbourServer) -> None:
    """What the listing does not say is neither used nor unused."""
    harbour.admin.fault("null_activity", "GET /v1/containers")
    _, out, _ = survey(harbour, "--json")
    total = json.loads(out)["targets"][0]["total"]
    assert total["unclear"] == total["containers"] == 3200
    assert total["used"] == total["never_used"] == 0


def test_an_api_that_cannot_be_reached_is_named_once() -> None:
    """Whose it is and where, and no more lines than troubles."""
    nowhere = "http://127.0.0.1:9/v1"
    result = CliRunner().invoke(
        app,
        ["survey", "--days", "1"],
        env={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": nowhere},
    )
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "default" in line
    assert nowhere in line
