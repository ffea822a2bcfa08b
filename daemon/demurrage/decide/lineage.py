"""Which responses belong together, and whether they may still come back.

A lineage is the set of responses linked by `previous_response_id` or by a conversation; a
replayed item links a response to a container directly, through the ids its request carried.
It lives until `conversation.ended` ends it, and an end covers only what started before it.
"""

from collections.abc import Callable, Iterable, Iterator

from demurrage.decide.response import Moment, Response, lineage_keys


class Lineages:
    """Union-find over responses and conversations, with the members of each set."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}
        self._members: dict[str, set[str]] = {}
        self._ordered: dict[str, tuple[str, ...]] = {}  # the same, for those that were asked for
        self._ends: dict[str, list[tuple[str, Moment]]] = {}  # by root, with the key named

    def join(self, response: Response) -> None:
        """Link a response to whatever its events name; linking again changes nothing."""
        own = f"call:{response.call_id}"
        root = self._find(own)
        if response.call_id not in self._members[root]:
            self._members[root].add(response.call_id)
            self._ordered.pop(root, None)
        for key in response.keys:
            self._union(own, key)

    def end(self, conversation: str | None, response_id: str | None, at: Moment) -> None:
        """Note that the lineage of a conversation or response is over."""
        for key in lineage_keys(conversation, response_id):
            self._ends.setdefault(self._find(key), []).append((key, at))

    def members(self, call_id: str) -> frozenset[str]:
        """The call ids of everything in the lineage of one response."""
        key = f"call:{call_id}"
        if key not in self._parent:
            return frozenset((call_id,))
        return frozenset(self._members[self._find(key)])

    def linked(self, key: str) -> frozenset[str]:
        """The call ids of everything in the lineage that a key stands in; none if in none."""
        return frozenset(self._members[self._find(key)] if key in self._parent else ())

    def distinct(self, call_ids: Iterable[str]) -> list[tuple[str, ...]]:
        """The lineages of some responses, each once, as the call ids of everything in it.

        All is in the order of the ids, so that it does not depend on what was read first.
        """
        roots = {self._find(f"call:{call_id}") for call_id in call_ids}
        return sorted(self._in_order(root) for root in roots)

    def ends(self, call_id: str) -> list[Moment]:
        """Every end that was declared for the lineage of one response."""
        return [at for _, at in self._ends.get(self._find(f"call:{call_id}"), ())]

    def all_ends(self) -> Iterator[Moment]:
        """Every end that was declared, of whatever lineage."""
        return (at for ends in self._ends.values() for _, at in ends)

    def drop_loose(self, over: Callable[[Moment], bool]) -> frozenset[str]:
        """Drop what was declared over and no response belongs to, once each such end is `over`.

        Returns:
            The keys that were named.
        """
        loose = [
            root
            for root, ends in self._ends.items()
            if not self._members[root] and all(over(at) for _, at in ends)
        ]
        return frozenset(key for root in loose for key, _ in self._ends.pop(root))

    def without(self, forgotten: Iterable[Response], kept: Iterable[Response]) -> "Lineages":
        """The same lineages without those that retention has taken whole."""
        fresh = Lineages()
        for response in kept:
            fresh.join(response)
        gone = {key for response in forgotten for key in response.keys}
        for ends in self._ends.values():
            for key, at in ends:
                if key not in gone:
                    fresh._ends.setdefault(fresh._find(key), []).append((key, at))
        return fresh

    def _in_order(self, root: str) -> tuple[str, ...]:
        ordered = self._ordered.get(root)
        if ordered is None:
            ordered = self._ordered[root] = tuple(sorted(self._members[root]))
        return ordered

    def _find(self, key: str) -> str:
        parent = self._parent
        if key not in parent:
            parent[key] = key
            self._members[key] = set()
            return key
        root = key
        while parent[root] != root:
            root = parent[root]
        while parent[key] != root:
            parent[key], key = root, parent[key]
        return root

    def _union(self, one: str, other: str) -> None:
        a, b = self._find(one), self._find(other)
        if a == b:
            return
        if len(self._members[a]) < len(self._members[b]):
            a, b = b, a
        self._parent[b] = a
        joined = self._members.pop(b)
        if joined:
            self._members[a] |= joined
            self._ordered.pop(a, None)
        self._ordered.pop(b, None)
        if b in self._ends:
            self._ends.setdefault(a, []).extend(self._ends.pop(b))
