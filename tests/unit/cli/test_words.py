"""A person's words: protect, resume, confirm, retire, and events of one's own."""

import json
import time
from base64 import b64encode
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest
from tests.unit.cli.conftest import Desk, Refused
from tests.unit.store.build import NOW, planned, sighting

from demurrage.cli.session import person
from demurrage.decide.holds import open_hold
from demurrage.eventlog.files.feed import FolderFeed
from demurrage.eventlog.log import EventLog
from demurrage.model.event import PERSON_PREFIX
from demurrage.model.facts import BreakKind, CoverageBreak
from demurrage.model.plan import Rail

NATIVE = "cntr_" + "0a" * 24
_INSIDE = f"litellm:custom_llm_provider:openai;model_id:m;container_id:{NATIVE}"
PROXYS = f"cntr_{b64encode(_INSIDE.encode()).decode()}"


def _trip(desk: Desk, rail: Rail, hold_id: str = "hold-1") -> None:
    with desk.store() as store:
        hold = open_hold(
            hold_id, "default", rail, [planned("cntr_1")], now=time.time(), summary="too many"
        )
        store.save_hold(hold)


def _event(**changes: Any) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "id": "1",
        "source": "app/1",
        "sequence": 1,
        "type": "demurrage.response.started",
        "time": "2026-11-22T10:00:00Z",
        "data": {"target": "default", "call_id": "call_1"},
    }
    return event | changes


def test_a_protection_holds_until_its_moment_under_the_person_s_name(kept: Desk) -> None:
    """`protect --until` reaches the facts that decisions go by, and the audit of acts."""
    said = kept.say("protect", "cntr_1", "--until", "2h", "--json")
    assert said.code == 0
    assert said.json["until"].endswith("Z")
    with kept.store() as store:
        now = time.time()
        assert store.facts("default", now).protected == {"cntr_1"}
        assert store.facts("default", now + 7300).protected == frozenset()
        assert store.acts()[0].by == person()


def test_a_protection_can_be_taken_back_once(kept: Desk, refused: Refused) -> None:
    """`--off` ends it; a second one finds nothing."""
    assert "for ever" in kept.say("protect", "cntr_1").out
    assert kept.say("protect", "cntr_1", "--off").code == 0
    assert "not protected" in refused(kept.say("protect", "cntr_1", "--off"), code=1)


def test_an_id_that_was_never_listed_is_protected_with_a_doubt(kept: Desk) -> None:
    """It may be newer than the last listing, or mistyped; only the person knows."""
    said = kept.say("protect", "cntr_9", "--json")
    assert (said.code, said.json["protected"]) == (0, True)
    assert "cntr_9" in said.err


def test_protecting_what_is_gone_says_so(kept: Desk) -> None:
    """A person may think that it can still be saved."""
    with kept.store() as store:
        store.save_sightings("default", [sighting("cntr_1"), sighting("cntr_2", gone_at=NOW)])
    assert kept.say("protect", "cntr_1").err == ""
    assert "gone" in kept.say("protect", "cntr_2").err


def test_what_is_no_container_is_not_protected(kept: Desk, refused: Refused) -> None:
    """A protection that can never hold would be a false comfort."""
    assert "cntr_" in refused(kept.say("protect", "nonsense"), code=1)
    with kept.store() as store:
        assert store.facts("default", time.time()).protected == frozenset()


def test_a_proxy_s_id_stands_for_the_one_inside_it(kept: Desk) -> None:
    """Protected, released and taken back is what is listed, whichever id a person sees."""
    said = kept.say("protect", PROXYS, "--json")
    assert said.json["container_id"] == NATIVE
    with kept.store() as store:
        assert store.facts("default", time.time()).protected == {NATIVE}
    assert kept.say("protect", PROXYS, "--off").code == 0
    with kept.store() as store:
        assert store.facts("default", time.time()).protected == frozenset()
    assert NATIVE in kept.say("events", "append", "--release", PROXYS).err
    assert kept.say("events", "append", "--release", PROXYS).err == "", "it is known by now"
    assert NATIVE in kept.say("events", "tail").out


