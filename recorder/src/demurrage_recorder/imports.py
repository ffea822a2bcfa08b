"""Does something to a module once the application has imported it, and imports nothing itself."""

import contextlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

Act = Callable[[ModuleType], None]


def on_import(name: str, act: Act) -> None:
    """Act on a module: now if it is imported already, else as soon as it has been.

    What goes wrong in the act stays there.
    """
    module = sys.modules.get(name)
    if module is not None:
        _do(act, module)
        return
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    _finder.waiting.setdefault(name, []).append(act)


def _do(act: Act, module: ModuleType) -> None:
    # A library that has changed its inside is no reason for an application to stop.
    with contextlib.suppress(Exception):
        act(module)


class _Finder(MetaPathFinder):
    """Finds what others find, and has it loaded with an act after it."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Act]] = {}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> ModuleSpec | None:
        acts = self.waiting.pop(fullname, None)
        if acts is None:
            return None
        # The finder has struck the name out, so that the others are asked now.
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            self.waiting[fullname] = acts
            return None
        spec.loader = _Loader(spec.loader, acts)
        return spec


class _Loader(Loader):
    def __init__(self, inner: Loader, acts: list[Act]) -> None:
        self._inner = inner
        self._acts = acts

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        for act in self._acts:
            _do(act, module)

    def __getattr__(self, name: str) -> Any:
        if name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)


_finder = _Finder()
