"""What the commands say and do beside a real daemon, and without it."""

import pytest
from tests.integration.cli.conftest import Story
from tests.integration.process.daemon import KEY

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]


def test_plan_without_a_store_works_and_says_that_nothing_is_known(story: Story) -> None:
    """Before the first start a plan is empty, and its notes say why."""
    said = story.said["plan without a store"]
    assert said.code == 0, said.err
    (plan,) = said.json["plans"]
    assert plan["deletes"] == []
    assert any("no store" in note for note in plan["notes"])


def test_check_passes_before_the_first_start_and_beside_the_daemon(story: Story) -> None:
    """API, clock and store pass, and nothing is deleted to find out whether that is allowed."""
    assert story.said["check without a store"].code == 0
    said = story.said["check json"]
    grades = {each["check"]: each["grade"] for each in said.json["checks"]}
    assert said.code == 0
    assert grades["default: API"] == grades["daemon"] == grades["store"] == "pass"
    assert grades["default: delete"] == "pass"


def test_a_target_that_nobody_logs_for_is_shown_the_line_to_add(story: Story) -> None:
    """Status gives an application's line with this daemon's own URL and the target's name."""
    said = story.said["status of nobody"]
    assert said.code == 0, said.err
    assert "/v1/events" in said.out
    assert (
        0
        < said.out.index("client = recorder.instrument(client, url=")
        < said.out.index("POST http")
    )
    assert '"target": "default"' in said.out
    assert "/v1/events" not in story.said["status"].out


def test_status_tells_verdicts_with_reasons_and_totals(story: Story) -> None:
    """Six orphans are due and three containers are referenced, with how many and why."""
    said = story.said["status json"]
    (target,) = said.json["targets"]
    assert said.code == 0
    assert said.json["running"] is True
    assert target["verdicts"]["orphan"] == target["due"] == 6
    assert target["reasons"]["orphan:no_reference"] == 6
    assert target["totals"]["created"] == 9
    assert target["at"].endswith("Z")
    assert "6 proven: no response needs it" in story.said["status"].out


def test_status_falls_back_to_the_store_and_says_so(story: Story) -> None:
    """Without the daemon the last snapshot is shown, named as such, with exit 1."""
    said = story.said["status at rest"]
    assert said.code == 1
    assert "does not answer" in said.err
    assert "orphan" in said.out


def test_plan_shows_and_saves_the_six_and_why(story: Story) -> None:
    """The saved plan holds the leaked containers alone, each with verdict and codes."""
    assert story.said["plan"].code == 0, story.said["plan"].err
    (plan,) = story.plan["plans"]
    assert story.plan["version"] == 1
    assert {each["container_id"] for each in plan["deletes"]} == set(story.leaked)
    assert {each["verdict"] for each in plan["deletes"]} == {"orphan"}
    assert all("no_reference" in each["codes"] for each in plan["deletes"])
    assert all(container in story.said["plan"].out for container in story.leaked)
    (shown,) = story.said["plan all json"].json["plans"]
    assert len(shown["containers"]) == 9


def test_sweep_is_refused_in_observe_mode_and_beside_a_daemon(story: Story) -> None:
    """Exit 3 without enforce, exit 4 while a daemon holds the store."""
    assert story.said["sweep in observe"].code == 3
    assert story.said["sweep beside the daemon"].code == 4


def test_a_second_daemon_and_a_migration_are_turned_away(story: Story) -> None:
    """One daemon to a store: exit 4 with one line."""
    for name in ("run beside the daemon", "migrate beside the daemon"):
        assert story.said[name].code == 4, story.said[name].err
        assert "Traceback" not in story.said[name].err


def test_a_rail_holds_the_whole_sweep_until_it_is_resumed(story: Story) -> None:
    """Exit 3 and nothing deleted; the hold that opens takes its resume."""
    said = story.said["sweep held"]
    fates = [each["fate"] for each in said.json["results"]]
    assert said.code == 3, said.err
    assert sorted(fates) == ["held"] * 5 + ["kept"]
    assert story.said["resume"].code == 0, story.said["resume"].err


def test_sweep_deletes_what_was_shown_except_what_is_protected_since(story: Story) -> None:
    """Five of the six go; the protected one is reported and kept; nothing else is touched."""
    said = story.said["sweep"]
    assert said.code == 0, said.err
    gone = {each["id"] for each in story.truth["containers"] if each["gone_by"] == "delete"}
    assert gone == set(story.leaked) - {story.protected}
    assert story.truth["totals"]["harm"] == 0
    (kept,) = [line for line in said.out.splitlines() if story.protected in line]
    assert "kept" in kept
    assert "protect" in kept


def test_sweep_of_a_plan_that_no_longer_holds_is_refused(story: Story) -> None:
    """The same plan once more deletes nothing and ends with exit 3."""
    said = story.said["sweep again"]
    assert said.code == 3
    assert {each["fate"] for each in said.json["results"]} == {"gone", "kept"}


def test_no_command_ever_retrieves_a_container(story: Story) -> None:
    """The daemon and all commands only list and delete."""
    assert "GET /v1/containers/{id}" not in story.truth["counts"]


def test_explain_tells_maker_reasons_due_time_delete_and_cost(story: Story) -> None:
    """The whole case of a swept orphan can be read with the daemon down."""
    one = max(story.leaked)
    case = story.said["explain json"].json["containers"][0]
    assert case["id"] == one
    # Births of one listed second can be told apart by nothing: the maker is a likely one.
    maker = case["maker"]["response_id"]
    assert maker in story.leaked.values()
    assert case["verdict"]["kind"] == "orphan"
    assert case["verdict"]["due_at"].endswith("Z")
    assert case["deletions"][0]["outcome"] == "deleted"
    assert case["money"]["saved"]["high"] > 0
    out = story.said["explain"].out
    for words in (maker, "no response, conversation or pin names it", "Due", "Cost"):
        assert words in out


def test_explain_tells_of_a_protection(story: Story) -> None:
    """The protected container's case names the protection and no delete."""
    case = story.said["explain protected"].json["containers"][0]
    assert case["protection"]["until"].endswith("Z")
    assert case["verdict"]["kind"] == "protected"
    assert case["deletions"] == []


def test_explain_answers_for_a_response_too(story: Story) -> None:
    """A response's id leads to its request and to the container that it made."""
    said = story.said["explain response"]
    assert said.json["requests"][0]["status"] == "completed"
    (container,) = [each["id"] for each in said.json["containers"]]
    assert container in story.leaked


def test_explain_of_the_unknown_fails_in_one_line(story: Story) -> None:
    """Nothing of that name: exit 1."""
    said = story.said["explain nothing"]
    assert said.code == 1
    assert len(said.err.splitlines()) == 1


def test_the_log_can_be_read_and_is_sound(story: Story) -> None:
    """Tail shows the events, as JSON lines too; verify finds no gap."""
    assert "response.started" in story.said["tail"].out
    assert len(story.said["tail json"].out.splitlines()) == 5
    assert story.said["verify"].code == 0, story.said["verify"].out


def test_backup_makes_a_file_while_the_daemon_runs(story: Story) -> None:
    """The copy is there and its size is told."""
    assert story.said["backup"].code == 0, story.said["backup"].err
    assert "copied" in story.said["backup"].out


def test_nothing_that_is_said_holds_a_key_a_colour_or_a_box(story: Story) -> None:
    """Piped output is plain text without secrets, whatever the command."""
    for name, said in story.said.items():
        everything = said.out + said.err
        assert KEY not in everything, name
        assert "\x1b" not in everything, name
        assert not set("│─┃━╭╰") & set(everything), name
