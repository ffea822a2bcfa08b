"""What was said under which name, to notice one name with two contents.

Contents are hashes of what was said, and names are numbers: hashes, or places in a sequence.
"""

from array import array
from dataclasses import dataclass, field

# Places that are held together: two kilobytes for a writer that says little.
_BLOCK = 256


@dataclass(slots=True)
class Names:
    """The latest names of any kind: at most `many`, at least half as many.

    They are held in two generations: where the younger is full, the older goes as a whole. Names
    that went one by one would leave a dictionary whose first entry is further to seek each time.
    """

    many: int
    _young: dict[int, int] = field(default_factory=dict)
    _old: dict[int, int] = field(default_factory=dict)

    def agrees(self, name: int, content: int) -> bool | None:
        """Whether the same was said under a name before; None if nothing is remembered of it.

        Then this is.
        """
        known = self._young.get(name)
        if known is None:
            known = self._old.get(name)
        if known is not None:
            return known == content
        self._young[name] = content
        if len(self._young) * 2 >= self.many:
            self._young, self._old = {}, self._young
        return None


@dataclass(slots=True)
class Places:
    """The places of a sequence that were spoken of last: `many`, where they are close together.

    Eight bytes each; a process that lives for long has said much.
    """

    many: int
    _blocks: dict[int, "array[int]"] = field(default_factory=dict)

    def agrees(self, place: int, content: int) -> bool | None:
        """Whether the same was said at a place before; None if nothing is remembered of it.

        Then this is.
        """
        number, at = divmod(place, _BLOCK)
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = array("q", bytes(8 * _BLOCK))
            if len(self._blocks) * _BLOCK > max(self.many, _BLOCK):
                del self._blocks[next(iter(self._blocks))]
        # Nothing but an empty place holds a zero.
        content = content or 1
        known = block[at]
        if known:
            return known == content
        block[at] = content
        return None
