"""What is copied to try mutants on is enough to run the tests of the core."""

import ast
from pathlib import Path

from tests.mutation.scratch import prepare

ROOT = Path(__file__).parents[3]


def imported(path: Path) -> set[str]:
    """The modules of this project's tests that a file imports from."""
    nodes = ast.walk(ast.parse(path.read_text()))
    names = (each.module or "" for each in nodes if isinstance(each, ast.ImportFrom))
    return {name for name in names if name.startswith("tests.")}


def test_no_test_of_the_core_imports_what_is_not_copied(tmp_path: Path) -> None:
    """Or not one mutant is tried."""
    prepare(ROOT, tmp_path)
    files = list((tmp_path / "tests").rglob("*.py"))
    needed = {name for path in files for name in imported(path)}
    assert "tests.unit.decide.builders" in needed
    for name in needed:
        place = tmp_path / name.replace(".", "/")
        assert place.with_suffix(".py").exists() or place.is_dir(), name