def test_a_word_on_a_proxy_s_id_of_old_does_not_hide_the_container(kept: Desk) -> None:
    """What was protected by the proxy's id was no container."""
    with kept.store() as store:
        store.save_sightings("default", [sighting(NATIVE)])
        store.protect("default", PROXYS, None, "ann")
    assert kept.say("protect", PROXYS).err == ""
    with kept.store() as store:
        assert NATIVE in store.facts("default", time.time()).protected


def test_a_proxy_s_id_that_cannot_be_read_is_refused(kept: Desk, refused: Refused) -> None:
    """By its argument: what is said of it would be said of nothing."""
    broken = PROXYS[:40]
    assert refused(kept.say("protect", broken)).startswith("demurrage: ID: ")
    assert refused(kept.say("explain", broken)).startswith("demurrage: ID: ")
    assert refused(kept.say("events", "append", "--release", broken)).startswith(
        "demurrage: --release: "
    )
    assert kept.say("events", "tail").out == ""
    with kept.store() as store:
        assert store.facts("default", time.time()).protected == frozenset()
        store.save_sightings("default", [sighting(broken)])
    assert kept.say("protect", broken).code == 0, "a provider may give such ids itself"


@pytest.mark.parametrize("option", ["--release", "--end-conversation", "--finish"])
@pytest.mark.parametrize("given", ["", "bad id"])
def test_an_id_that_is_none_is_refused_by_its_option(
    kept: Desk, refused: Refused, option: str, given: str
) -> None:
    """Nothing is appended."""
    assert refused(kept.say("events", "append", option, given)).startswith(f"demurrage: {option}: ")
    assert kept.say("events", "tail").out == ""


@pytest.mark.parametrize(
    ("option", "name"),
    [("--release", "cntr_9"), ("--finish", "call_9"), ("--end-conversation", "conv_9")],
)
def test_an_id_that_nothing_names_is_appended_with_a_doubt(
    kept: Desk, option: str, name: str
) -> None:
    """It may be mistyped; only the person knows. One that is known raises none."""
    said = kept.say("events", "append", option, name, "--json")
    assert (said.json["accepted"], name in said.err) == (1, True)
    assert name not in kept.say("events", "append", option, name).err


def test_with_several_targets_a_stranger_needs_its_target_named(
    kept: Desk, refused: Refused
) -> None:
    """A container that was never listed belongs to nobody yet."""
    kept.write("[targets.other]")
    assert "--target" in refused(kept.say("protect", "cntr_1"))
    assert kept.say("protect", "cntr_1", "--target", "other").code == 0


def test_a_wave_hold_is_resumed_for_a_while(kept: Desk) -> None:
    """The yes has an end and a name, and the hold has not ended."""
    _trip(kept, Rail.DELETES_PER_HOUR)
    said = kept.say("resume", "hold-1", "--until", "10m", "--json")
    assert said.code == 0
    assert said.json["resumed_until"].endswith("Z")
    with kept.store() as store:
        (hold,) = store.holds("default")
    assert hold.resumed_by == person()
    assert hold.resumed_until == pytest.approx(time.time() + 600, abs=30)


def test_a_target_hold_ends_by_its_resume(kept: Desk, refused: Refused) -> None:
    """A second resume is told that it has ended."""
    _trip(kept, Rail.SECOND_REAPER)
    assert "goes on" in kept.say("resume", "hold-1").out
    assert "ended" in refused(kept.say("resume", "hold-1"), code=1)


def test_a_hold_that_never_was_is_not_found(kept: Desk, refused: Refused) -> None:
    """Exit 1, and where to look."""
    assert "status" in refused(kept.say("resume", "hold-9"), code=1)


@pytest.mark.parametrize("rail", [Rail.STORE_RESTORED, Rail.LOG_RESTORED])
def test_a_restore_is_answered_for_by_the_resume(kept: Desk, rail: Rail) -> None:
    """It says that nothing runs any more that was begun before: births count from then on."""
    _trip(kept, rail)
    before = _look(kept, 0.0)
    assert kept.say("resume", "hold-1").code == 0
    with kept.store() as store:
        assert before <= (store.facts("default", before).distrust_before or 0.0) <= time.time()


