"""Every container that a piece of the API's JSON names, wherever it hides.

A container's id stands under a name that speaks of containers (`container_id`, `container`), as
a text of its own, in a list, or as the `id` of an object. Nothing else is looked at: what models
and people write is no reference, and is never kept.
"""

from collections.abc import Iterator
from typing import Any

from demurrage.model.container import ID_PREFIX

_WORD = "container"


def containers_in(document: Any) -> frozenset[str]:
    """The ids of all containers that a parsed JSON document names.

    Ids that a proxy has rewritten come out as they are; the event log's border decodes them.
    """
    return frozenset(_named(document))


def _named(document: Any) -> Iterator[str]:
    # Not by recursion: what is nested without end shall not fail half-way through.
    left: list[tuple[str, Any]] = [("", document)]
    while left:
        name, value = left.pop()
        if isinstance(value, dict):
            speaks = _WORD in name
            left += [
                (f"{name}.{key}" if speaks and key == "id" else key, value[key]) for key in value
            ]
        elif isinstance(value, list):
            left += [(name, each) for each in value]
        elif isinstance(value, str) and _WORD in name and value.startswith(ID_PREFIX):
            yield value
