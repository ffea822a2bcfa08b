"""A pytest plugin for trying mutants: the quick tests first, and an end to what never ends."""

import os
import resource
import time

import pytest

# Seconds of processor time in which the tests of the core pass many times over.
_LIMIT = 60


def pytest_configure() -> None:
    """Bound a mutant's processor time: waiting on a busy machine says nothing about it."""
    if "__mutmut_" in os.environ.get("MUTANT_UNDER_TEST", ""):
        spent = int(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (spent + _LIMIT, spent + _LIMIT + 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put properties, which try many examples, last: most mutants fall to a plain test."""
    items.sort(key=lambda item: getattr(getattr(item, "obj", None), "is_hypothesis_test", False))