def test_confirm_settles_breaks_or_takes_windows_back(kept: Desk) -> None:
    """Each of the two words does its own."""
    now = time.time()
    with kept.store() as store:
        store.declare_coverage("default", at=now - 60)
        store.add_breaks([CoverageBreak("default", BreakKind.LATE_START, "call_1", now, "late")])
        store.note_late_births("default", now)
    _look(kept, 0.0)
    assert kept.say("confirm", "default", "--json").json["settled"] == 1
    with kept.store() as store:
        facts = store.facts("default", now)
        assert (facts.breaks, facts.whole_life_windows) == ((), True)
    assert kept.say("confirm", "default", "--windows").code == 0
    with kept.store() as store:
        assert not store.facts("default", now).whole_life_windows
        store.add_breaks([CoverageBreak("default", BreakKind.LATE_START, "call_2", now, "late")])
    assert "settles 1 break " in kept.say("confirm", "default").out


def test_only_a_writer_that_is_known_can_be_retired(kept: Desk, refused: Refused) -> None:
    """A mistyped source is no silent success."""
    assert kept.say("events", "append", "-", given=json.dumps(_event())).code == 0
    _look(kept, 1.0)
    assert "app/2" in refused(kept.say("writers", "retire", "app/2"), code=1)
    assert kept.say("writers", "retire", "app/1", "--yes", "--json").json["retired"] is True
    with kept.store() as store:
        assert set(store.facts("default", 0).retired) == {"app/1"}


def test_a_writer_that_spoke_a_moment_ago_is_retired_on_a_second_word_only(
    kept: Desk, refused: Refused
) -> None:
    """What it may still send would be taken never to come."""
    kept.say("events", "append", "-", given=json.dumps(_event()))
    _look(kept, 1.0)
    assert "--yes" in refused(kept.say("writers", "retire", "app/1"), code=3)
    with kept.store() as store:
        assert store.facts("default", 0).retired == {}


def test_a_writer_that_has_long_been_silent_needs_no_second_word(kept: Desk) -> None:
    """Silent for longer than evidence.writer_timeout."""
    log = EventLog.open(kept.url, clock=time.time)
    log.append([_event()], appended_at=time.time() - 120)
    log.close()
    _look(kept, 1.0)
    assert kept.say("writers", "retire", "app/1").code == 0


def test_retiring_lists_the_calls_left_open_with_the_command_for_each(kept: Desk) -> None:
    """Until they are settled they keep what they may have made; settled ones are not named."""
    some = [
        _event(
            id=str(place), sequence=place, data={"target": "default", "call_id": f"call_{place}"}
        )
        for place in (1, 2)
    ]
    kept.say("events", "append", "-", given="\n".join(map(json.dumps, some)))
    _look(kept, 1.0)
    kept.say("events", "append", "--finish", "call_1")
    said = kept.say("writers", "retire", "app/1", "--yes")
    assert "`demurrage events append --finish call_2 --target default`" in said.out
    assert "call_1" not in said.out
    (left,) = kept.say("writers", "retire", "app/1", "--yes", "--json").json["left_open"]
    assert (left["target"], left["call_id"]) == ("default", "call_2")
    assert left["started_at"].endswith("Z")


def test_writers_lists_whom_the_last_cycle_waited_for(kept: Desk) -> None:
    """The list comes from the snapshots, one row for each source."""
    assert "Nobody" in kept.say("writers").out
    writer = {"source": "app/1", "through": 1.0, "fault": "silent_writer", "detail": "no beat"}
    with kept.store() as store:
        store.save_status("default", 1.0, {"evidence": {"writers": [writer]}})
    (told,) = kept.say("writers", "--json").json["writers"]
    assert told["source"] == "app/1"
    assert told["targets"] == ["default"]
    assert "silent_writer" in kept.say("writers").out


def _look(desk: Desk, ago: float, target: str = "default", **clock: Any) -> float:
    """Note a cycle that ended so many seconds ago; returns when."""
    at = time.time() - ago
    with desk.store() as store:
        store.save_status(target, at, {"clock": {"offset": 0.0, "jumped": False, **clock}})
    return at


