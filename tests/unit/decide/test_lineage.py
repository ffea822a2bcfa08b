"""Which responses stand in one lineage, and what is left of it when some are forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.examples import examples
from tests.unit.decide.builders import T

from demurrage.decide.lineage import Lineages
from demurrage.decide.response import Moment, Response
from demurrage.decide.source import Source
from demurrage.model.event import Ending

APP = Source("app-1")
AT = Moment(T + 50.0, APP, 5)


def in_talk(call: str, talk: str) -> Response:
    """A response of a conversation."""
    return Response(call, conversations=frozenset({talk}))


def test_what_was_never_linked_stands_alone() -> None:
    """And asking does not link it."""
    lineages = Lineages()
    assert lineages.members("a") == {"a"}
    assert lineages.linked("conv:talk") == frozenset()
    assert lineages.linked("conv:talk") == frozenset()


def test_one_conversation_is_one_lineage() -> None:
    """Whoever is asked."""
    lineages = Lineages()
    for each in (in_talk("a", "talk"), in_talk("b", "talk"), in_talk("c", "other")):
        lineages.join(each)
    assert lineages.members("a") == lineages.linked("conv:talk") == {"a", "b"}
    assert set(map(frozenset, lineages.distinct(["a", "b", "c"]))) == {
        frozenset("ab"),
        frozenset("c"),
    }


@examples(200)
@given(
    told=st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(["", "talk", "chat", "walk"])),
        max_size=12,
    ),
    asked=st.lists(st.sampled_from("abcdef"), max_size=4),
)
def test_who_was_asked_for_before_changes_no_answer(
    told: list[tuple[str, str]], asked: list[str]
) -> None:
    """Of a lineage that has grown since all is known, or its youngest would not keep anything."""
    lineages, joined = Lineages(), []
    for call, talk in told:
        lineages.distinct(asked)
        response = in_talk(call, talk) if talk else Response(call)
        lineages.join(response)
        joined.append(response)
        afresh = Lineages()
        for each in joined:
            afresh.join(each)
        assert lineages.distinct("abcdef") == afresh.distinct("abcdef")
        assert all(set(each) == lineages.members(each[0]) for each in lineages.distinct([call]))


@pytest.mark.parametrize("first", [True, False])
def test_an_end_covers_the_lineage_whichever_is_told_first(*, first: bool) -> None:
    """The log is in no order."""
    lineages = Lineages()
    if first:
        lineages.end("talk", None, AT)
    lineages.join(in_talk("a", "talk"))
    lineages.join(in_talk("b", "other"))
    if not first:
        lineages.end("talk", None, AT)
    assert lineages.ends("a") == [AT]
    assert lineages.ends("b") == []


def test_forgetting_a_lineage_keeps_the_others_with_their_ends() -> None:
    """Theirs, and those of lineages of which nothing is logged yet; its own end goes with it."""
    lineages = Lineages()
    old, kept = in_talk("old", "past"), in_talk("kept", "talk")
    lineages.join(old)
    lineages.join(kept)
    for talk in ("past", "talk", "to come"):
        lineages.end(talk, None, AT)
    fresh = lineages.without([old], [kept])
    assert fresh.members("old") == {"old"}
    assert fresh.members("kept") == {"kept"}
    assert fresh.ends("kept") == [AT]
    fresh.join(in_talk("new", "to come"))
    assert fresh.ends("new") == [AT]
    fresh.join(in_talk("again", "past"))
    assert fresh.ends("again") == []


class TestAbsorbing:
    """An application's own record of a response takes in what the daemon has read of it."""

    def _pair(self) -> tuple[Response, Response]:
        return (
            Response(
                "call",
                carried=frozenset({"c1"}),
                named=frozenset({"n1"}),
                previous=frozenset({"p1"}),
                conversations=frozenset({"t1"}),
            ),
            Response(
                "resp",
                carried=frozenset({"c2"}),
                named=frozenset({"n2"}),
                previous=frozenset({"p2"}),
                conversations=frozenset({"t2"}),
            ),
        )

    def test_loses_no_name_of_either(self) -> None:
        """What either of them names is in use."""
        own, read = self._pair()
        own.absorb(read)
        assert own.named == {"n1", "n2"}
        assert own.carried == {"c1", "c2"}
        assert own.previous == {"p1", "p2"}
        assert own.conversations == {"t1", "t2"}
        assert read.superseded
        assert not read.auto_slots

    def test_of_one_that_has_not_ended_brings_no_end(self) -> None:
        """Nor does one whose end is told without its moment."""
        for ending, finished in ((None, None), (Ending.COMPLETED, None), (None, AT)):
            own, read = self._pair()
            read.ending, read.finished = ending, finished
            own.absorb(read)
            assert (own.ending, own.finished) == (None, None)

    def test_brings_the_end_and_the_later_of_two_moments(self) -> None:
        """The response held its containers until then."""
        own, read = self._pair()
        read.ending, read.finished = Ending.COMPLETED, AT
        own.absorb(read)
        assert (own.ending, own.finished) == (Ending.COMPLETED, AT)
        later = AT._replace(time=AT.time + 9)
        own, read = self._pair()
        own.ending, own.finished = Ending.FAILED, later
        read.ending, read.finished = Ending.COMPLETED, AT
        own.absorb(read)
        assert (own.ending, own.finished) == (Ending.COMPLETED, later)
