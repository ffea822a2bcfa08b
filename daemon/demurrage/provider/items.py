"""What the input items of a response bring into its context, as far as containers are concerned.

Its echo shows the tools of the request itself and nothing of these.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from demurrage.model.event import Slot, Tool
from demurrage.provider.references import containers_in
from demurrage.provider.tools import slots_of_tool

# Items that stand for earlier ones without naming their responses, or their containers.
_REFERENCES = frozenset({"item_reference", "compaction", "compaction_summary"})
# Items by which tools come into a context, for the turns that go on from there as well.
_LOADING = frozenset({"additional_tools", "tool_search_call", "tool_search_output"})
# What a server offers runs there.
_OFFERED = "mcp_list_tools"


@dataclass(frozen=True, slots=True)
class Brought:
    """What some items bring along.

    `named`: containers. `slots`: each different one of the tools that they bring, and one of an
    unknown tool with these: they may be the request's own, and are replayed. `opaque`: one stands
    for others that are not told.
    """

    named: frozenset[str] = frozenset()
    slots: tuple[Slot, ...] = ()
    opaque: bool = False

    def __or__(self, other: "Brought") -> "Brought":
        """Both."""
        slots = dict.fromkeys((*self.slots, *other.slots))
        return Brought(self.named | other.named, tuple(slots), self.opaque or other.opaque)


def brought_by(items: Iterable[Any]) -> Brought:
    """What the items bring along; what is no object counts as one that stands for others."""
    items = list(items)
    return Brought(
        containers_in(items),
        tuple(dict.fromkeys(slot for item in items for slot in _slots(item))),
        any(_refers(item) for item in items),
    )


def _slots(item: Any) -> Iterator[Slot]:
    if not isinstance(item, dict):
        return
    tools, kind = item.get("tools"), item.get("type")
    brought = tools if isinstance(tools, list) and kind != _OFFERED else None
    if brought is not None or (isinstance(kind, str) and kind in _LOADING):
        yield Slot(Tool.UNKNOWN)
    for tool in brought or ():
        yield from slots_of_tool(tool)


def _refers(item: Any) -> bool:
    """True where it says so, or has no type and nobody's role: then it is a reference, too."""
    if not isinstance(item, dict):
        return True
    kind = item.get("type")
    if kind is None:
        return "role" not in item
    return not isinstance(kind, str) or kind in _REFERENCES
