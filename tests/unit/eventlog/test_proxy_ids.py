"""Container ids that a proxy has rewritten."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demurrage.eventlog.parse import parse
from demurrage.eventlog.proxy_ids import is_wrapped, unwrap
from demurrage.model.event import ContainerCreated, Created, Finished, Output, Started

Make = Callable[..., dict[str, Any]]

_NATIVE = "cntr_" + "0a1b2c3d" * 6
_PARTS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=60)


def _wrap(container_id: str, provider: str = "openai", model: str = "gpt-5") -> str:
    text = f"litellm:custom_llm_provider:{provider};model_id:{model};container_id:{container_id}"
    return "cntr_" + base64.b64encode(text.encode()).decode()


@given(provider=_PARTS, model=_PARTS)
def test_a_rewritten_id_comes_out_as_the_native_one(provider: str, model: str) -> None:
    """Whatever provider and model are called, and however the padding fared."""
    wrapped = _wrap(_NATIVE, provider, model)
    assert is_wrapped(wrapped)
    assert unwrap(wrapped) == _NATIVE
    assert unwrap(wrapped.rstrip("=")) == _NATIVE
    assert unwrap(wrapped.replace("+", "-").replace("/", "_")) == _NATIVE


def test_a_proxy_behind_a_proxy_is_unwrapped_too() -> None:
    """Two layers come off as one."""
    assert unwrap(_wrap(_wrap(_NATIVE))) == _NATIVE


def test_layers_without_end_are_left_alone() -> None:
    """A chain that is too long stays as it is, and counts as wrapped."""
    deep = _NATIVE
    for _ in range(6):
        deep = _wrap(deep)
    assert unwrap(deep) == deep
    assert is_wrapped(deep)


@given(container_id=st.text(max_size=200))
def test_unwrapping_is_final(container_id: str) -> None:
    """What comes out either is no rewritten id, or is the very id that went in."""
    out = unwrap(container_id)
    assert out == container_id or not is_wrapped(out)
    assert unwrap(out) == out


@pytest.mark.parametrize("native", [_NATIVE, "cntr_1", "auto", "cntr_67f8a9_demo"])
def test_a_native_id_is_left_alone(native: str) -> None:
    """No id that the provider itself gives is taken for a rewritten one."""
    assert not is_wrapped(native)
    assert unwrap(native) == native


@pytest.mark.parametrize(
    "opaque",
    [
        _wrap(_NATIVE)[:60],
        _wrap("no container"),
        "cntr_" + base64.b64encode(b"sealed:" + bytes(60)).decode(),
        "cntr_" + "g" * 90,
        "cntr_abc+def=",
    ],
)
def test_an_id_that_cannot_be_unwrapped_marks_its_event(event: Make, opaque: str) -> None:
    """It is kept as it is, and the event says that it may mean any container."""
    read = parse(event("container.created", data={"container_id": opaque}))
    assert read.fact == ContainerCreated(opaque)
    assert read.undecodable


def test_ids_are_unwrapped_wherever_they_stand(event: Make) -> None:
    """Slots, lists and single fields all come out native, and nothing is marked."""
    wrapped = _wrap(_NATIVE)
    slots = [{"tool": "shell", "container": wrapped}]
    started = parse(event(data={"slots": slots, "containers": [wrapped]}))
    assert isinstance(started.fact, Started)
    assert started.fact.slots[0].container == _NATIVE
    assert started.fact.containers == {_NATIVE}
    for short in ("response.created", "response.output", "response.finished"):
        fact = parse(event(short, data={"containers": [wrapped]})).fact
        assert isinstance(fact, Created | Output | Finished)
        assert fact.containers == {_NATIVE}
    pinned = parse(event("container.created", data={"container_id": wrapped}))
    assert pinned.fact == ContainerCreated(_NATIVE)
    assert not started.undecodable
    assert not pinned.undecodable
