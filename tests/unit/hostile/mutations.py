"""Documents that are nearly right: one place of a good one holds something else."""

import copy
from typing import Any

from hypothesis import strategies as st

SECRET = "sk-proj-S3cretS3cretS3cretS3cret"

# Whatever JSON can hold, and in between a secret that no message may repeat.
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from([SECRET, f"cntr_{SECRET}", "1" * 400, "\ud800", "\0", 10**30, -1, ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_GONE = object()


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a document, its root left out."""
    steps = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    return [
        place for step, inner in steps for place in ((*path, step), *_places(inner, (*path, step)))
    ]


@st.composite
def mutated(draw: st.DrawFn, *documents: Any) -> Any:
    """One of the documents with some of its places replaced or, in objects, taken away."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(_places(document) or [(None,)]))
        if last is None:
            return draw(VALUES)
        holder = document
        for step in way:
            holder = holder[step]
        value = draw(VALUES | st.just(_GONE))
        if value is not _GONE:
            holder[last] = value
        elif isinstance(holder, dict):
            del holder[last]
    return document
