"""Reads what a caller or the SDK hands over: plain mappings or the SDK's models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_NAMES = ("container_id", "container")


def part(value: Any, name: str) -> Any:
    """The field of a mapping or a model; None if there is none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def listed(value: Any) -> list[Any] | None:
    """The elements of a list or of any other iterable; None for text and for no iterable."""
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return None
    return list(value)


def names_container(value: Any) -> bool:
    """True if a `cntr_…` stands anywhere in it under `container_id` or `container`."""
    if hasattr(value, "model_dump"):
        value = {**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})}
    if isinstance(value, Mapping):
        return any(
            inner.startswith("cntr_") and name in _NAMES
            if isinstance(inner, str)
            else names_container(inner)
            for name, inner in value.items()
        )
    return isinstance(value, (list, tuple)) and any(map(names_container, value))
