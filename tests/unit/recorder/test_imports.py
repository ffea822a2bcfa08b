"""An act upon a module comes after each time that it is loaded, and not before."""

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from demurrage_recorder.imports import _finder, on_import

NAME = "of_an_application"


@pytest.fixture
def acted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ModuleType]]:
    """The modules that were acted on; the file of the one that is waited for is there."""
    (tmp_path / f"{NAME}.py").write_text("here = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_finder, "acts", {})
    found: list[ModuleType] = []
    on_import(NAME, found.append)
    yield found
    sys.modules.pop(NAME, None)


def test_a_module_that_is_imported(acted: list[ModuleType]) -> None:
    """It bears its own loader afterwards, as if nobody had looked."""
    assert not acted
    module = importlib.import_module(NAME)
    assert acted == [module]
    assert module.__spec__ is not None
    assert type(module.__spec__.loader).__name__ == "SourceFileLoader"
    assert module.__loader__ is module.__spec__.loader


def test_one_that_was_asked_for_before(acted: list[ModuleType]) -> None:
    """Many libraries ask whether another is installed before they import it."""
    for _ in range(3):
        assert importlib.util.find_spec(NAME) is not None
    assert not acted
    assert [importlib.import_module(NAME)] == acted


def test_one_that_is_loaded_beside_the_import(acted: list[ModuleType]) -> None:
    """A private copy takes nothing from the one that everybody imports, nor does a reload."""
    spec = importlib.util.find_spec(NAME)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    module = importlib.import_module(NAME)
    assert acted == [copy, module]
    importlib.reload(module)
    assert acted == [copy, module, module]


def test_one_that_is_not_there(acted: list[ModuleType]) -> None:
    """Waiting for a module makes none."""
    on_import("not_installed_anywhere", acted.append)
    assert importlib.util.find_spec("not_installed_anywhere") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_installed_anywhere")
    assert not acted


def test_one_that_could_not_be_loaded(acted: list[ModuleType], tmp_path: Path) -> None:
    """It is acted on once it can."""
    file = tmp_path / f"{NAME}.py"
    file.write_text("raise RuntimeError\n")
    with pytest.raises(RuntimeError):
        importlib.import_module(NAME)
    assert not acted
    file.write_text("here = 'at last, and of another length'\n")
    importlib.invalidate_caches()
    assert [importlib.import_module(NAME)] == acted
