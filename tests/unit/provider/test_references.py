"""Every place where a container's id can hide, those of the installed SDK's types first."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai.types import conversations, responses

from demurrage.provider.references import containers_in

ID = "cntr_0123456789abcdef"
# Fields whose description speaks of containers but which hold no container's id.
_NO_IDS = frozenset({"filename"})


def _fields() -> Iterator[tuple[str, str, str]]:
    """File, name and annotation of every field that may hold the id of a container.

    By its name or by its description: a new field need not be called what the old ones are.
    """
    for package in (responses, conversations):
        (folder,) = package.__path__
        for file in sorted(Path(folder).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ClassDef):
                    yield from _fields_of(file.name, node)


def _fields_of(file: str, node: ast.ClassDef) -> Iterator[tuple[str, str, str]]:
    for place, line in enumerate(node.body):
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        after = node.body[place + 1] if place + 1 < len(node.body) else None
        text = ""  # the description stands below its field
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = str(after.value.value)
        name, kind = line.target.id, ast.unparse(line.annotation)
        if "container" in name or ("container" in text.lower() and "str" in kind):
            yield file, name, kind


FOUND = sorted({(name, kind) for _, name, kind in _fields() if name not in _NO_IDS})


def test_there_are_such_fields() -> None:
    """The walk finds at least what was there when this was written."""
    assert {"container_id", "container"} <= {name for name, _ in FOUND}


@pytest.mark.parametrize(("name", "kind"), FOUND)
def test_each_field_of_the_sdk_is_found(name: str, kind: str) -> None:
    """A field of a new name, that speaks of containers, fails here until it is looked at."""
    value: object = [ID] if "List[" in kind else ID
    assert containers_in({"output": [{"action": {name: value}}]}) == {ID}, (name, kind)


@pytest.mark.parametrize(
    "document",
    [
        {"type": "code_interpreter_call", "container_id": ID},
        {"type": "shell_call", "environment": {"type": "container_reference", "container_id": ID}},
        {"tools": [{"type": "code_interpreter", "container": ID}]},
        {"tools": [{"type": "shell", "environment": {"container_id": ID}}]},
        {"content": [{"annotations": [{"type": "container_file_citation", "container_id": ID}]}]},
        {"instructions": [{"type": "code_interpreter_call", "container_id": ID}]},
        {"container": {"id": ID}},
        {"containers": [ID]},
        {"container_ids": [{"id": ID}]},
        [[[{"container_id": ID}]]],
    ],
)
def test_each_known_place_is_found(document: object) -> None:
    """As recorded from the API, and as they might be written tomorrow."""
    assert containers_in(document) == {ID}


@pytest.mark.parametrize(
    "document",
    [
        {"text": ID},
        {"text": f"look into {ID}", "container_id": None},
        {"container_id": "file_1", "container": {"type": "auto"}},
        {"id": ID},
        ID,
        None,
        7,
    ],
)
def test_text_is_no_reference(document: object) -> None:
    """What models and people write names nothing."""
    assert containers_in(document) == frozenset()


def test_what_is_nested_without_end_is_read() -> None:
    """No depth hides an id, and none breaks the reader."""
    document: object = {"container_id": ID}
    for _ in range(50_000):
        document = [document]
    assert containers_in(document) == {ID}