@pytest.mark.parametrize("word", [(), ("--yes",)])
def test_a_writer_is_retired_by_no_clock_that_may_be_ahead(
    kept: Desk, refused: Refused, word: tuple[str, ...]
) -> None:
    """It would be silent at once, and gone though it goes on speaking."""
    kept.say("events", "append", "-", given=json.dumps(_event()))
    looks: tuple[tuple[float, dict[str, Any]], ...] = (
        (3600.0, {}),
        (1.0, {"offset": None}),
        (-1e8, {"jumped": True}),
    )
    for ago, clock in looks:
        _look(kept, ago, **clock)
        assert "status" in refused(kept.say("writers", "retire", "app/1", *word), code=3)
    _look(kept, 1.0)
    assert "--yes" in refused(kept.say("writers", "retire", "app/1"), code=3)
    before = time.time()
    assert kept.say("writers", "retire", "app/1", "--yes").code == 0
    with kept.store() as store:
        # Not before it died: what it had begun may have been sent until then.
        assert store.facts("default", 0).retired["app/1"] >= before


def test_each_look_is_of_long_ago_by_its_own_target_s_rules(kept: Desk, refused: Refused) -> None:
    """A target that is looked at once an hour bears out no clock of another."""
    kept.write('[targets.slow.watch]\ninterval = "1h"\noverlap = "2h"\n[targets.slow]\n')
    kept.say("events", "append", "-", given=json.dumps(_event()))
    _look(kept, 3000.0)
    assert "status" in refused(kept.say("writers", "retire", "app/1", "--yes"), code=3)
    _look(kept, 3000.0, "slow")
    assert "status" in refused(kept.say("writers", "retire", "app/1", "--yes"), code=3)
    _look(kept, 1.0)
    assert kept.say("writers", "retire", "app/1", "--yes").code == 0


def test_one_target_s_late_look_keeps_no_writer_while_another_is_looked_at(kept: Desk) -> None:
    """That one bears this host's clock out."""
    kept.write("[targets.other]")
    kept.say("events", "append", "-", given=json.dumps(_event()))
    _look(kept, 3600.0)
    _look(kept, 1.0, "other")
    assert kept.say("writers", "retire", "app/1", "--yes").code == 0


def test_lines_without_a_source_are_retired_by_the_clock_that_heard_them(kept: Desk) -> None:
    """The next one is later than that, wherever the provider's clock stands."""
    folder = kept.folder / "said"
    folder.mkdir()
    (folder / "app.jsonl").write_text("nonsense\n")
    with closing(EventLog.open(kept.url, clock=time.time)) as log:
        FolderFeed(folder, log, targets=("default",), clock=lambda: 1e9).gather()
    _look(kept, 0.0, offset=-600.0)
    assert kept.say("writers", "retire", "?").code == 0
    with kept.store() as store:
        assert store.facts("default", 0).retired == {"?": 1e9}


def test_a_protection_by_a_clock_that_is_behind_counts_from_the_last_look(kept: Desk) -> None:
    """Else it would be over before it began."""
    looked_at = _look(kept, -3600.0)
    kept.say("protect", "cntr_1", "--until", "30m")
    with kept.store() as store:
        assert store.facts("default", looked_at + 1700).protected == {"cntr_1"}


def test_nothing_is_confirmed_while_the_time_is_not_known(kept: Desk, refused: Refused) -> None:
    """The word counts from a moment, and this host's clock alone must not tell it."""
    assert kept.say("confirm", "default").code == 0, "nothing is broken, so it counts from nowhere"
    with kept.store() as store:
        store.add_breaks([CoverageBreak("default", BreakKind.LATE_START, "call_1", 1e9, "late")])
    assert "default" in refused(kept.say("confirm", "default"), code=1)
    _look(kept, 0.0, jumped=True)
    assert "default" in refused(kept.say("confirm", "default"), code=1)
    _look(kept, 0.0)
    assert kept.say("confirm", "default").code == 0


def test_a_person_s_words_are_logged_under_the_person_s_source(kept: Desk) -> None:
    """Releases, ends and finishes are events of the person, of the right types."""
    said = kept.say(
        "events", "append", "--release", "cntr_1", "--end-conversation", "conv_1",
        "--end-conversation", "resp_1", "--finish", "call_1", "--json",
    )  # fmt: skip
    assert said.json == {"accepted": 4, "duplicates": 0}
    log = EventLog.open(kept.url, clock=time.time)
    raws = [each.raw or {} for each in log.recent(10)]
    log.close()
    assert {each["source"] for each in raws} == {f"{PERSON_PREFIX}{person()}"}
    assert [each["type"].removeprefix("demurrage.") for each in raws] == [
        "container.released", "conversation.ended", "conversation.ended", "response.finished",
    ]  # fmt: skip
    assert raws[2]["data"]["response_id"] == "resp_1"


