"""A pytest plugin for trying mutants: plain tests first, since most mutants fall to one of them."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put properties, which try many examples, last."""
    items.sort(key=lambda item: getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
