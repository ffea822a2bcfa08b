"""A store and an API that fall over at the n-th call, as a process does at a kill."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from demurrage.model.error import StoreFailedError

# What the engine asks of them; a clock or a budget's figure does not fall over.
_HARMLESS = frozenset({"clock", "affordable", "close", "restored_since"})


class FellOverError(StoreFailedError):
    """The call at which it fell, and every one after."""


@dataclass
class Fall:
    """Counts calls; from the given one on every call fails, so that nothing is put right.

    `once`: only that one fails, and the process goes on.
    """

    at: int
    after: bool
    once: bool = False
    calls: list[str] = field(default_factory=list)

    def step(self, name: str) -> bool:
        """Count one call; True if it must fail."""
        self.calls.append(name)
        reached = len(self.calls)
        return reached == self.at if self.once else reached >= self.at

    @property
    def carried_out(self) -> bool:
        """True when the call just counted does its work before it fails."""
        return self.after and len(self.calls) == self.at

    @property
    def down(self) -> bool:
        """True once the fateful call was made."""
        return len(self.calls) >= self.at


class Falling:
    """Passes calls on until the fall; `after`: the fateful call itself is still carried out."""

    def __init__(self, inner: Any, fall: Fall) -> None:
        self._inner = inner
        self._fall = fall

    def __getattr__(self, name: str) -> Any:
        """The wrapped method, or the plain attribute."""
        value = getattr(self._inner, name)
        if name in _HARMLESS or not callable(value):
            return value
        if name in ("read", "delete"):
            return self._awaited(name, value)
        return self._plain(name, value)

    def _plain(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            down = self._fall.step(name)
            if down and not self._fall.carried_out:
                raise FellOverError(name)
            result = method(*args, **named)
            if down:
                raise FellOverError(name)
            return result

        return call

    def _awaited(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any) -> Any:
            down = self._fall.step(name)
            if down and not self._fall.carried_out:
                raise FellOverError(name)
            result = await method(*args)
            if down:
                raise FellOverError(name)
            return result

        return call
