"""Deletes that proved wrong: a container that the daemon deleted turns out to be referenced."""

from collections.abc import Collection, Mapping

from demurrage.decide.book import Book
from demurrage.model.container import Sighting


def regretted(
    book: Book,
    sightings: Mapping[str, Sighting],
    released: Collection[str],
    unknown: float,
) -> tuple[str, ...]:
    """Our tombstones that a response or pin names, against what their verdict said.

    Args:
        book: the target's folded log.
        sightings: its containers.
        released: those that were deleted because all that named them had ended; for them only
            what began after the delete counts.
        unknown: bound in seconds on the offset of a clock that has not been reported.
    """
    return tuple(
        sorted(
            sighting.id
            for sighting in sightings.values()
            if sighting.deleted_at is not None
            and _named_since(book, sighting.id, unknown)
            > (sighting.deleted_at if sighting.id in released else float("-inf"))
        )
    )


def _named_since(book: Book, container_id: str, unknown: float) -> float:
    """When something last began to name the container, -inf if nothing does."""
    moments = (
        *(response.begun_latest(unknown) for response in book.naming(container_id)),
        *(pin.at.latest(unknown) for pin in book.pins.get(container_id, ())),
    )
    return max(moments, default=float("-inf"))
