from dataclasses import replace

from tests.unit.cli.conftest import Desk, Refused

from demurrage.app.canary.catalogue import QUESTIONS
from demurrage.model.finding import Answer, Finding
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.serve import HarbourServer
from demurrage.simulator.settings import HarbourSettings

YES = Finding("delete-removes", Answer.YES, "without a header", {"name": 1}, 1_800_000_000.0)


def test_the_list_costs_nothing(desk: Desk) -> None:
    """Questions and costs are shown without a key, a store or a call."""
    told = desk.say("canary", "--list", "--json", OPENAI_API_KEY="").json
    assert [each["question"] for each in told["questions"]] == list(QUESTIONS)
    assert all(0 < each["usd_at_most"] < 0.25 for each in told["questions"])
    assert {each["known"] for each in told["questions"]} == {None}
    shown = desk.say("canary", "--list").out
    assert all(question in shown for question in QUESTIONS)


def test_nothing_is_paid_without_a_yes(kept: Desk) -> None:
    """Nobody at the terminal, no yes: it says what it would cost and how to go on."""
    said = kept.say("canary")
    assert said.code == 2
    assert "--yes" in said.err
    assert "$" in said.err
    assert "0 calls of gpt-5-mini and 1 container " in (
        kept.say("canary", "--only", "delete-removes").err
    )


def test_arguments_are_checked(kept: Desk, refused: Refused) -> None:
    """Unknown targets and questions are refused by name, and so is a choice that is not made."""
    assert "nosuch" in refused(kept.say("canary", "nosuch", "--yes"))
    assert "delete-removes" in refused(kept.say("canary", "--only", "nosuch", "--yes"))
    kept.write('[targets.second]\nbase_url = "http://localhost:1/v1"')
    assert "second" in refused(kept.say("canary", "--yes"))


def test_it_needs_the_daemons_store(desk: Desk, refused: Refused) -> None:
    """Without a store there is no log to write to, so nothing is begun."""
    assert "store" in refused(desk.say("canary", "--yes"), 1)


def test_what_is_known_is_shown_and_acknowledged(kept: Desk) -> None:
    """The last answer stands in the list; a person takes note of a change."""
    with kept.store() as store:
        store.record_finding("default", YES)
        store.record_finding("default", replace(YES, says="in another way"))
    told = kept.say("canary", "--list", "--json").json["questions"]
    (known,) = [each["known"] for each in told if each["known"]]
    assert (known["says"], known["changed_from"]) == ("in another way", YES.words)
    assert kept.say("canary", "--acknowledge", "--json").json["acknowledged"] == 1
    assert kept.say("canary", "--acknowledge", "--json").json["acknowledged"] == 0
    with kept.store() as store:
        store.record_finding("default", YES)
    assert "1 changed answer " in kept.say("canary", "--acknowledge").out


def test_exit_codes_tell_what_came_of_it(kept: Desk) -> None:
    """0 for a clear answer, 5 when it is another than before, 1 when it is unclear."""
    settings = HarbourSettings(scale=100, delete_lag=(0.0, 0.0))
    with HarbourServer(Harbour(settings, seed=4)) as server:
        kept.settings_file.write_text(
            f'database_url = "{kept.url}"\n[targets.default]\n'
            f'base_url = "{server.base_url}"\nrequests_per_minute = 100000\n'
        )
        ask = ("canary", "default", "--only", "delete-removes", "--yes", "--json")
        said = kept.say(*ask)
        assert said.code == 0, said.err
        (answer,) = said.json["answers"]
        assert (answer["answer"], answer["says"]) == ("yes", "without a header")
        assert kept.say(*ask).code == 0
        with kept.store() as store:
            store.record_finding("default", replace(YES, says="in another way"))
        said = kept.say(*ask)
        assert said.code == 5
        assert said.json["answers"][0]["changed_from"] == "yes: in another way"
        server.admin.fault("missing_scope", "POST *")
        assert kept.say(*ask).code == 1
        shown = kept.say("canary", "--only", "delete-removes", "--yes")
        assert "unclear" in shown.out
