"""Responses of which the request was never logged: nothing bounds what they may have made."""

from tests.unit.decide.builders import Writer, sighting, verdict_of

from demurrage.model.verdict import VerdictKind


def test_a_bare_response_id_blocks_births_long_after_it_was_learned() -> None:
    """It may queue in the background, and make its container at any later time."""
    app, other = Writer(), Writer("app-2")
    app.starts("a", 210)
    app.ends("a", 230)
    other.knows("resp_b", 10)
    for each in (app, other):
        each.beats(390)
    assert verdict_of(sighting(born=212), app, other).kind is VerdictKind.PENDING


def test_an_opening_without_its_start_blocks_births_long_after_it() -> None:
    """That it runs in the background would have stood in the start."""
    app, other = Writer(), Writer("app-2")
    app.starts("a", 210)
    app.ends("a", 230)
    other.created("b", 10, created_at=10)
    for each in (app, other):
        each.beats(390)
    assert verdict_of(sighting(born=212), app, other).kind is VerdictKind.PENDING


def test_the_end_of_a_known_response_settles_it() -> None:
    """Once some request is logged to have had that id, nothing more is waited for."""
    app, other = Writer(), Writer("app-2")
    app.starts("a", 10)
    app.ends("a", 30)
    other.knows("resp_a", 31)
    for each in (app, other):
        each.beats(390)
    assert verdict_of(sighting(born=12), app, other).kind is VerdictKind.ORPHAN
