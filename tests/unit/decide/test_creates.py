"""Containers whose creation an application began, and of whose answer nothing is known."""

from dataclasses import replace

import pytest
from tests.unit.decide.builders import (
    RULES,
    TARGET,
    T,
    Writer,
    ledger_of,
    policy,
    sighting,
    verdict_of,
)

from demurrage.decide.creates import unanswered_creates
from demurrage.model.event import ContainerRequested
from demurrage.model.verdict import Code, VerdictKind


def _turn() -> Writer:
    """A finished turn that can have made a container born at 12."""
    app = Writer()
    app.beats(-300)
    app.starts("a", 10)
    app.ends("a", 30)
    app.beats(390)
    return app


def _app(*told: tuple[float, str | None]) -> Writer:
    """One that sets about creating containers, and is answered with these ids."""
    app = Writer("app-2")
    app.beats(-300)
    for at, container_id in told:
        if container_id is None:
            app.say(at, ContainerRequested())
        else:
            app.makes(container_id, at)
    app.beats(390)
    return app


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (((8, None),), True),
        (((8, None), (9, "cntr_2")), False),
        # The first was sent again, and only the second was answered.
        (((8, None), (12, None), (13, "cntr_2")), True),
        (((8, None), (12, None), (13, "cntr_2"), (14, "cntr_3")), False),
        # Far from the birth.
        (((-200, None),), False),
        (((30, None),), False),
        # One answer told twice answers one request.
        (((8, None), (9, None), (12, "cntr_2"), (13, "cntr_2")), True),
        (((8, None), (9, "cntr_2"), (200, None), (201, "cntr_2")), False),
        # An answer alone, the request being forgotten, answers no other.
        (((-2, "cntr_2"), (8, None)), True),
        # At one moment its own count tells which came first.
        (((8, "cntr_2"), (8, None)), True),
        # A later one's answer does not answer what was lost before.
        (((8, None), (200, None), (201, "cntr_2")), True),
    ],
)
def test_what_was_born_while_one_was_created_is_kept(
    told: tuple[tuple[float, str | None], ...], *, kept: bool
) -> None:
    """Until every request of that application has its answer."""
    verdict = verdict_of(sighting(), _turn(), _app(*told))
    assert (verdict.codes == (Code.CREATE_UNANSWERED,)) is kept
    assert verdict.kind is (VerdictKind.EXPLICIT if kept else VerdictKind.ORPHAN)


def test_each_application_is_answered_by_its_own_word() -> None:
    """Two may tell of one container in one moment."""
    apps = [_app((8, None), (9, "cntr_2")) for _ in range(2)]
    told = [
        [replace(each, event=replace(each.event, source=name)) for each in app.entries]
        for name, app in zip(("app-2", "app-3"), apps, strict=True)
    ]
    assert verdict_of(sighting(), _turn(), *told).kind is VerdictKind.ORPHAN


@pytest.mark.parametrize(("known", "off"), [(True, 0.0), (False, RULES.evidence.max_event_delay)])
def test_it_may_be_born_from_the_request_on_until_a_birth_can_be_late(
    *, known: bool, off: float
) -> None:
    """As far as clocks may be off."""
    app = Writer()
    if known:
        app.beats(0)
    app.say(8, ContainerRequested())
    (found,) = unanswered_creates(ledger_of(app).book(TARGET), RULES.evidence)
    skew, delay = RULES.evidence.clock_skew, RULES.evidence.max_birth_delay
    assert (found.opens, found.closes) == (T + 8 - off - skew, T + 8 + off + delay + skew)


def test_words_without_a_place_are_put_in_order_all_the_same() -> None:
    """By their time, and before those that have one."""
    app = Writer()
    app.say(8, ContainerRequested(), sequence=None)
    app.makes("cntr_2", 8)
    assert unanswered_creates(ledger_of(app).book(TARGET), RULES.evidence) == ()


def test_where_auto_containers_bear_a_name_it_tells() -> None:
    """What an application creates bears another."""
    rules = policy(auto_name="auto*")
    verdict = verdict_of(sighting(name="auto-1"), _turn(), _app((8, None)), rules=rules)
    assert verdict.kind is VerdictKind.ORPHAN
