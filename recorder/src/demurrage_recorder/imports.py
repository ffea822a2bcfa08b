"""Does something to a module once the application has imported it, and imports nothing itself."""

import contextlib
import importlib.util
import sys
import threading
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
    _finder.acts.setdefault(name, []).append(act)


def _do(act: Act, module: ModuleType) -> None:
    # A library that has changed its inside is no reason for an application to stop.
    with contextlib.suppress(Exception):
        act(module)


class _Finder(MetaPathFinder):
    """Finds what others find, and has it loaded with the acts after it.

    Whether a module is there may be asked often, and by several threads, before it is loaded; and
    it may be loaded anew.
    """

    def __init__(self) -> None:
        self.acts: dict[str, list[Act]] = {}
        self._asking = threading.local()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - likewise
    ) -> ModuleSpec | None:
        if fullname not in self.acts or fullname in vars(self._asking):
            return None
        # The others are asked by the same way as this one was.
        setattr(self._asking, fullname, True)
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            delattr(self._asking, fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.acts[fullname])
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