def test_an_end_that_a_person_tells_covers_nothing_after_the_daemon_s_last_look(
    kept: Desk,
) -> None:
    """The clock of the person's host may be ahead, and nobody has measured it."""
    looked_at = _look(kept, 300.0)
    said = kept.say("events", "append", "--end-conversation", "conv_1", "--release", "cntr_1")
    assert "since is not covered" in said.err
    with closing(EventLog.open(kept.url, clock=time.time)) as log:
        times = [datetime.fromisoformat((each.raw or {})["time"]) for each in log.recent(10)]
    assert all(abs(each.timestamp() - looked_at) < 0.01 for each in times)


@pytest.mark.parametrize("clock", [{"jumped": True}, {"offset": None}])
def test_no_end_is_dated_by_a_look_that_did_not_know_the_time(
    kept: Desk, refused: Refused, clock: dict[str, Any]
) -> None:
    """It was dated by the same clock as the person, and that may be hours ahead."""
    _look(kept, 0.0, **clock)
    for option, name in (("--end-conversation", "conv_1"), ("--release", "cntr_1")):
        assert "default" in refused(kept.say("events", "append", option, name), code=3)
    with kept.store() as store:
        store.note_listed_whole("default")
        store.forget_looks()
    assert "default" in refused(kept.say("events", "append", "--release", "cntr_1"), code=3)
    assert kept.say("events", "tail").out == ""


@pytest.mark.parametrize("form", ["one", "array", "lines"])
def test_events_are_read_in_every_form_and_once(kept: Desk, form: str) -> None:
    """One event, an array, JSON lines; what is there already is only counted."""
    some = [_event(id=str(place), sequence=place) for place in (1, 2)]
    text = {
        "one": json.dumps(some[0], indent=2),
        "array": json.dumps(some),
        "lines": "\n".join(map(json.dumps, some)) + "\n\n",
    }[form]
    file = kept.folder / "events.json"
    file.write_text(text)
    count = 1 if form == "one" else 2
    assert kept.say("events", "append", str(file), "--json").json["accepted"] == count
    assert kept.say("events", "append", "-", "--json", given=text).json["duplicates"] == count


def test_a_bad_event_is_named_by_its_place_and_field_and_nothing_is_appended(
    kept: Desk, refused: Refused
) -> None:
    """A batch is taken as a whole or not at all."""
    bad = _event(id="2", sequence=2, data={"target": "default"})
    text = f"{json.dumps(_event())}\n{json.dumps(bad)}\n"
    line = refused(kept.say("events", "append", "-", given=text))
    assert "event 2" in line
    assert "call_id" in line
    assert kept.say("events", "tail").out == ""


def test_verify_ends_with_exit_1_where_something_is_missing(kept: Desk) -> None:
    """A gap is shown with its stretch."""
    kept.say("events", "append", "-", given=json.dumps(_event(sequence=5)))
    said = kept.say("events", "verify")
    assert said.code == 1
    assert "1-4" in said.out
    assert kept.say("events", "verify", "--json").json["sound"] is False


def test_verify_names_lines_of_files_that_were_set_aside(kept: Desk) -> None:
    """By file and line, so that whoever wrote them can be found."""
    folder = kept.folder / "events"
    folder.mkdir()
    (folder / "app.jsonl").write_text("no event\n")
    with closing(EventLog.open(kept.url, clock=time.time)) as log:
        FolderFeed(folder, log, targets=("default",), clock=time.time).gather()
    said = kept.say("events", "verify")
    assert said.code == 1
    assert "app.jsonl, line 1" in said.out
    (line,) = kept.say("events", "verify", "--json").json["set_aside"]
    assert line["reason"] in said.out


def test_a_person_s_word_leaves_the_log_sound(kept: Desk) -> None:
    """A person numbers nothing, so nothing of it can be missing."""
    kept.say("events", "append", "--end-conversation", "conv_1")
    said = kept.say("events", "verify")
    assert said.code == 0
    assert "NOT SOUND" not in said.out
    told = kept.say("events", "verify", "--json").json
    assert (told["sound"], told["sources"][0]["sound"]) == (True, True)
