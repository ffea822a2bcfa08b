"""What there is to say of a container's most likely maker, for whoever looks for the cause."""

from demurrage.decide.response import Response
from demurrage.model.spike import Traits


def traits_of(maker: Response | None) -> Traits:
    """The traits of a logged request; nothing is known of one that is not logged."""
    if maker is None:
        return Traits()
    writer = "" if maker.started is None else maker.started.source.id
    return Traits(writer, maker.model or "", _context(maker), maker.labels)


def _context(maker: Response) -> str:
    """How it carried what went before it.

    Items that are replayed in the input are seen only where they name a container; without one
    they cannot be told from a first turn.
    """
    if maker.conversations:
        return "conversation"
    if maker.previous:
        return "previous response"
    return "replayed items" if maker.carried else "input alone"
