"""The container ids that a piece of JSON names."""

from collections.abc import Iterator, Mapping
from typing import Any

_NAMES = ("container_id", "container")


def named_containers(value: Any) -> list[str]:
    """Every `cntr_…` under `container_id` or `container`, sorted, each once."""
    return sorted(set(_walk(value)))


def _walk(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if isinstance(inner, str):
                if name in _NAMES and inner.startswith("cntr_"):
                    yield inner
            else:
                yield from _walk(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner)
