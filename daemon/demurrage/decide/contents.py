"""What was said under which name, to notice one name with two contents."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Contents:
    """The latest names with what was first said under each: at most `many`, at least half as many.

    They are held in two generations: where the younger is full, the older goes as a whole. Names
    that went one by one would leave a dictionary whose first entry is further to seek each time.
    """

    many: int
    _young: dict[int, int] = field(default_factory=dict)
    _old: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._young) + len(self._old)

    def first(self, name: int, content: int) -> int | None:
        """What was first said under a name, None if it is not known; then this is remembered."""
        known = self._young.get(name)
        if known is None:
            known = self._old.get(name)
        if known is None:
            self._young[name] = content
            if len(self._young) * 2 >= self.many:
                self._young, self._old = {}, self._young
        return known
