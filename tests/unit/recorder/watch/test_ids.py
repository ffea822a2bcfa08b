"""Every place where an id can hide, as the installed SDK knows them."""

import importlib
import inspect
import json
import pkgutil
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import types
from openai._models import BaseModel
from openai.types import responses

from demurrage.provider.references import containers_in
from demurrage_recorder.asking import UNKNOWN, slots_of, start_of
from demurrage_recorder.ids import container_ids, may_name, may_name_in, scanned_ids

from .conftest import CONTAINER


def modules() -> Iterator[Any]:
    """The SDK's modules about responses and conversations."""
    for package in ("responses", "conversations", "beta"):
        root = importlib.import_module(f"{types.__name__}.{package}")
        for found in pkgutil.iter_modules(root.__path__, f"{root.__name__}."):
            if package != "beta" or "beta_response" in found.name or "beta_tool" in found.name:
                yield importlib.import_module(found.name)


def fields() -> dict[tuple[str, str], Any]:
    """Model, the name on the wire, and annotation of each field that speaks of a container."""
    found: dict[tuple[str, str], Any] = {}
    for module in modules():
        for name, made in inspect.getmembers(module, inspect.isclass):
            if issubclass(made, BaseModel):
                for field, info in made.model_fields.items():
                    if "container" in field:
                        found[name, info.alias or field] = info.annotation
            elif typing.is_typeddict(made):
                for field, annotation in typing.get_type_hints(made).items():
                    if "container" in field:
                        found[name, field] = annotation
    return found


def takes_text(annotation: Any) -> bool:
    """True when a plain text may stand in the field."""
    return annotation is str or any(takes_text(each) for each in typing.get_args(annotation))


def test_every_field_of_the_sdk_is_read() -> None:
    """An id in any field that the SDK has for one is found, at any depth."""
    known = {where for where, annotation in fields().items() if takes_text(annotation)}
    assert {field for _, field in known} >= {"container", "container_id"}
    assert {name for name, _ in known} >= {
        "CodeInterpreter",
        "ResponseCodeInterpreterToolCall",
        "ResponseContainerReference",
    }
    missed = {
        (name, field)
        for name, field in known
        if container_ids({"output": [{"inner": [{field: CONTAINER}]}]}) != {CONTAINER}
    }
    assert missed == set()


def test_every_tool_of_the_sdk_is_known() -> None:
    """A tool that may make a container has a slot; a new kind of tool has an unknown one."""
    makers = set()
    for kind in kinds_of(responses.Tool):
        slots = slots_of({"tools": [{"type": kind}]})
        assert UNKNOWN not in slots, kind
        if slots:
            makers.add(kind)
    assert makers == {"code_interpreter", "shell"}


def kinds_of(annotation: Any) -> Iterator[str]:
    """The `type` of each member of a union of models."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield from typing.get_args(annotation.model_fields["type"].annotation)
    for each in typing.get_args(annotation):
        yield from kinds_of(each)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


@given(value=json_values, depth=st.integers(0, 300), name=st.sampled_from(["container_id", "x"]))
def test_depth_hides_nothing(value: Any, depth: int, name: str) -> None:
    """Found under its names and nowhere else, however deep; anything may stand beside it."""
    nested: Any = {name: CONTAINER, "beside": value}
    for _ in range(depth):
        nested = {"inner": [value, nested]}
    assert (CONTAINER in container_ids(nested)) == (name == "container_id")


names = st.sampled_from(["container", "container_id", "containers", "id", "file", "my_containers"])
documents: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["cntr_1", "cntr_2", "cntr_3", "auto", 7, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(document=documents)
def test_recorder_and_daemon_read_the_same(document: Any) -> None:
    """What the one finds in a document, the other does: neither knows a place of its own."""
    assert container_ids(document) == containers_in(document)


@pytest.mark.parametrize(
    "document",
    [
        {"container": {"id": CONTAINER, "type": "auto"}},
        {"containers": [CONTAINER]},
        {"container_ids": [[CONTAINER]]},
        {"containers": [{"id": CONTAINER}]},
        {"active_container_id": CONTAINER},
    ],
)
def test_wherever_a_name_speaks_of_containers(document: Any) -> None:
    """As an object, in a list, under names that no SDK has yet."""
    assert container_ids({"output": [document]}) == {CONTAINER}


@pytest.mark.parametrize(
    "value", ["", "auto", "cntr_\n", "cntr_" + "x" * 2000, 7, None, ["ci_1"], {"type": "auto"}]
)
def test_what_is_no_id(value: Any) -> None:
    """Nothing that the event log would refuse passes for an id."""
    assert container_ids({"container": value}) == set()


@given(which=st.sets(st.integers(0, 4)), upper=st.booleans(), beside=st.text(max_size=5))
def test_no_way_of_writing_hides_an_id(which: set[int], upper: bool, beside: str) -> None:  # noqa: FBT001 - hypothesis gives it
    """What JSON may write with escapes is looked at as closely as what it writes plainly."""
    form = "\\u{:04X}" if upper else "\\u{:04x}"
    prefix = "".join(
        form.format(ord(letter)) if place in which else letter
        for place, letter in enumerate(CONTAINER[:5])
    )
    text = f'{{"beside":{json.dumps(beside)},"container_id":"{prefix}{CONTAINER[5:]}"}}'
    for encoding in ("utf-8", "utf-16", "utf-32"):
        told = text.encode(encoding)
        assert may_name(told)
        assert start_of(told).data["containers"] == [CONTAINER]


def test_most_escapes_are_no_ids() -> None:
    """Other letters are written so all the time."""
    assert not may_name(json.dumps("caf\u00e9, \u00ad and \u4e63").encode())


def test_a_scan_finds_them_in_anything() -> None:
    """Native ids and rewritten ones, in bytes that are no JSON."""
    wrapped = "cntr_bGl0ZWxsbTpjdXN0b20_-abc=="
    text = f'{{"a": "{CONTAINER}", broken "/mnt/{wrapped}/file'.encode()
    assert scanned_ids(text) == {CONTAINER, wrapped}


def test_a_scan_takes_no_half_id() -> None:
    """What ends in the middle of an id does not name another container."""
    assert scanned_ids(f'"{CONTAINER}'.encode()) == set()


@given(
    st.text()
    | st.lists(
        st.sampled_from(["\\u00", "63", "6e", "6E", "74", "72", "5f", "5F", "6f", "ntr_", "cntr_"]),
        max_size=4,
    ).map("".join)
)
def test_a_text_is_looked_through_as_its_bytes_are(text: str) -> None:
    """Requests are asked about as texts, answers as bytes."""
    encoded = text.encode("utf-8", "surrogatepass")
    assert may_name_in(text) == may_name(encoded)
