"""What is said of the maker of an orphan."""

import pytest

from demurrage.decide.response import Moment, Response
from demurrage.decide.source import Source
from demurrage.decide.spike_traits import traits_of
from demurrage.model.spike import Traits

NAMED = frozenset({"x"})


def test_of_no_maker_nothing_is_known() -> None:
    """Nor of one whose start is not logged."""
    assert traits_of(None) == Traits()
    assert traits_of(Response("call")) == Traits(context="input alone")


def test_its_writer_model_and_labels_are_as_logged() -> None:
    """All of them."""
    maker = Response(
        "call",
        started=Moment(1.0, Source("app-1")),
        model="gpt-5",
        labels=(("app", "chat"), ("team", "blue")),
    )
    assert traits_of(maker) == Traits("app-1", "gpt-5", "input alone", maker.labels)


@pytest.mark.parametrize(
    ("maker", "context"),
    [
        (Response("c", conversations=NAMED, previous=NAMED, carried=NAMED), "conversation"),
        (Response("c", previous=NAMED, carried=NAMED), "previous response"),
        (Response("c", carried=NAMED), "replayed items"),
    ],
)
def test_its_context_is_how_it_carried_what_went_before(maker: Response, context: str) -> None:
    """A conversation before a previous response before replayed items."""
    assert traits_of(maker).context == context
