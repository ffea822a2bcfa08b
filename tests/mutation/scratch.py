"""The scratch folder in which mutants are made and tried."""

import ast
from pathlib import Path

# What the tests of the core stand on, besides the package.
_TESTS = ("conftest.py", "examples.py", "postgres.py", "mutation", "unit/decide")


def prepare(root: Path, folder: Path) -> None:
    """Bring sources and tests in `folder` up to date with the work tree at `root`.

    Files that have not changed keep their time of change, so that their results stand.
    """
    wanted = _sources(root / "daemon" / "demurrage") | _tests(root / "tests")
    wanted[Path("pyproject.toml")] = (root / "pyproject.toml").read_text()
    for base in ("src", "tests", "mutants/tests"):
        for path in (folder / base).rglob("*.py"):
            if Path(str(path.relative_to(folder)).removeprefix("mutants/")) not in wanted:
                path.unlink()
    for relative, text in wanted.items():
        path = folder / relative
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def _sources(package: Path) -> dict[Path, str]:
    texts = {}
    for path in package.rglob("*.py"):
        text = path.read_text()
        core = path.parent.name == "decide"
        name = Path("src/demurrage") / path.relative_to(package)
        texts[name] = open_properties(text) if core else text
    return texts


def _tests(base: Path) -> dict[Path, str]:
    files = (path for name in _TESTS for path in _python(base / name))
    return {Path("tests") / path.relative_to(base): path.read_text() for path in files}


def _python(path: Path) -> list[Path]:
    return list(path.rglob("*.py")) if path.is_dir() else [path]


def open_properties(text: str) -> str:
    """The source with each `@property` as a method that is made a property below it.

    The mutation tool leaves decorated functions alone, and what a property decides is as much a
    part of the core as what a function does. `ended` becomes `of_ended`.
    """
    lines = text.splitlines(keepends=True)
    found = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.FunctionDef)]
    for node in sorted(found, key=lambda each: each.lineno, reverse=True):
        if [ast.unparse(each) for each in node.decorator_list] != ["property"]:
            continue
        made = f"\n{' ' * node.col_offset}{node.name} = property(of_{node.name})\n"
        lines.insert(node.end_lineno or node.lineno, made)
        lines[node.lineno - 1] = lines[node.lineno - 1].replace("def ", "def of_", 1)
        del lines[node.decorator_list[0].lineno - 1]
    return "".join(lines)
